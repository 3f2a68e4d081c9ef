import { expect, test } from "vitest";
import { fingerprint, groupingOf } from "../../../src/core/events/fingerprint.ts";
import type { Original } from "../../../src/core/sourcemaps/blocks.ts";
import {
  keyOf,
  positionsOf,
  resolveEvent,
  stacksIn,
} from "../../../src/core/sourcemaps/resolve.ts";
import { asResolved } from "../../../src/core/sourcemaps/resolved.ts";
import { framesOf } from "../../../src/core/stack/frame.ts";
import { whereOf } from "../../../src/core/stack/where.ts";
import type { Event } from "../../../src/core/wire.ts";
import { bundledByEsbuild, bundledByRolldown, stackOf, stored } from "./world.ts";

const FILE = "https://game.example.org/assets/app.js?v=3";

type Thrown = Pick<Event, "exception_type" | "exception_msg" | "stacktrace" | "causes">;

function resolve(thrown: Thrown, map: string): Thrown & Pick<Event, "sources" | "resolved"> {
  const { at } = stored(map);
  const found = new Map<string, Original>();
  for (const asked of positionsOf(stacksIn(thrown))) {
    const isOfMap = asked.file === FILE;
    const original = isOfMap ? at(asked.line, asked.column, asked.withExcerpt) : undefined;
    if (original) found.set(keyOf(asked), original);
  }
  return { ...thrown, resolved: resolveEvent(thrown, found) };
}

/** Functions that are used more often than those of the game, and so have the shortest names. */
const MORE = Array.from(
  { length: 9 },
  (_, n) =>
    `export function more${n}(x: number) { return x > 0 ? more${n}(x - 1) + more${n}(x - 2) : x; }\n`,
).join("");

const BUNDLERS = [
  ["esbuild", bundledByEsbuild],
  ["rolldown", bundledByRolldown],
] as const;

test.each(BUNDLERS)(
  "a stack of code that %s minified names functions, files and lines",
  async (_, make) => {
    const { code, map } = await make();
    const stacktrace = stackOf(code, FILE);
    const event = resolve({ exception_type: "RangeError", stacktrace }, map);
    const shown = asResolved(event);
    expect(event.stacktrace).toBe(stacktrace);
    expect(shown.stacktrace?.map((line) => line.replace(/:\d+(?=\)?$)/, ""))).toEqual([
      "RangeError: The lock of door 2 is stuck",
      "    at turnKey (src/door.ts:6)",
      "    at openDoor (src/door.ts:13)",
      "    at src/main.ts:6",
      "    at twice (node_modules/twice/index.js:2)",
      "    at src/main.ts:6",
      expect.stringMatching(/^ {4}at (?:startGame \()?src\/main.ts:6\)?$/),
      ...stacktrace.slice(7).map((line) => line.replace(/:\d+(?=\)?$)/, "")),
    ]);
    expect(whereOf(event)).toMatchObject({
      name: "turnKey",
      file: "src/door.ts",
      line: 6,
      source:
        'if (door.isLocked) throw new RangeError("The lock of door " + door.door + " is stuck");',
    });
    const [excerpt] = shown.sources ?? [];
    expect([excerpt?.file, excerpt?.first, excerpt?.lines.length]).toEqual(["src/door.ts", 1, 11]);
    const own = framesOf(shown.stacktrace ?? []).map(({ isOwn }) => isOwn);
    expect(own.slice(0, 7)).toEqual([false, true, true, true, false, true, true]);
  },
);

test("the same exception is in one group in two builds whose names and columns differ", async () => {
  const builds = [await bundledByEsbuild(), await bundledByEsbuild(MORE)];
  const [one, other] = builds.map(({ code, map }) => {
    const thrown = { exception_type: "RangeError", stacktrace: stackOf(code, FILE).slice(0, 7) };
    return { recorded: thrown, resolved: resolve(thrown, map) };
  });
  if (!one || !other) throw new Error("There are two builds.");
  expect(one.recorded.stacktrace).not.toEqual(other.recorded.stacktrace);
  expect(fingerprint(one.recorded)).not.toBe(fingerprint(other.recorded));
  expect(fingerprint(one.resolved)).toBe(fingerprint(other.resolved));
  expect(groupingOf(one.resolved).parts).toContain("door.ts turnKey");
});

test("frames of Firefox, Safari and Windows are resolved, and other lines stay as they are", () => {
  const original = { file: "src/a.ts", line: 7, column: 3 };
  const files = ["https://a.example/app.js", "file:///C:/game/app.js", "C:\\game\\app.js"];
  const found = new Map(files.map((file) => [keyOf({ file, line: 1, column: 20 }), original]));
  const stacktrace = [
    "loadLevel@https://a.example/app.js:1:20",
    "global code@https://a.example/app.js:1:20",
    "    at t (file:///C:/game/app.js:1:20)",
    "    at new Level (C:\\game\\app.js:1:20)",
    "    at Array.map (<anonymous>)",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
    "[native code]",
  ];
  expect(resolveEvent({ stacktrace }, found)?.stacktrace).toEqual([
    "    at loadLevel (src/a.ts:7:3)",
    "    at src/a.ts:7:3",
    "    at src/a.ts:7:3",
    "    at Level (src/a.ts:7:3)",
    ...stacktrace.slice(4),
  ]);
  expect(positionsOf([stacktrace]).map(({ file }) => file)).toEqual(files);
});

test("a caller names a function only by its call, and not across an await", () => {
  const at = (column: number) => keyOf({ file: "/a.js", line: 1, column });
  const original = (line: number, name?: string) => ({ file: "a.ts", line, column: 1, name });
  const found = new Map([
    [at(1), original(1)],
    [at(2), original(2, "save")],
    [at(3), original(3, "wait")],
  ]);
  const stack = (outer: string) =>
    resolveEvent({ stacktrace: ["    at x (/a.js:1:1)", `    at ${outer}`] }, found)?.stacktrace;
  expect(stack("y (/a.js:1:2)")?.[0]).toBe("    at save (a.ts:1:1)");
  expect(stack("async y (/a.js:1:2)")).toEqual(["    at a.ts:1:1", "    at async a.ts:2:1"]);
  expect(stack("Array.map (<anonymous>)")?.[0]).toBe("    at a.ts:1:1");
});

test("causes are resolved as well, and an exception without a known frame has nothing", () => {
  const found = new Map([["/a.js:1:2", { file: "src/a.ts", line: 7, column: 3 }]]);
  const causes = [
    { stacktrace: ["    at f (/b.js:1:2)"] },
    { stacktrace: ["    at f (/a.js:1:2)"] },
    {},
  ];
  const event = { stacktrace: ["Error"], causes, resolved: resolveEvent({ causes }, found) };
  expect(asResolved(event).causes).toEqual([
    causes[0],
    { stacktrace: ["    at src/a.ts:7:3"] },
    { stacktrace: [] },
  ]);
  expect(resolveEvent({ stacktrace: ["    at f (/b.js:1:2)"] }, found)).toBeUndefined();
});

test("a stack of ten thousand frames asks a bounded number of positions", () => {
  const stack = Array.from(
    { length: 10_000 },
    (_, line) => `    at f${line} (/a.js:${line + 1}:2)`,
  );
  const asked = positionsOf([stack, stack]);
  expect(asked.length).toBe(400);
  expect(asked.filter(({ withExcerpt }) => withExcerpt).length).toBe(24);
});
