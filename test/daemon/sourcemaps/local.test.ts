import { build } from "esbuild";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { LocalMaps } from "../../../daemon/sourcemaps/local.ts";
import { LOCAL_MAPS_PER_MINUTE } from "../../../daemon/limits.ts";
import { asResolved } from "../../../src/core/sourcemaps/resolved.ts";
import { whereOf } from "../../../src/core/stack/where.ts";
import { sampleOf } from "../../../src/core/status/stacks.ts";
import type { Event, Stacks } from "../../../src/core/wire.ts";

const SOURCE = `export function openDoor(door: { isLocked: boolean }): void {
  if (door.isLocked) throw new RangeError("The door is locked");
}
openDoor({ isLocked: true });
`;
const folder = realpathSync(mkdtempSync(join(tmpdir(), "datacat-local-")));
afterAll(() => rmSync(folder, { recursive: true }));

let game = "";
let count = 0;
beforeEach(() => {
  game = join(folder, `${++count}`);
  mkdirSync(join(game, "src"), { recursive: true });
  writeFileSync(join(game, "package.json"), "{}");
  writeFileSync(join(game, "src/door.ts"), SOURCE);
});

/** Into dist/game.js, with its map beside it or in it. The position in it at which the door throws. */
async function bundle(options: { sourcemap?: "linked" | "inline"; sourcesContent?: boolean } = {}) {
  const outfile = join(game, "dist/game.js");
  const { outputFiles } = await build({
    entryPoints: [join(game, "src/door.ts")],
    outfile,
    bundle: true,
    minify: true,
    sourcemap: "linked",
    write: false,
    ...options,
  });
  mkdirSync(join(game, "dist"), { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  const code = outputFiles.find(({ path }) => path === outfile)?.text ?? "";
  return { outfile, column: code.indexOf("new RangeError") + 1 };
}

function thrown(file: string, column: number): Event {
  const stacktrace = ["RangeError: The door is locked", `    at e (${file}:1:${column})`];
  return { op: "event", at: 1, name: "exception", exception_type: "RangeError", stacktrace };
}

const resolve = (event: Event, maps = new LocalMaps(() => 0)) => {
  const resolved = maps.resolve(event);
  return resolved && asResolved({ ...event, resolved });
};

test.each([
  ["beside the file", {}],
  ["in the file", { sourcemap: "inline" }],
  ["without the sources", { sourcesContent: false }],
] as const)("a stack is resolved by a map %s, with paths that editors open", async (_, options) => {
  const { outfile, column } = await bundle(options);
  for (const file of [outfile, `file://${outfile}`]) {
    const event = resolve(thrown(file, column));
    const path = join(game, "src/door.ts");
    expect(event?.stacktrace?.[1]).toBe(`    at ${path}:2:28`);
    expect(event && whereOf(event)).toMatchObject({
      file: path,
      line: 2,
      source: 'if (door.isLocked) throw new RangeError("The door is locked");',
    });
  }
});

test("only files of the program's own folder are read, and no links", async () => {
  const { outfile, column } = await bundle();
  const secret = JSON.stringify({
    version: 3,
    sources: ["../../secret.ts", "../package.json"],
    names: [],
    mappings: "AAAA,IACA",
  });
  writeFileSync(join(folder, "secret.ts"), "a secret");
  const outside = join(game, "dist/outside.js");
  writeFileSync(outside, "//# sourceMappingURL=../../outside.map");
  writeFileSync(join(folder, "outside.map"), secret);
  expect(resolve(thrown(outside, 1))).toBeUndefined();
  // Sources that the map does not have itself are read in the program's folder only, and no other kinds of files.
  const inside = join(game, "dist/inside.js");
  writeFileSync(inside, "go()");
  writeFileSync(`${inside}.map`, secret);
  for (const at of [1, 5]) {
    const { resolved } = resolve(thrown(inside, at)) ?? {};
    expect(resolved?.sources ?? []).toEqual([]);
  }
  const alias = join(game, "dist/alias.js");
  symlinkSync(outfile, alias);
  expect(resolve(thrown(alias, column))).toBeUndefined();
});

test("a program without maps, and with a malformed one, changes nothing", async () => {
  const plain = join(game, "plain.js");
  writeFileSync(plain, "go()");
  expect(resolve(thrown(plain, 1))).toBeUndefined();
  writeFileSync(`${plain}.map`, '{"version":3,"mappings":"!"}');
  expect(resolve(thrown(plain, 1))).toBeUndefined();
  for (const file of [
    join(game, "none.js"),
    "https://a.example/a.js",
    "/dev/zero",
    "node:fs",
    "a.js",
  ])
    expect(resolve(thrown(file, 1)), file).toBeUndefined();
  const own: Event = { ...thrown(plain, 1), resolved: { stacktrace: ["mine"] } };
  expect(resolve(own)).toBeUndefined();
});

test("maps are read at most so often in a minute, and answers are kept", async () => {
  const { outfile, column } = await bundle();
  const clock = { now: 0 };
  const maps = new LocalMaps(() => clock.now);
  for (let each = 0; each < 1_000; each++)
    expect(resolve(thrown(outfile, column), maps)).toBeDefined();
  const resolved = Array.from({ length: 50 }, (_, at) =>
    resolve(thrown(outfile, column + at + 1), maps),
  );
  expect(resolved.filter(Boolean).length).toBe(LOCAL_MAPS_PER_MINUTE - 1);
  clock.now = 60_000;
  expect(resolve(thrown(outfile, column + 49), maps)).toBeDefined();
});

test("a new build is noticed", async () => {
  const { outfile, column } = await bundle();
  const maps = new LocalMaps(() => 0);
  expect(resolve(thrown(outfile, column), maps)?.stacktrace?.[1]).toContain("door.ts:2:");
  writeFileSync(join(game, "src/door.ts"), `// A line more, so that others move.\n\n${SOURCE}`);
  const next = await bundle();
  expect(resolve(thrown(outfile, next.column), maps)?.stacktrace?.[1]).toContain("door.ts:4:");
});

test("stacks of a hang are resolved as those of exceptions are, and its place is that of the source", async () => {
  const { outfile, column } = await bundle();
  const maps = new LocalMaps(() => 0);
  const threads = [
    { name: "main", frames: [`    at e (${outfile}:1:${column})`] },
    { name: "worker", frames: [] },
  ];
  const stacks: Stacks = { op: "stacks", at: 1, when: "hung", threads };
  const resolved = maps.resolveThreads(stacks);
  const source = join(game, "src/door.ts");
  expect(resolved).toMatchObject({
    threads: [[expect.stringContaining(`${source}:2:`)], []],
    sources: [{ file: source }],
  });
  const { own } = sampleOf({ ...stacks, resolved }, 1);
  expect(own).toMatchObject({ file: source, line: 2 });
  expect(maps.resolveThreads({ ...stacks, resolved })).toBeUndefined();
  const plain = [{ frames: ["    at spin (/nowhere/a.js:1:1)"] }];
  expect(maps.resolveThreads({ ...stacks, threads: plain })).toBeUndefined();
});
