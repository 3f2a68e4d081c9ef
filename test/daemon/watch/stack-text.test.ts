import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { readSideFile, sideFilePath, sideFileSize } from "../../../daemon/lanes/side-file.ts";
import { SIDE_FILE_BYTES } from "../../../daemon/limits.ts";
import { Log } from "../../../daemon/log.ts";
import { fatalIn } from "../../../daemon/watch/fatal-text.ts";
import { runtimeOf, samplesIn } from "../../../daemon/watch/stack-text.ts";
import { MAX_STACK_THREADS, MAX_STACKS_LENGTH } from "../../../src/core/limits.ts";
import { Stacks } from "../../../src/core/wire.ts";
import { World } from "../world.ts";

const PYTHON = `Timeout (0:00:05)!
Thread 0x00007f41 (most recent call first):
  File "/usr/lib/python3.12/threading.py", line 355 in wait
  File "/srv/pool.py", line 3 in work

Thread 0x00007f42 (most recent call first):
  File "/srv/game.py", line 88 in load_level
  File "/srv/game.py", line 9 in <module>
Timeout (0:00:05)!
Thread 0x00007f42 (most recent call first):
  File "/srv/game.py", line 90 in load_level
`;

const GO = `# 1790000000000
goroutine 7 [chan receive, 2 minutes]:
main.wait(0xc000012345)
	/srv/game.go:12 +0x1d
created by main.main in goroutine 1
	/srv/game.go:5 +0x2

goroutine 1 gp=0xc0000021c0 m=0 [running]:
main.main()
	/srv/game.go:9 +0x1d
`;

test.each([
  ["python 3.13.0", "python"],
  ["go1.26.0", undefined],
  ["go 1.26.0", "go"],
  ["node 24.1.0", "javascript"],
  ["Deno 2.1", "javascript"],
  ["rust 1.90", undefined],
  ["", undefined],
])("the runtime of %j: %s", (language, runtime) => expect(runtimeOf(language)).toBe(runtime));

test("faulthandler's samples have the main thread first, and the interval between them", () => {
  expect(samplesIn("python", PYTHON)).toEqual([
    {
      everyMs: 5_000,
      threads: [
        {
          name: "MainThread",
          frames: [
            'File "/srv/game.py", line 88, in load_level',
            'File "/srv/game.py", line 9, in <module>',
          ],
        },
        {
          frames: [
            'File "/usr/lib/python3.12/threading.py", line 355, in wait',
            'File "/srv/pool.py", line 3, in work',
          ],
        },
      ],
    },
    { everyMs: 5_000, threads: [expect.objectContaining({ name: "MainThread" })] },
  ]);
});

test("the client's own samples have times, names and source lines, and no thread of the client", () => {
  const text = `# 1790000000000
Thread 0x1 [datacat heartbeat] (most recent call first):
  File "/usr/lib/python3.12/threading.py", line 355 in wait
  File "/srv/datacat.py", line 355 in _send_heartbeats

Thread 0x2 [worker [1]] (most recent call first):
  File "/srv/pool.py", line 3 in work
    queue.get()

Thread 0x3 [MainThread] (most recent call first):
  File "/srv/game.py", line 88 in load_level
    lock.acquire()
`;
  expect(samplesIn("python", text)).toEqual([
    {
      at: 1_790_000_000_000,
      threads: [
        {
          name: "MainThread",
          frames: ['File "/srv/game.py", line 88, in load_level\n    lock.acquire()'],
        },
        { name: "worker [1]", frames: ['File "/srv/pool.py", line 3, in work\n    queue.get()'] },
      ],
    },
  ]);
});

test("Go's samples keep the order of goroutines, and have frames of two lines", () => {
  const [sample] = samplesIn("go", GO);
  expect(sample?.at).toBe(1_790_000_000_000);
  expect(sample?.threads).toEqual([
    expect.objectContaining({ name: "goroutine 7", state: "chan receive, 2 minutes" }),
    {
      name: "goroutine 1",
      state: "running",
      current: true,
      frames: ["main.main()\n\t/srv/game.go:9 +0x1d"],
    },
  ]);
});

test("Node's samples are lines of JSON; other lines are none", () => {
  const good = {
    at: 1_790_000_000_000,
    threads: [{ name: "main", frames: ["at f (a.js:1:2)", 7] }],
  };
  const text = ["no JSON", "[1]", '{"threads":7}', '{"threads":[null]}', JSON.stringify(good)];
  expect(samplesIn("javascript", text.join("\n"))).toEqual([
    { at: good.at, threads: [{ name: "main", frames: ["at f (a.js:1:2)"] }] },
  ]);
});

