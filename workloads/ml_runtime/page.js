"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const path = "/v2/models/" + encodeURIComponent(model.name);
const url = location.origin + path + "/infer";
const row = document.getElementById("row");
const fields = model.inputs.map((input) => ({ input, element: field(input), file: null }));

function made(tag, text, properties) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}

function isColumn(input) {
  return input.shape.length < 2 || (input.shape.length === 2 && input.shape[1] === 1);
}

function field(input) {
  if (!isColumn(input)) return made("textarea", "", { rows: 3, placeholder: "JSON: one row, as nested lists" });
  if (input.datatype === "BOOL") {
    const choice = made("select", "");
    choice.append(...["", "true", "false"].map((value) => made("option", value, { value })));
    return choice;
  }
  if (input.content_type === "base64") return made("input", "", { type: "file" });
  if (input.content_type === "pd_json") return made("textarea", "", { rows: 3, placeholder: "JSON" });
  if (input.content_type === "datetime") return made("input", "", { placeholder: "2026-11-30T12:00:00Z" });
  const isNumber = /^(FP|INT|UINT)/.test(input.datatype);
  return made("input", "", isNumber ? { type: "text", inputMode: "decimal", placeholder: "a number" } : { type: "text" });
}

/* A value as it stands in JSON: the digits of a number stay those that were written. */
function written({ input, element, file }) {
  if (input.content_type === "base64") return file === null ? "null" : JSON.stringify(file);
  const value = element.value.trim();
  if (value === "") return "null";
  if (!isColumn(input) || input.datatype === "BOOL") return value;
  if (/^(FP|INT|UINT)/.test(input.datatype) && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value))
    return value.replace(/^\+/, "").replace(/^(-?)\./, "$10.").replace(/\.(?=e|$)/i, "").replace(/^(-?)0+(?=\d)/, "$1");
  return JSON.stringify(value);
}

function shape(input, value) {
  if (isColumn(input)) return [1];
  const lengths = [1];
  try {
    for (let part = JSON.parse(value); Array.isArray(part); part = part[0]) lengths.push(part.length);
  } catch {}
  return lengths;
}

function body() {
  const tensors = fields
    .map((each) => [each.input, written(each)])
    .filter(([, value]) => value !== "null")
    .map(([input, value]) => {
      const parameters = input.content_type === "base64" ? ', "parameters": {"content_type": "base64"}' : "";
      const head = `"name": ${JSON.stringify(input.name)}, "shape": ${JSON.stringify(shape(input, value))}`;
      return `{${head}, "datatype": "${input.datatype}"${parameters}, "data": [${value}]}`;
    });
  return `{"inputs": [${tensors.join(", ")}]}`;
}

function show() {
  const text = body();
  const quoted = text.replaceAll("'", "'\\''");
  document.getElementById("curl").textContent = `curl ${url} --json '${quoted}'`;
  document.getElementById("python").textContent = [
    "import json",
    "import urllib.request",
    "",
    `body = ${JSON.stringify(text)}`,
    `request = urllib.request.Request(${JSON.stringify(url)}, body.encode(), {"Content-Type": "application/json"})`,
    "print(json.load(urllib.request.urlopen(request)))",
  ].join("\n");
}

async function ask(event) {
  event.preventDefault();
  const place = document.getElementById("answer");
  const began = performance.now();
  try {
    const answer = await fetch(path + "/infer", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: body(),
    });
    const took = Math.round(performance.now() - began);
    const text = await answer.text();
    place.replaceChildren(...(answer.ok ? outputs(JSON.parse(text), took) : [wrong(text)]));
    if (answer.ok && model.asks) place.append(opinion(JSON.parse(text).id));
  } catch (problem) {
    place.replaceChildren(wrong(String(problem)));
  }
  place.className = "";
}

function outputs(said, took) {
  const table = made("table", "");
  for (const output of said.outputs) {
    const line = made("tr", "");
    line.append(made("th", output.name), made("td", output.data.map(String).join(", ")));
    table.append(line);
  }
  const version = said.model_version ? `version ${said.model_version}, ` : "";
  return [table, made("p", `${version}${took} ms`, { className: "quiet" })];
}

/* What somebody says of the answer with this id. */
function opinion(id) {
  const line = made("p", ""), comment = made("input", "", { placeholder: "what is to be said of it", maxLength: 2000 });
  const say = async (good) => {
    const answer = await fetch("/opinions", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ id, good, comment: comment.value }),
    });
    line.replaceChildren(answer.ok ? made("span", "Thank you.", { className: "quiet" }) : wrong(await answer.text()));
  };
  line.append(comment, ...[["👍", true, "right"], ["👎", false, "wrong"]].map(([sign, good, title]) =>
    made("button", sign, { type: "button", title, onclick: () => say(good) })));
  return line;
}

function wrong(text) {
  let said = text;
  try {
    said = JSON.parse(text).error || text;
  } catch {}
  return made("p", said, { className: "wrong" });
}

for (const each of fields) {
  const label = made("label", each.input.name);
  label.append(each.element, made("small", each.input.datatype + (each.input.required ? "" : ", may be missing")));
  each.element.addEventListener("input", show);
  each.element.addEventListener("change", async () => {
    if (each.element.type !== "file") return;
    const bytes = new Uint8Array(await each.element.files[0].arrayBuffer());
    each.file = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    show();
  });
  row.append(label);
}
document.getElementById("told").href = path;
document.getElementById("about").textContent = fields.length
  ? `One row: ${fields.length} columns. An empty field is left out.`
  : "The model has no signature, so nobody knows what it takes: it is asked by the API, see below.";
if (fields.length) row.append(made("button", "Ask"));
row.addEventListener("submit", ask);
show();
