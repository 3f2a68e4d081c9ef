import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { findMaps, type Search } from "../../../daemon/sourcemaps/find.ts";

const MAP = JSON.stringify({ version: 3, sources: ["a.ts"], names: [], mappings: "AAAA" });
const folder = mkdtempSync(join(tmpdir(), "datacat-maps-"));
afterAll(() => rmSync(folder, { recursive: true }));

let root = "";
let count = 0;
beforeEach(() => {
  root = join(folder, `${++count}`, "dist");
  mkdirSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function find(at = root) {
  const search: Search = { without: [], leftOut: [] };
  const maps = [...findMaps(at, search)].map(({ file, map }) => [file, map.toString()] as const);
  return { maps: Object.fromEntries(maps), ...search };
}

test.each([
  ["beside the file", "go()", "app.js.map"],
  ["named in it", "go()\n//# sourceMappingURL=maps/x.map?v=1\n", "maps/x.map"],
  ["named as in old files", "go()\n//@ sourceMappingURL=app.js.map", "app.js.map"],
  [
    "named as on a server, and beside it",
    "go()\n//# sourceMappingURL=https://a.example/x.map",
    "app.js.map",
  ],
  ["with a blank in its name", "go()\n//# sourceMappingURL=my%20app.map", "my app.map"],
  ["named last", "a='//# sourceMappingURL=no.map';\n//# sourceMappingURL=b.map", "b.map"],
])("a map %s is found", (_, script, map) => {
  write("app.js", script);
  write(map, MAP);
  expect(find()).toEqual({ maps: { "app.js": MAP }, without: [], leftOut: [] });
});

test.each([
  ["Base64", `data:application/json;charset=utf-8;base64,${Buffer.from(MAP).toString("base64")}`],
  ["percent signs", `data:application/json,${encodeURIComponent(MAP)}`],
])("a map in the file, in %s, is found", (_, address) => {
  write("a/app.mjs", `go()\n//# sourceMappingURL=${address}\n`);
  expect(find().maps).toEqual({ "a/app.mjs": MAP });
});

test("nothing outside the folder is read, and no link is followed", () => {
  writeFileSync(join(root, "../secret.map"), MAP);
  mkdirSync(join(root, "../other"));
  writeFileSync(join(root, "../other/app.js"), "go()");
  writeFileSync(join(root, "../other/app.js.map"), MAP);
  write("outside.js", "go()\n//# sourceMappingURL=../secret.map");
  write("absolute.js", `go()\n//# sourceMappingURL=${join(root, "../secret.map")}`);
  write("linked.js", "go()");
  symlinkSync(join(root, "../secret.map"), join(root, "linked.js.map"));
  write("through.js", "go()\n//# sourceMappingURL=folder/app.js.map");
  symlinkSync(join(root, "../other"), join(root, "folder"));
  symlinkSync(join(root, "../other/app.js"), join(root, "alias.js"));
  const { maps, without, leftOut } = find();
  expect(maps).toEqual({});
  expect(without).toEqual([]);
  expect(leftOut.toSorted()).toEqual([
    "absolute.js: its map is outside the folder",
    "alias.js: it is a link",
    "linked.js: its map is a link",
    "outside.js: its map is outside the folder",
    "through.js: its map is outside the folder",
  ]);
  symlinkSync(root, join(root, "../link"));
  expect(find(join(root, "../link")).leftOut.length).toBe(5);
});

test("files without a map are counted, dependencies and other files are not", () => {
  write("plain.js", "go()");
  write("style.css", "a {}\n/*# sourceMappingURL=style.css.map */");
  write("missing.cjs", "go()\n//# sourceMappingURL=none.map");
  write("node_modules/left/index.js", "go()");
  write(".git/hook.js", "go()");
  expect(find()).toEqual({ maps: {}, without: ["missing.cjs", "plain.js"], leftOut: [] });
});
