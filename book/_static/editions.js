/* The switch between languages leads to the place in the page that is being read. */
"use strict";

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.language-switch");
  if (link) link.hash = location.hash;
});
