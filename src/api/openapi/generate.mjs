/** `npm run openapi`: writes the OpenAPI document that the server serves, and the content of its page. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { documentOf } from "./document.ts";
import { schemasOfTypes } from "./types.ts";

const root = join(import.meta.dirname, "../../..");
export const folder = join(root, "public/api");

/** Each file in the folder, with its text. */
export async function generate() {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const types = schemasOfTypes(join(import.meta.dirname, "answers.ts"), "Answers");
  const document = documentOf(readme, types);
  const { pageOf } = await import(await pageModule());
  return {
    "openapi.json": `${JSON.stringify(document, null, 1)}\n`,
    // A line for each operation and schema, so that a change is one in Git, too.
    "page.txt": `${(await pageOf(document)).replaceAll("<details", "\n<details")}\n`,
  };
}

/** The address of page.tsx as JavaScript: Node reads no JSX. */
async function pageModule() {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "page.tsx")],
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "hono/jsx",
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? "").toString("base64");
  return `data:text/javascript;base64,${code}`;
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(await generate()))
    writeFileSync(join(folder, name), text);
}
