/** `npm run openapi`: writes the OpenAPI document that the server serves. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { documentOf } from "./document.ts";
import { schemasOfTypes } from "./types.ts";

const root = join(import.meta.dirname, "../../..");
export const file = join(root, "public/api/openapi.json");

/** The document as text. */
export function generate() {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const types = schemasOfTypes(join(import.meta.dirname, "answers.ts"), "Answers");
  return `${JSON.stringify(documentOf(readme, types), null, 1)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(join(root, "public/api"), { recursive: true });
  writeFileSync(file, generate());
}
