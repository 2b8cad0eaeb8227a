/* A row through the FM: the toy of the chapter on factorization machines, to be played with.
 *
 * Looks for the static drawings, #fig-row and #fig-row-embeddings, and puts the live figure in their
 * place; the caption stays. Without scripts, and on paper, the drawing remains.
 */
"use strict";

(() => {
const { dot, element, innerProducts, number, say, sentence, sum, svg, takePlace } = Live;

const BIAS = -1;
// The first three fields are the chapter's toy. A category is [name, w, v].
const FIELDS = [
  { name: "weekday", categories: [["Mon", 0, [1, 0]], ["Sun", 0.5, [0, 2]]], chosen: 1 },
  { name: "device", categories: [["desktop", 0, [1, 1]], ["phone", 0.25, [2, 1]]], chosen: 1 },
  { name: "topic", categories: [["games", 0.5, [-1, 1]], ["news", 0, [3, 0]]], chosen: 0 },
  { name: "section", categories: [["home", -0.25, [0, 1]], ["search", 0.5, [1, -1]], ["video", 0, [2, 0]]], chosen: 0 },
  { name: "position", categories: [["top", 0.5, [1, 1]], ["bottom", -0.5, [0, -1]]], chosen: 0 },
  { name: "segment", categories: [["student", 0.25, [-1, 2]], ["parent", 0, [1, 0]], ["tourist", 0.5, [0, 1]]], chosen: 0 },
];
const K = 2;

/** All that the figure shows of the chosen categories. */
function compute(fields) {
  const active = fields.map((field) => field.categories[field.chosen]);
  const rows = active.map(([, , v]) => v);
  const pairs = innerProducts(rows);
  const total = [0, 1].map((r) => sum(rows.map((v) => v[r])));
  const own = rows.map((v) => dot(v, v));
  const first = sum(active.map(([, w]) => w));
  const byDefinition = sum(pairs.map((pair) => pair.value));
  const byFastForm = (dot(total, total) - sum(own)) / 2;
  const F = fields.length;
  return {
    active, rows, pairs, total, own, first, byDefinition, byFastForm,
    logit: BIAS + first + byDefinition,
    // Multiplications, as the chapter counts them for a one-hot row.
    work: { definition: (K * F * (F - 1)) / 2, fast: K * F + K + 1 },
  };
}

const product = (numbers) => numbers.map((x) => (x < 0 ? `(${number(x)})` : number(x))).join(" + ");

function draw(fields, state, fast) {
  const F = fields.length;
  const features = fields.flatMap((field, f) => field.categories.map((category, c) => ({ f, c, category })));
  const step = Math.min(24, 330 / features.length);
  const left = 78;
  const cell = Math.min(40, (336 - left) / F);
  const picture = svg("svg", { viewBox: `0 0 340 ${150 + F * 20 + (fast ? 92 : F * cell)}`, role: "img" });
  picture.setAttribute("aria-label", fast
    ? say("One-hot row of {0} features, {1} of them active; the factor rows that they pick; the sums of the fast form.", features.length, F)
    : say("One-hot row of {0} features, {1} of them active; the factor rows that they pick; the inner product of each pair.", features.length, F));
  const text = (x, y, content, options = {}) => picture.append(svg("text", { x, y, ...options }, content));

  text(0, 12, say("the one-hot row x"), { class: "live-title" });
  features.forEach(({ f, c, category }, i) => {
    const on = fields[f].chosen === c;
    const x = 4 + i * step;
    picture.append(svg("rect", { x, y: 20, width: step - 2, height: 20, class: on ? "live-on" : "live-off" }));
    text(x + step / 2 - 1, 34, on ? "1" : "0", { "text-anchor": "middle" });
    text(0, 0, category[0], { transform: `translate(${x + step / 2 + 2} 46) rotate(90)`, class: "live-small" });
  });

  let y = 116;
  text(0, y, say("picks a factor row v in each field"), { class: "live-title" });
  state.active.forEach(([name, , v], f) => {
    y += 20;
    text(left - 6, y, name, { "text-anchor": "end" });
    v.forEach((x, r) => {
      picture.append(svg("rect", { x: left + r * 44, y: y - 14, width: 42, height: 18, class: "live-on" }));
      text(left + r * 44 + 21, y, number(x), { "text-anchor": "middle" });
    });
    text(left + 100, y, fast ? say("square {0}", number(state.own[f])) : "");
  });

  y += 26;
  if (fast) {
    text(0, y, say("their sum, squared"), { class: "live-title" });
    state.total.forEach((x, r) => {
      picture.append(svg("rect", { x: left + r * 44, y: y + 8, width: 42, height: 18, class: "live-sum" }));
      text(left + r * 44 + 21, y + 22, number(x), { "text-anchor": "middle" });
    });
    text(left - 6, y + 22, "Σ v", { "text-anchor": "end" });
    text(left + 100, y + 22, say("square {0}", number(dot(state.total, state.total))));
  } else {
    text(0, y, say("each pair’s inner product"), { class: "live-title" });
    state.active.forEach(([name], f) => {
      text(left - 6, y + 10 + (f + 0.6) * cell, name, { "text-anchor": "end" });
    });
    state.pairs.forEach(({ f, g, value }) => {
      const x = left + g * cell;
      const top = y + 10 + f * cell;
      picture.append(svg("rect", { x, y: top, width: cell - 2, height: cell - 2, class: value < 0 ? "live-minus" : "live-plus" }));
      text(x + cell / 2 - 1, top + cell / 2 + 4, number(value), { "text-anchor": "middle" });
    });
    state.active.slice(1).forEach(([name], i) => {
      text(left + (i + 1.5) * cell, y + 10 + (F - 0.4) * cell, name.slice(0, 7), { "text-anchor": "middle", class: "live-small" });
    });
  }
  return picture;
}

function explain(state, fast) {
  if (fast) {
    return `½ × (${number(dot(state.total, state.total))} − (${product(state.own)})) = ${number(state.byFastForm)}`;
  }
  return `${product(state.pairs.map((pair) => pair.value))} = ${number(state.byDefinition)}`;
}

function build(figure) {
  const choices = element("div", { class: "live-controls" });
  const picture = element("div");
  const result = element("div", { class: "live-result", role: "status" });
  let count = 3;
  let fast = false;

  const update = () => {
    const fields = FIELDS.slice(0, count);
    const state = compute(fields);
    picture.replaceChildren(draw(fields, state, fast));
    result.replaceChildren(
      sentence(say("Pairs: "), explain(state, fast)),
      sentence(say("Logit: "), `${number(BIAS)} + ${number(state.first)} + ${number(state.byDefinition)} = `,
        element("output", { "data-name": "logit" }, number(state.logit))),
      sentence(say("Multiplications for the pairs: "),
        element("output", { "data-name": "definition" }, String(state.work.definition)), say(" pair by pair, "),
        element("output", { "data-name": "fast" }, String(state.work.fast)), say(" in the fast form.")),
    );
  };
  const lay = () => {
    choices.replaceChildren(...FIELDS.slice(0, count).map((field) => {
      const select = element("select", {}, ...field.categories.map(([name]) => element("option", {}, name)));
      select.selectedIndex = field.chosen;
      select.addEventListener("change", () => { field.chosen = select.selectedIndex; update(); });
      return element("label", {}, field.name, select);
    }));
    update();
  };

  const fields = element("select", { "data-name": "fields" }, ...[2, 3, 4, 5, 6].map((n) => element("option", {}, String(n))));
  fields.value = String(count);
  fields.addEventListener("change", () => { count = Number(fields.value); lay(); });
  const form = element("select", { "data-name": "form" }, element("option", {}, say("the definition")), element("option", {}, say("the fast form")));
  form.addEventListener("change", () => { fast = form.selectedIndex === 1; update(); });
  takePlace(figure, say("A row through the FM"),
    element("div", { class: "live-controls" }, element("label", {}, say("number of fields"), fields), element("label", {}, say("pairs by"), form)),
    choices, picture, result);
  lay();
}

document.querySelectorAll("#fig-row, #fig-row-embeddings").forEach(build);
})();
