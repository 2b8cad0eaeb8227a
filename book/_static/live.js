/* What the live figures share: making elements, writing numbers, taking a drawing's place. */

"use strict";

// Classic scripts and one global name: modules do not load in a book that is opened from disk.
const Live = (() => {
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  node.append(...children);
  return node;
}

const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const sentence = (title, ...rest) => element("p", {}, element("strong", {}, title), ...rest);

/** At most `digits` decimals, no trailing zeros, and a real minus sign. */
const number = (x, digits = 2) => String(Number(x.toFixed(digits))).replace("-", "−");

/** Show `parts` instead of the figure's drawing; the caption stays, and paper gets the drawing. */
function takePlace(figure, label, ...parts) {
  figure.classList.add("has-live");
  figure.prepend(element("div", { class: "live", role: "group", "aria-label": label }, ...parts));
}

return { element, number, sentence, svg, takePlace };
})();
