/** The names that the file for pages shortens are its own: esbuild renames a property by its name alone. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { PAGE_BUNDLE } from "../clients/typescript/page-bundle.mjs";

const root = join(import.meta.dirname, "..");
const shortened = Object.keys(PAGE_BUNDLE.mangleCache);

/** The names of members that a file of types declares. */
function declared(file: string): Set<string> {
  return new Set(
    Array.from(
      readFileSync(file, "utf8").matchAll(/\b(\w+)\??\s*[:(<]/g),
      ([, name]) => name ?? "",
    ),
  );
}

test("no shortened name is one of the language or of a browser", () => {
  // The folder of the compiler's own types of JavaScript and the DOM, wherever npm has put it.
  const compiler = `@typescript/typescript-${process.platform}-${process.arch}/package.json`;
  const folder = join(dirname(fileURLToPath(import.meta.resolve(compiler))), "lib");
  const files = readdirSync(folder).filter((name) =>
    /^lib\.(?:es|dom|webworker).*\.d\.ts$/.test(name),
  );
  const names = new Set(files.flatMap((name) => [...declared(join(folder, name))]));
  for (const known of [
    "close",
    "log",
    "write",
    "append",
    "bytes",
    "measure",
    "release",
    "indexedDB",
  ])
    expect(names).toContain(known);
  expect(shortened.filter((name) => names.has(name))).toEqual([]);
});

test("no shortened name is one that a program passes or the server reads", () => {
  const files = [
    "clients/typescript/public.ts",
    "clients/typescript/settings.ts",
    "src/core/wire.ts",
    "src/core/batch.ts",
  ];
  const names = new Set(files.flatMap((name) => [...declared(join(root, name))]));
  expect(names).toContain("captureExceptions");
  expect(names).toContain("exception_type");
  expect(shortened.filter((name) => names.has(name))).toEqual([]);
});
