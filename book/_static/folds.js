/* The theme lets the keyboard reach code that scrolls, but looks for it while the page loads and is
 * resized. A solution that is unfolded is a reason to look again. */
"use strict";

document.addEventListener("click", (event) => {
  if (event.target.closest(".toggle")) window.dispatchEvent(new Event("resize"));
});
