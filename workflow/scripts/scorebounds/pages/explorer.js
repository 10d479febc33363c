const DATA = JSON.parse(document.getElementById("data").textContent);
const CHARTS = JSON.parse(document.getElementById("charts").textContent);
const N_SHOWN = 60; // components; the others carry little variance
const at = id => document.getElementById(id);
const ROW = 30; // pixels of a measure or a variable
const label = measure => DATA.labels[measure];
const known = value => value !== null && value !== undefined;
const number = (value, digits = 2) => known(value) ? value.toFixed(digits).replace("-", "−") : "";
const span = (low, high) => known(low) && known(high) ? `${number(low, 3)} to ${number(high, 3)}` : "not known";
const listed = names => names.length < 2 ? names.join("") :
  `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
const counted = n => n === 1 ? "the one optimisation" : `all ${n} optimisations`;
const views = {};
let state;

function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const said = [];
  const choose = (key, options, fallback) => {
    const wanted = given.get(key);
    if (wanted !== null && !options.includes(wanted)) said.push(`${key} “${wanted}” is not in this run`);
    return options.includes(wanted) ? wanted : fallback;
  };
  const names = Object.keys(DATA.datasets);
  const withModels = names.find(name => DATA.datasets[name].models.length);
  const dataset = choose("dataset", names, withModels ?? names[0]);
  const all = DATA.datasets[dataset].measures;
  const measure = choose("measure", all, all[0]);
  const score = Number.parseFloat(given.get("score") ?? "0.9");
  if (!(score >= 0 && score <= 1)) said.push(`score “${given.get("score")}” is not between 0 and 1`);
  const wanted = given.has("measures") ? given.get("measures").split(",").filter(Boolean) : all;
  const unknown = wanted.filter(name => !(name in DATA.labels));
  if (unknown.length) said.push(`measures ${unknown.join(", ")} are not in this run`);
  state = { dataset, measure, score: score >= 0 && score <= 1 ? Math.round(100 * score) / 100 : 0.9,
    measures: all.filter(name => wanted.includes(name)) };
  at("status").textContent = said.length ? `The address of this page: ${said.join("; ")}.` : "";
}

function writeState() {
  const all = DATA.datasets[state.dataset].measures;
  const chosen = { dataset: state.dataset, measure: state.measure, score: state.score.toFixed(2) };
  if (state.measures.length < all.length) chosen.measures = state.measures.join(",");
  history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
}

function fillControls() {
  const option = (value, text, chosen) => new Option(text, value, chosen, chosen);
  const own = DATA.datasets[state.dataset].measures;
  at("dataset").replaceChildren(...Object.keys(DATA.datasets).map(name => option(name, name, name === state.dataset)));
  at("measure").replaceChildren(...own.map(name => option(name, label(name), name === state.measure)));
  at("score").value = state.score;
  at("score").setAttribute("aria-valuetext", `${label(state.measure)} ${state.score.toFixed(2)}`);
  at("value").textContent = state.score.toFixed(2);
  at("measures").replaceChildren(...own.map(name => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name,
      checked: state.measures.includes(name) });
    const text = document.createElement("label");
    text.append(box, ` ${label(name)}`);
    return text;
  }));
}

const when = (entry, score) => known(entry.all) && entry.all <= score ? "in all optimisations" :
  known(entry.any) && entry.any <= score ? "in some" : "in none";

function componentRows() {
  const { shares, captured } = DATA.datasets[state.dataset];
  const own = captured[state.measure];
  if (!own || own.note) return [];
  return shares.map((share, i) => ({ component: i + 1, share,
    captured: when({ all: own.all[i], any: own.any[i] }, state.score), all: number(own.all[i], 3) || "never" }));
}

function interpolated(curve, key, score) {
  const x = curve.score, y = curve[key];
  if (!x.length || score < x[0] || score > x.at(-1)) return null;
  const i = Math.max(1, x.findIndex(value => value >= score));
  if (x.length === 1) return y[0];
  const part = x[i] > x[i - 1] ? (score - x[i - 1]) / (x[i] - x[i - 1]) : 1;
  return known(y[i]) && known(y[i - 1]) ? y[i - 1] + part * (y[i] - y[i - 1]) : null;
}

function variableRows() {
  const { variables, references } = DATA.datasets[state.dataset];
  return Object.entries(variables[state.measure] ?? {}).map(([name, entry]) => {
    const reference = references[name] ?? {};
    const row = { label: name, all: number(entry.all, 3) || "never", decoded: when(entry, state.score),
      chance: reference.chance ?? null, reference: reference.accuracy ?? null,
      decodable: reference.decodable ?? true };
    for (const [key, column] of [["accuracy", "mean"], ["low", "low"], ["high", "high"]])
      row[key] = entry.curve ? interpolated(entry.curve, column, state.score) : null;
    return row;
  });
}

function possibleRows() {
  const step = Math.round(100 * state.score);
  const given = DATA.datasets[state.dataset].possible[state.measure] ?? {};
  return state.measures.filter(name => name in given).map(name => {
    const ends = given[name];
    const [low, high] = [ends.attained_low[step], ends.attained_high[step]];
    const [proven_low, proven_high] = [ends.proven_low[step], ends.proven_high[step]];
    const how = ends.searched[step] ? "" : ", interpolated";
    return { label: label(name), low, high, proven_low, proven_high,
      attained: known(low) && known(high) ? span(low, high) + how : "nothing",
      proven: span(proven_low, proven_high) };
  }).filter(row => known(row.low) || known(row.proven_low));
}

function shadeRows() {
  const { shares, captured } = DATA.datasets[state.dataset];
  return state.measures.flatMap(name => {
    const own = captured[name];
    const scored = DATA.datasets[state.dataset].models.some(row => row.measure === name);
    if (!own && !scored) return [];
    if (!own || own.note) return [{ label: label(name), score: 0, end: 0, share: 0 }];
    const order = own.all.map((score, i) => ({ score, share: shares[i] }))
      .filter(part => known(part.score) && part.score <= 1).sort((a, b) => a.score - b.score);
    let sum = 0;
    const rows = [];
    for (const [i, part] of order.entries()) {
      sum += part.share;
      const end = order[i + 1]?.score ?? 1;
      // Stretches too narrow to see are drawn with the next one.
      if (end - (rows.at(-1)?.end ?? 0) > 0.004 || i === order.length - 1)
        rows.push({ label: label(name), score: Math.max(rows.at(-1)?.end ?? part.score, 0), end, share: Math.min(sum, 1) });
    }
    return rows.length ? rows : [{ label: label(name), score: 0, end: 0, share: 0 }];
  });
}

function modelRows() {
  return DATA.datasets[state.dataset].models.filter(row => state.measures.includes(row.measure)).map(row => ({
    ...row, id: row.measure, label: label(row.measure),
    interval: known(row.score_low) ? `${number(row.score_corrected, 3)} (${span(row.score_low, row.score_high)})` : "not known",
    p: known(row.p_corrected) ? String(Number(row.p_corrected.toPrecision(2))) : "not known" }));
}

function markRows() {
  const rows = [];
  for (const name of state.measures) {
    const models = DATA.datasets[state.dataset].models.filter(row => row.measure === name);
    const chance = models.filter(row => known(row.null_low));
    if (chance.length) rows.push({ label: label(name), kind: "chance", text: "chance",
      score: Math.min(...chance.map(row => row.null_low)), end: Math.max(...chance.map(row => row.null_high)) });
    for (const row of models.filter(row => known(row.ceiling))) {
      const half = 0.003;
      rows.push({ label: label(name), kind: "noise ceiling", score: row.ceiling - half, end: row.ceiling + half,
        text: `noise ceiling ${number(row.ceiling, 3)} (${span(row.ceiling_low, row.ceiling_high)})` });
    }
  }
  return rows;
}

function summarise(components, variables, possible) {
  const score = `${label(state.measure)} = ${state.score.toFixed(2)}`;
  const own = DATA.datasets[state.dataset].captured[state.measure];
  const said = [];
  if (own?.note) said.push(`What is captured at a score is not defined: ${own.note}.`);
  else if (!own) said.push(`No data were optimised towards ${label(state.measure)} on ${state.dataset}.`);
  else {
    const all = components.filter(row => row.captured === "in all optimisations");
    const share = all.reduce((sum, row) => sum + row.share, 0);
    said.push(`On ${state.dataset}, data optimised to ${score} have captured ${all.length} of ${components.length} ` +
      `components (${(100 * share).toFixed(0)} % of the variance) in ${counted(own.n_seeds)}.`);
  }
  const usable = variables.filter(row => row.decodable);
  const yes = usable.filter(row => row.decoded === "in all optimisations");
  const no = usable.filter(row => row.decoded !== "in all optimisations");
  if (yes.length) said.push(`Decodable in all of them: ${listed(yes.map(row => row.label))}.`);
  if (no.length) said.push(`Not decodable in all of them: ${listed(no.map(row =>
    `${row.label} (${row.all === "never" ? "at no score that was reached" : `from ${row.all}`})`))}.`);
  const proven = possible.filter(row => known(row.proven_low));
  if (proven.length) said.push(`Data with ${score} and at most as many neurons as the recording have ` +
    `${listed(proven.map(row => row.proven_low === row.proven_high ?
        `${row.label} = ${number(row.low, 3)}` : `${row.label} from ${row.proven}`))} (proven).`);
  at("summary").textContent = said.join(" ");
}

function captions(components, variables, possible) {
  const many = components.length > N_SHOWN;
  at("components-caption").textContent = components.length ?
    `Components of ${state.dataset} that data optimised to this score have captured` +
      (many ? `; the first ${N_SHOWN} of ${components.length}.` : ".") : "Nothing is known for this measure.";
  at("variables-caption").textContent = variables.length ?
    "Accuracy with which a variable is decoded from data optimised to this score (blue, mean and 95 % interval), " +
      "between chance (grey) and the recording itself (orange). Without a point, the score is outside the range of all optimisations." :
    "No variable was decoded for this measure.";
  at("possible-caption").textContent = possible.length ?
    "Grey: proven; outside it no data with at most as many neurons as the recording exist. Blue: found by search, " +
      "interpolated where the tooltip says so; results/tables/ranges.csv has the values searched." :
    "No range of another measure is known for this measure on this dataset.";
}

function rowsOfCharts() {
  const chosen = state.measures.includes(state.measure) ? [{ label: label(state.measure), score: state.score }] : [];
  return { components: { components: componentRows().slice(0, N_SHOWN) }, variables: { variables: variableRows() },
    possible: { possible: possibleRows() }, ladder: { ladder_shades: shadeRows(), ladder_marks: markRows(),
      ladder_models: modelRows(), ladder: chosen } };
}

function heightOf(sources) {
  const labels = Object.values(sources).flatMap(rows => rows.map(row => row.label));
  return ROW * Math.max(new Set(labels).size, 1);
}

async function update() {
  const components = componentRows(), variables = variableRows(), possible = possibleRows();
  const rows = rowsOfCharts();
  summarise(components, variables, possible);
  captions(components, variables, possible);
  for (const [name, sources] of Object.entries(rows)) {
    const shown = Object.values(sources).some(source => source.length);
    at(name).hidden = !shown;
    for (const [source, values] of Object.entries(sources)) views[name].data(source, values);
    if (name !== "components") views[name].height(heightOf(sources));
    if (shown) await views[name].resize().runAsync();
  }
  document.body.dataset.ready = location.hash;
}

function csv() {
  const lines = [["dataset", "measure", "score", "kind", "name", "value", "low", "high"]];
  const start = [state.dataset, state.measure, state.score.toFixed(2)];
  for (const row of componentRows()) lines.push([...start, "component", row.component, row.captured, "", ""]);
  for (const row of variableRows()) lines.push([...start, "accuracy", row.label, row.accuracy, row.low, row.high]);
  for (const row of variableRows()) lines.push([...start, "variable", row.label, row.decoded, "", ""]);
  for (const row of possibleRows()) {
    lines.push([...start, "proven", row.label, "", row.proven_low, row.proven_high]);
    lines.push([...start, "attained", row.label, "", row.low, row.high]);
  }
  for (const row of modelRows())
    lines.push([state.dataset, row.measure, "", "model", row.model, row.score, row.score_low, row.score_high]);
  const cell = value => /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value ?? "";
  return lines.map(line => line.map(cell).join(",")).join("\n") + "\n";
}

function change(changes) {
  Object.assign(state, changes);
  writeState();
  readState();
  fillControls();
  return update();
}

function listen() {
  at("dataset").addEventListener("change", event => change({ dataset: event.target.value,
    measures: DATA.datasets[event.target.value].measures }));
  at("measure").addEventListener("change", event => change({ measure: event.target.value }));
  at("score").addEventListener("input", event => {
    state.score = Number(event.target.value);
    at("value").textContent = state.score.toFixed(2);
    event.target.setAttribute("aria-valuetext", `${label(state.measure)} ${state.score.toFixed(2)}`);
    writeState();
    update();
  });
  at("measures").addEventListener("change", () => {
    state.measures = [...at("measures").querySelectorAll("input:checked")].map(box => box.value);
    writeState();
    update();
  });
  at("csv").addEventListener("click", () => {
    const link = Object.assign(document.createElement("a"), { download: `${state.dataset}-${state.measure}.csv`,
      href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  at("link").addEventListener("click", async () => {
    writeState();
    const said = await navigator.clipboard?.writeText(location.href).then(() => "Copied.", () => null);
    at("status").textContent = said ?? "Copy the address of this page: it contains what is chosen.";
  });
  addEventListener("hashchange", () => { readState(); fillControls(); update(); });
  views.ladder.addEventListener("click", (_, item) => {
    const row = item?.datum;
    if (row?.model) change({ measure: row.id, score: Math.min(Math.max(Math.round(100 * row.score) / 100, 0), 1) });
  });
}

async function draw(rows) {
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const [ink, soft, line] = ["--ink", "--soft", "--line"].map(colour);
  const font = getComputedStyle(document.body).fontFamily;
  const config = { background: "transparent", font,
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: soft, tickColor: soft, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
      columns: innerWidth < 640 ? 1 : 5, layout: { bottom: { direction: "vertical", anchor: "start", margin: 8 } } } };
  const autosize = { type: "fit-x", contains: "padding" };
  for (const [name, spec] of Object.entries(CHARTS)) {
    const height = name === "components" ? spec.height : heightOf(rows[name]);
    const drawn = { ...spec, autosize, height, datasets: rows[name] };
    const made = await vegaEmbed(`#${name}`, drawn, { actions: false, renderer: "svg", config, logLevel: 1 });
    views[name] = made.view;
  }
}

readState();
fillControls();
draw(rowsOfCharts()).then(() => { listen(); return update(); });
