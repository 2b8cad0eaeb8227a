/* DeepFM, live: the model that the chapter "Looking inside" has just trained, running in the page.
 *
 * The chapter leaves the model's numbers in <script id="deepfm-live" type="application/json">
 * (deepfm_tutorial.live.live_deepfm); this puts a live figure in the place of #fig-parts.
 */
"use strict";

(() => {
const { element, innerProducts, number, say, sentence, sum, svg, takePlace } = Live;

const unpack = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const percent = (p) => `${(100 * p).toFixed(1)} %`;

/** The numbers of live.live_deepfm, its arrays unpacked. */
function read(script) {
  const model = JSON.parse(script.textContent);
  model.weights = unpack(model.weights);
  model.factors = unpack(model.factors);
  model.layers.forEach((layer) => { layer.weight = unpack(layer.weight); layer.bias = unpack(layer.bias); });
  model.truth.tables.forEach((table) => { table.values = unpack(table.values); });
  let offset = 0;
  model.fields.forEach((field) => { field.offset = offset; offset += field.categories.length; });
  return model;
}

/** A linear map of one row: weight is (units, x.length), laid out row by row. */
function dense({ weight, bias }, x) {
  return Array.from(bias, (b, u) => {
    let total = b;
    for (let i = 0; i < x.length; i += 1) total += weight[u * x.length + i] * x[i];
    return total;
  });
}

/** Every term of the logit for one category a field. */
function parts(model, chosen) {
  const { k } = model;
  const ids = chosen.map((c, f) => model.fields[f].offset + c);
  const rows = ids.map((i) => model.factors.subarray(i * k, (i + 1) * k));
  const pairs = innerProducts(rows);
  let hidden = rows.flatMap((row) => Array.from(row)); // (F·k,)
  model.layers.forEach((layer, depth) => {
    hidden = dense(layer, hidden);
    if (depth < model.layers.length - 1) hidden = hidden.map((x) => Math.max(x, 0));
  });
  const result = { bias: model.bias, first: ids.map((i) => model.weights[i]), pairs, dnn: hidden[0] };
  result.logit = result.bias + sum(result.first) + sum(pairs.map((pair) => pair.value)) + result.dnn;
  return result;
}

/** The planted probability: one entry of each planted table. */
function truth(model, chosen) {
  const terms = model.truth.tables.map(({ fields, values }) => {
    const entry = fields.reduce((index, f) => index * model.fields[f].categories.length + chosen[f], 0);
    return values[entry];
  });
  return sigmoid(model.truth.bias + sum(terms));
}

/** Bars from a middle line: [name, value, class] each. */
function bars(entries, largest) {
  const picture = svg("svg", { viewBox: `0 0 340 ${entries.length * 20 + 4}`, role: "img",
    "aria-label": entries.map(([name, value]) => `${name} ${number(value)}`).join(", ") });
  const middle = 200;
  const scale = 95 / largest;
  entries.forEach(([name, value, kind], i) => {
    const y = i * 20;
    picture.append(
      svg("text", { x: 88, y: y + 15, "text-anchor": "end" }, name),
      svg("rect", { x: value < 0 ? middle + value * scale : middle, y: y + 4, width: Math.abs(value) * scale, height: 14, class: kind }),
      svg("text", { x: 338, y: y + 15, "text-anchor": "end" }, number(value)),
    );
  });
  picture.append(svg("line", { x1: middle, x2: middle, y1: 0, y2: entries.length * 20 + 4, class: "live-axis" }));
  return picture;
}

/** The triangle of inner products. */
function triangle(fields, pairs) {
  const cell = 33;
  const left = 76;
  const size = fields.length * cell;
  const picture = svg("svg", { viewBox: `0 0 340 ${size + 26}`, role: "img", "aria-label":
    say("Inner product of each pair of fields: {0}", pairs.map(({ f, g, value }) => `${fields[f].name} × ${fields[g].name} ${number(value)}`).join(", ")) });
  pairs.forEach(({ f, g, value }) => {
    const x = left + (g - 1) * cell;
    picture.append(
      svg("rect", { x, y: f * cell, width: cell - 2, height: cell - 2, class: value < 0 ? "live-minus" : "live-plus",
        style: `--strength: ${Math.min(1, Math.abs(value) / 0.2)}` }),
      svg("text", { x: x + cell / 2 - 1, y: f * cell + 20, "text-anchor": "middle", class: "live-small" }, number(value)),
    );
  });
  fields.slice(0, -1).forEach((field, f) => picture.append(svg("text", { x: left + f * cell - 6, y: f * cell + 20, "text-anchor": "end" }, field.name)));
  fields.slice(1).forEach((field, g) => picture.append(svg("text",
    { x: left + (g + 0.5) * cell - 1, y: size - cell + 14 + (g % 2) * 14, "text-anchor": "middle", class: "live-small" }, field.name)));
  return picture;
}

function terms(fields, state) {
  return [[say("bias"), state.bias], ...state.first.map((value, f) => [fields[f].name, value]),
    ...state.pairs.map(({ f, g, value }) => [`${fields[f].name} × ${fields[g].name}`, value]), ["DNN", state.dnn]];
}

function build(model, figure) {
  const { fields } = model;
  const chosen = [...model.start];
  const selects = fields.map((field, f) => {
    const select = element("select", { "data-name": field.name }, ...field.categories.map((name) => element("option", {}, name)));
    select.addEventListener("change", () => { chosen[f] = select.selectedIndex; update(); });
    return select;
  });
  const result = element("div", { class: "live-result", role: "status" });
  const picture = element("div");
  const pairs = element("div");
  const body = element("tbody");
  const draw = element("button", { type: "button" }, say("any other row"));
  draw.addEventListener("click", () => {
    fields.forEach((field, f) => { chosen[f] = Math.floor(Math.random() * field.categories.length); });
    update();
  });

  function update() {
    const state = parts(model, chosen);
    selects.forEach((select, f) => { select.selectedIndex = chosen[f]; });
    const pairSum = sum(state.pairs.map((pair) => pair.value));
    result.replaceChildren(
      sentence(say("Logit: "), element("output", { "data-name": "logit" }, number(state.logit, 6))),
      sentence(say("Probability of a click: "), element("output", { "data-name": "probability" }, percent(sigmoid(state.logit))),
        say(", by the planted formula "), element("output", { "data-name": "truth" }, percent(truth(model, chosen))), say(".")),
    );
    const entries = [[say("bias"), state.bias, "live-bar"], ...state.first.map((value, f) => [fields[f].name, value, "live-bar"]),
      [say("{0} pairs", state.pairs.length), pairSum, "live-bar"], ["DNN", state.dnn, "live-bar-dnn"], [say("logit z"), state.logit, "live-bar-sum"]];
    picture.replaceChildren(bars(entries, Math.max(2.5, ...entries.map(([, value]) => Math.abs(value)))));
    pairs.replaceChildren(triangle(fields, state.pairs));
    body.replaceChildren(...terms(fields, state).map(([name, value]) => element("tr", {},
      element("th", { scope: "row" }, name), element("td", {}, number(value, 6)))));
  }

  takePlace(figure, say("DeepFM, live"),
    element("div", { class: "live-controls" }, ...fields.map((field, f) => element("label", {}, field.name, selects[f])), draw),
    result, picture, sentence(say("The pairs one by one")), pairs,
    element("details", {}, element("summary", {}, say("All terms as a table")), element("table", {}, body)));
  update();
}

const script = document.getElementById("deepfm-live");
const figure = document.getElementById("fig-parts");
if (script && figure) build(read(script), figure);
})();
