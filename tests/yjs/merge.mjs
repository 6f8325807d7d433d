// Opens page files with plain Yjs. It knows Yjs and nothing of Holdfast.
//
//   node merge.mjs PAGE...
//
// Applies the updates in the order given, then all of them once more (a repetition must change
// nothing), and prints one JSON document:
//   entries              the array `entries`, each Uint8Array in hexadecimal
//   state_vector_length  how many writers the document knows
//   update               the whole document, encoded again, in hexadecimal

import { readFileSync } from "node:fs";
import * as Y from "yjs";

const hex = (bytes) => Buffer.from(bytes).toString("hex");

const paths = process.argv.slice(2);
if (paths.length === 0) {
  process.stderr.write("usage: node merge.mjs PAGE...\n");
  process.exit(2);
}

const updates = paths.map((path) => new Uint8Array(readFileSync(path)));
const doc = new Y.Doc();
for (const update of [...updates, ...updates]) {
  Y.applyUpdate(doc, update);
}

const entries = doc.getArray("entries").toArray();
const stranger = entries.findIndex((entry) => !(entry instanceof Uint8Array));
if (stranger !== -1) {
  process.stderr.write(`entry ${stranger} is not a byte string\n`);
  process.exit(1);
}

const report = {
  entries: entries.map(hex),
  state_vector_length: Y.decodeStateVector(Y.encodeStateVector(doc)).size,
  update: hex(Y.encodeStateAsUpdate(doc)),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
