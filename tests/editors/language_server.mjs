// language_server.mjs SERVER DIRECTORY FILE…: opens each pyro.yaml as an editor does, whose first line names the schema that
// `pyro schema --install` wrote, and asks: no complaint about what is valid, the keys of every map offered, help for every key.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const [server, directory, ...files] = process.argv.slice(2);
const schema = JSON.parse(readFileSync(resolve(directory, ".pyro/pyro-1.schema.json"), "utf8"));
const child = spawn(process.execPath, [server, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map();
const diagnostics = new Map();
let last_id = 0;
let input = Buffer.alloc(0);
let wake = () => {};

function send(message) {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

function ask(method, params) {
  const id = ++last_id;
  send({ id, method, params });
  return new Promise((done, failed) => waiting.set(id, { done, failed }));
}

function take(message) {
  if (message.method && message.id !== undefined) {
    // what the server wants of an editor: it has no settings
    const result = message.method === "workspace/configuration" ? message.params.items.map(() => null) : null;
    send({ id: message.id, result });
  } else if (message.method === "textDocument/publishDiagnostics") {
    diagnostics.set(message.params.uri, message.params.diagnostics);
    wake();
  } else if (waiting.has(message.id)) {
    const { done, failed } = waiting.get(message.id);
    waiting.delete(message.id);
    message.error ? failed(new Error(JSON.stringify(message.error))) : done(message.result);
  }
}

child.stdout.on("data", (bytes) => {
  input = Buffer.concat([input, bytes]);
  for (;;) {
    const end = input.indexOf("\r\n\r\n");
    const length = end < 0 ? null : /Content-Length: (\d+)/i.exec(input.subarray(0, end).toString());
    if (!length || input.length < end + 4 + Number(length[1])) return;
    const body = input.subarray(end + 4, end + 4 + Number(length[1]));
    input = input.subarray(end + 4 + Number(length[1]));
    take(JSON.parse(body.toString()));
  }
});
child.on("exit", (status) => fail(`the language server ended with ${status}`));

function fail(text) {
  console.error(text);
  child.kill();
  process.exit(1);
}

const limit = setTimeout(() => fail("no answer within two minutes"), 120_000);

let documents = 0;
async function open(text) {
  const uri = `file://${resolve(directory)}/open-${++documents}.yaml`;
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text } } });
  while (!diagnostics.has(uri)) await new Promise((done) => (wake = done));
  return uri;
}

const head = "# yaml-language-server: $schema=.pyro/pyro-1.schema.json\n";
const at = (line, character) => ({ line, character });
const about = (uri, position) => ({ textDocument: { uri }, position });

/// "services.NAME.readiness" as lines of block style, the last map still empty: the cursor's place.
function frame(where) {
  let text = head;
  let margin = "";
  for (const part of where === "" ? [] : where.split(".")) {
    const is_list = part.endsWith("[]");
    text += `${margin}${part.replace("[]", "")}:\n`;
    margin += "  ";
    if (is_list) {
      text += `${margin}- `;
      margin = `${" ".repeat(margin.length)}  `;
    }
    if (is_list && part !== where.split(".").at(-1)) text += "id: a\n";
  }
  return { text, margin, in_list: where.endsWith("[]") };
}

await ask("initialize", {
  processId: process.pid, rootUri: `file://${resolve(directory)}`, workspaceFolders: null,
  capabilities: { textDocument: { completion: { completionItem: { documentationFormat: ["markdown"] } }, hover: { contentFormat: ["markdown"] } } },
});
send({ method: "initialized", params: {} });
send({ method: "workspace/didChangeConfiguration", params: { settings: { yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false } } } } });

let asked = 0;
for (const file of files) {
  const uri = await open(head + readFileSync(file, "utf8").replace(/^# yaml-language-server:.*\n/, ""));
  const found = diagnostics.get(uri);
  if (found.length > 0) fail(`${file} is valid, and the editor complains:\n${JSON.stringify(found, null, 1)}`);
}

const wrong = await open(head + "version: 1\nenvironment: {image: host}\nsevices: {}\n");
if (!diagnostics.get(wrong).some((one) => one.range.start.line === 3)) fail("a key that is not known is not marked");

const places = new Map([["", schema]]);
const where = {
  var: "vars.a", secret: "secrets.a", environment: "environment", resources: "environment.resources", setup_step: "environment.setup[]",
  seed: "seed", git: "seed.git", prepare_step: "prepare[]", service: "services.a", oneshot: "services.a.oneshot",
  dependency: "services.a.depends_on.b", readiness: "services.a.readiness", liveness: "services.a.liveness", http: "services.a.readiness.http",
  stop: "services.a.stop", snapshot: "snapshots.a", retention: "retention", reset: "reset", drift: "drift", network: "network",
  lifecycle: "lifecycle", mount: "mounts[]", cache: "environment.setup[].cache[]",
};
for (const name of Object.keys(schema.$defs)) {
  if (!where[name]) fail(`where in a file is '${name}'?`);
  places.set(where[name], schema.$defs[name]);
}

for (const [place, shape] of places) {
  const { text, margin, in_list } = frame(place);
  const line = text.split("\n").length - 1;
  const empty = await open(in_list ? text : text + margin);
  const offered = await ask("textDocument/completion", about(empty, at(line, margin.length)));
  const labels = new Set(offered.items.map((item) => item.label));
  for (const [key, field] of Object.entries(shape.properties)) {
    if (!labels.has(key)) fail(`'${key}' is not offered at '${place}': ${[...labels].join(", ")}`);
    const uri = await open(`${in_list ? text : text + margin}${key}: `);
    const help = await ask("textDocument/hover", about(uri, at(line, margin.length + 1)));
    const shown = help && (help.contents.value ?? help.contents);
    const first = field.description.split(/[`*_<>|\\]/)[0].trim();
    if (!shown || !shown.replace(/\\/g, "").replace(/&nbsp;/g, " ").includes(first)) {
      fail(`no help for '${place}.${key}': ${JSON.stringify(help)}`);
    }
    asked += 1;
  }
}
clearTimeout(limit);
console.log(`yaml-language-server: ${files.length} files without a complaint, ${asked} keys offered and explained`);
child.removeAllListeners("exit");
child.kill();