test.each(["python", "go", "javascript"] as const)(
  "any text of %s gives ops that the server accepts",
  (runtime) => {
    const line = fc.constantFrom(
      ...PYTHON.split("\n"),
      ...GO.split("\n"),
      '{"at":1,"threads":[{"name":"x","frames":["y"]}]}',
      "# 999999999999999999",
      `  File "${"x".repeat(5_000)}", line 1 in f`,
      "",
    );
    const text = fc.array(fc.oneof(line, fc.string())).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, (any) => {
        for (const { threads, left_out, cut } of samplesIn(runtime, any))
          v.parse(Stacks, { op: "stacks", at: 1, when: "hung", threads, left_out, cut });
        fatalIn(runtime, any);
      }),
    );
  },
);

test("a sample of very many threads is bounded, and counts what it leaves out", () => {
  const thread = `Thread 0x1 (most recent call first):\n${`  File "${"x".repeat(300)}", line 1 in f\n`.repeat(120)}`;
  const [sample] = samplesIn("python", thread.repeat(MAX_STACK_THREADS + 3));
  expect(sample).toMatchObject({ left_out: 3, cut: true });
  expect(sample?.threads.flatMap(({ frames }) => frames).join("").length).toBeLessThanOrEqual(
    MAX_STACKS_LENGTH,
  );
});

test.each([["python"], ["go"]] as const)("hostile text of %s takes linear time", (runtime) => {
  for (const piece of ["(", "Thread 0x", " ", "goroutine 1 [", "[", "]", "\0", 'File "', "# 1"]) {
    const text = piece.repeat(SIDE_FILE_BYTES / piece.length);
    samplesIn(runtime, text);
    fatalIn(runtime, text);
  }
});

describe("what a runtime writes as it ends", () => {
  test("a segmentation fault in Python, with the thread that caused it first", () => {
    const text = `Fatal Python error: Segmentation fault

Current thread 0x2 (most recent call first):
  File "/srv/native.py", line 3 in call
  File "/srv/pool.py", line 9 in work

Thread 0x1 (most recent call first):
  File "/srv/game.py", line 5 in <module>

Extension modules: numpy.core._multiarray_umath (total: 1)
`;
    expect(fatalIn("python", text)).toMatchObject({
      type: "Segmentation fault",
      signal: "SIGSEGV",
      stacktrace: [
        "Traceback (most recent call last):",
        '  File "/srv/pool.py", line 9, in work',
        '  File "/srv/native.py", line 3, in call',
      ],
      stacks: {
        threads: [
          { current: true, frames: [expect.stringContaining("native.py"), expect.anything()] },
          { name: "MainThread", frames: [expect.stringContaining("game.py")] },
        ],
      },
    });
  });

  test("of several, the last one", () =>
    expect(
      fatalIn("python", "Fatal Python error: Aborted\n\nFatal Python error: Bus error\n"),
    ).toMatchObject({ type: "Bus error", signal: "SIGBUS" }));

  test.each([
    ["\0".repeat(15), "SIGTERM"],
    [`\n${"\0".repeat(14)}`, "SIGTERM"],
    ["\0", "SIGHUP"],
  ])("at a signal in Python, whose number is the text's offset (%j)", (before, signal) => {
    const text = `${before}Current thread 0x1 (most recent call first):\n  File "/srv/game.py", line 5 in f\n`;
    expect(fatalIn("python", text)).toMatchObject({ signal, stacks: { threads: [{}] } });
    expect(fatalIn("python", text)?.type).toBeUndefined();
  });

  test.each(["", "\n", "\0".repeat(15), "\0".repeat(5_000), "Traceback", "fatal error: x"])(
    "nothing in %j",
    (text) => expect(fatalIn("python", text)).toBeUndefined(),
  );

  test("a fatal error and a panic in Go", () => {
    const fatal = `fatal error: concurrent map writes\n\n${GO.slice(GO.indexOf("\n") + 1)}`;
    expect(fatalIn("go", fatal)).toMatchObject({
      type: "fatal error: concurrent map writes",
      stacktrace: ["main.main()", "\t/srv/game.go:9 +0x1d"],
      stacks: { threads: [{ name: "goroutine 1" }, { name: "goroutine 7" }] },
    });
    const panic = `panic: runtime error: invalid memory address\n[signal SIGSEGV: segmentation violation code=0x1]\n\n${GO}`;
    expect(fatalIn("go", panic)).toMatchObject({
      type: "panic",
      message: "runtime error: invalid memory address",
      signal: "SIGSEGV",
    });
  });

  const GO_FRAMES =
    "main.work(...)\n\t/srv/game.go:9 +0x1d\n\ngoroutine 1 [select (no cases)]:\nmain.main()\n\t/srv/game.go:3\n";
  test.each([
    [
      "goroutine 7 [running]:\ninternal/runtime/maps.fatal({0x4b08b8?, 0x0?})\n",
      "concurrent map access",
    ],
    [
      "runtime stack:\nruntime.throw({0x4a, 0x1})\nruntime.newstack()\n\ngoroutine 7 gp=0xc0 m=0 mp=0x5 [running]:\n",
      "stack overflow",
    ],
    [
      "goroutine 7 [running]:\ninternal/sync.fatal({0x4b08b8?, 0x0?})\n",
      "unlock of unlocked mutex",
    ],
    ["goroutine 7 [running]:\nruntime.(*mcache).allocLarge(0x1)\n", "out of memory"],
    ["goroutine 7 [sync.Mutex.Lock]:\n", "all goroutines are asleep - deadlock!"],
    ["goroutine 7 [running]:\n", "unknown"],
  ])("a fatal error in Go whose line is on stderr alone: %j", (start, cause) => {
    const found = fatalIn("go", `\n${start}${GO_FRAMES}`);
    expect(found?.type).toBe(`fatal error: ${cause}`);
    expect(found?.stacktrace.join()).toContain("main.work(...),\t/srv/game.go:9 +0x1d");
    expect(found?.stacks?.threads).toMatchObject([
      { name: "goroutine 7" },
      { name: "goroutine 1", state: "select (no cases)" },
    ]);
  });

  test("a panic of several lines in Go, and frames with registers", () => {
    const text =
      "panic: boom\n\tsecond\n\tpanic: third\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/srv/a.go:3 +0x165 fp=0x3b sp=0x3c pc=0x48\n";
    expect(fatalIn("go", text)).toMatchObject({
      message: "boom\nsecond\npanic: third",
      stacktrace: ["main.f(0x1)", "\t/srv/a.go:3 +0x165"],
    });
  });

  test("no text of Go is slow, and none without goroutines is an error", () => {
    for (const text of ["", "hello", "goroutine", "panic", "\n".repeat(200_000)])
      expect(fatalIn("go", text)).toBeUndefined();
    const long = "goroutine 1 [running]:\n" + "f(".repeat(100_000) + " fp=0x1".repeat(50_000);
    expect(fatalIn("go", long)?.stacktrace.join().length).toBeLessThan(1_000);
  });

  test("a report of Node that is cut, or has no stack of scripts", () => {
    const header = {
      event: "Allocation failed - JavaScript heap out of memory",
      commandLine: ['"resourceUsage":'],
    };
    const report = JSON.stringify({
      header,
      javascriptStack: { message: "No stack.", stack: ["Unavailable."] },
      nativeStack: [
        { pc: "0x1", symbol: "node::OOMErrorHandler(char const*) [/usr/bin/node]" },
        { symbol: " [node]" },
      ],
      resourceUsage: { rss: 1 },
      environmentVariables: { SECRET: "x" },
    });
    for (const text of [report, report.slice(0, -12)]) {
      const found = fatalIn("javascript", text);
      expect(found).toMatchObject({ type: "JavaScript heap out of memory", stacktrace: [] });
      expect(found?.stacks?.threads).toMatchObject([
        { name: "main", frames: [] },
        { name: "native code", frames: ["at node::OOMErrorHandler(char const*)"] },
      ]);
      expect(JSON.stringify(found)).not.toContain("SECRET");
    }
    expect(fatalIn("javascript", report.slice(0, 40))).toBeUndefined();
  });

  test("a report of Node about its heap", () => {
    const report = {
      header: { event: "Allocation failed - JavaScript heap out of memory", trigger: "OOMError" },
      javascriptStack: { stack: ["at fill (/srv/game.js:3:9)"] },
      environmentVariables: { SECRET: "x" },
    };
    const found = fatalIn("javascript", JSON.stringify(report));
    expect(found).toMatchObject({ type: "JavaScript heap out of memory", signal: "SIGABRT" });
    expect(JSON.stringify(found)).not.toContain("SECRET");
  });
});

