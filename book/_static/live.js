/* What the live figures share: inner products, making elements, writing numbers and words, taking a drawing's
 * place. */

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

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const dot = (a, b) => a.reduce((total, x, r) => total + x * b[r], 0);

/** The inner product of every two rows f < g. */
const innerProducts = (rows) => rows.flatMap((a, f) => rows.slice(f + 1).map((b, i) => ({ f, g: f + 1 + i, value: dot(a, b) })));

/** A text in the page's language: `words` with what {0}, {1}, … stand for. */
function say(words, ...values) {
  const known = (window.WORDS ?? {})[words] ?? words;
  return known.replace(/\{(\d)\}/g, (_, i) => values[i]);
}

/** Show `parts` instead of the figure's drawing; the caption stays, and paper gets the drawing. */
function takePlace(figure, label, ...parts) {
  figure.classList.add("has-live");
  figure.prepend(element("div", { class: "live", role: "group", "aria-label": label }, ...parts));
}

return { dot, element, innerProducts, number, say, sentence, sum, svg, takePlace };
})();
