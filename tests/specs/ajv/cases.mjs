// cases.mjs SCHEMA SPECS: ajv reads the schema, strictly, and is asked about the files of specs/: what is valid has to be
// valid, of what is not it has to refuse all but what SPECS/schema.json lists as beyond a schema.
import { readFileSync, readdirSync, existsSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parseAllDocuments } from "yaml";

const [schema, specs] = process.argv.slice(2);
const read = (...path) => JSON.parse(readFileSync(join(...path), "utf8"));
const known = read(specs, "schema.json");
const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, strictNumbers: false, allErrors: true });
const validate = ajv.compile(read(schema));
const wrong = [];
const counts = { valid: 0, refused: 0, "beyond a schema": 0, "no YAML": 0 };

/// What the schema says of the file: "" where it is valid. Throws where it is no YAML.
function complaint(file) {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  const documents = parseAllDocuments(text, { version: "1.2", merge: true });
  const flaw = documents.flatMap((one) => [...one.errors, ...one.warnings])[0];
  if (flaw) throw flaw;
  return validate(documents[0]?.toJS() ?? null) ? "" : ajv.errorsText(validate.errors).slice(0, 300);
}

function accepts(file) {
  const said = complaint(file);
  if (said) wrong.push(`${file}: refused: ${said}`);
  counts.valid += 1;
}

for (const name of readdirSync(join(specs, "valid"))) accepts(join(specs, "valid", name, "pyro.yaml"));
for (const name of readdirSync(join(specs, "plan"))) {
  for (const file of ["before.yaml", "pyro.yaml"].map((one) => join(specs, "plan", name, one))) {
    if (existsSync(file)) accepts(file);
  }
}

const unused = new Set(Object.keys(known.accepted));
for (const name of readdirSync(join(specs, "invalid"))) {
  const { code, message } = read(specs, "invalid", name, "expected.json").diagnostics[0];
  if (known["no YAML"].includes(code)) {
    counts["no YAML"] += 1;
    continue;
  }
  unused.delete(name);
  const is_beyond = code in known["beyond a schema"] || name in known.accepted;
  counts[is_beyond ? "beyond a schema" : "refused"] += 1;
  const said = complaint(join(specs, "invalid", name, "pyro.yaml"));
  if (is_beyond && said) wrong.push(`invalid/${name}: refused, although schema.json lists it: ${said}`);
  if (!is_beyond && !said) wrong.push(`invalid/${name}: accepted; we say ${code}: ${message.slice(0, 120)}`);
}
for (const name of unused) wrong.push(`schema.json lists invalid/${name}, which is not there`);

if (wrong.length) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`ajv: ${Object.entries(counts).map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