test("a side file is read up to a bound, removed with its lane, and read only if it is a file", async () => {
  await using world = await World.make();
  const { home } = world;
  world.lane("session").append({ op: "start", at: 1 });
  const lanes = new Lanes(home, new Log(home.log), new Map());
  lanes.scan(0);
  const [lane] = lanes.all.values();
  if (!lane) throw new Error("no lane");
  const path = sideFilePath(lane, "stacks");
  expect(readSideFile(lane, "stacks")).toBeUndefined();
  writeFileSync(path, "x".repeat(SIDE_FILE_BYTES + 10));
  expect(readSideFile(lane, "stacks")).toMatchObject({ end: SIDE_FILE_BYTES, cut: true });
  expect(readSideFile(lane, "stacks", SIDE_FILE_BYTES)?.text).toBe("x".repeat(10));

  const secret = join(home.folder, "secret");
  writeFileSync(secret, "secret");
  const fatal = sideFilePath(lane, "fatal");
  symlinkSync(secret, fatal);
  expect(readSideFile(lane, "fatal")).toBeUndefined();
  expect(sideFileSize(lane, "fatal")).toBe(0);
  rmSync(fatal);
  execFileSync("mkfifo", [fatal]);
  expect(readSideFile(lane, "fatal")).toBeUndefined();

  lanes.delete(lane);
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  expect(statSync(fatal, { throwIfNoEntry: false })).toBeUndefined();
  mkdirSync(fatal);
  expect(readSideFile(lane, "fatal")).toBeUndefined();
});
