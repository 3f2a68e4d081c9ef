import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commonPlace, sampleOf, samplesEvidence } from "../../../src/core/status/stacks.ts";
import { newObservations, observe } from "../../../src/core/status/observations.ts";
import { noteTransition, verdict } from "../../../src/core/status/status.ts";
import type { Op, Stacks } from "../../../src/core/wire.ts";

const own = (line: number, name = "load_level") => `File "/srv/game.py", line ${line}, in ${name}`;
const LIBRARY = 'File "/usr/lib/python3.12/queue.py", line 171, in get';

function stacks(at: number, frames: string[], when: Stacks["when"] = "hung"): Stacks {
  return { op: "stacks", at, when, threads: [{ name: "MainThread", frames }] };
}
const samples = (...all: string[][]) =>
  all.map((frames, index) => sampleOf(stacks(index * 5_000, frames), index));
const textOf = (...all: string[][]) => samplesEvidence(samples(...all))[0]?.text;

test("the place is the innermost one of the program's own code; without any, the innermost", () => {
  const place = (...frames: string[]) => sampleOf(stacks(0, frames), 1).own;
  expect(place(LIBRARY, own(3), own(9, "main"))?.line).toBe(3);
  expect(place(LIBRARY)?.name).toBe("get");
  expect(place("no frame")).toBeUndefined();
  const go = [
    "sync.(*Mutex).Lock(0x5)\n\t/usr/local/go/src/sync/mutex.go:46",
    "main.load(0x1)\n\t/srv/game.go:8 +0x1d",
  ];
  expect(place(...go)).toMatchObject({ file: "/srv/game.go", line: 8 });
  expect(place("at wait (node:internal/timers:1:2)", "at load (/srv/game.js:8:2)")?.line).toBe(8);
});

describe("what samples of a hang show", () => {
  test("all in the same place", () =>
    expect(textOf([LIBRARY, own(3)], [LIBRARY, own(3)], [LIBRARY, own(3)])).toBe(
      "In 3 samples over 10 s the main thread was in the same place: load_level (game.py:3), inside get (queue.py:171)",
    ));
  test("in one function, in different lines", () => {
    expect(textOf([own(3)], [own(4)])).toBe(
      "In 2 samples over 5 s the main thread was in load_level (game.py), in different lines or calls",
    );
    expect(commonPlace(samples([own(3)], [own(4)]))?.line).toBeUndefined();
  });
  test("in different functions", () => {
    expect(textOf([own(3)], [own(9, "draw")])).toBe(
      "In 2 samples over 5 s the main thread was in different functions: load_level (game.py:3), draw (game.py:9)",
    );
    expect(commonPlace(samples([own(3)], [own(9, "draw")]))).toBeUndefined();
  });
  test("one sample, with its source line", () =>
    expect(textOf([`${own(3)}\n    lock.acquire()`])).toBe(
      "In one sample the main thread was in load_level (game.py:3), at lock.acquire()",
    ));
  test("nothing, without a frame that names a file", () => {
    expect(textOf([], [])).toBeUndefined();
    expect(textOf(["??"])).toBeUndefined();
  });
  test("any frames give one sentence at most, of bounded length", () =>
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ maxLength: 300 })), { maxLength: 4 }), (all) => {
        const found = samplesEvidence(samples(...all));
        expect(found.length).toBeLessThanOrEqual(1);
        expect(JSON.stringify(found).length).toBeLessThan(10_000);
      }),
    ));
});

describe("the verdict", () => {
  const judge = (...ops: Op[]) => {
    const known = newObservations(0, 100_000);
    for (const [index, op] of ops.entries()) {
      observe(known, op, index + 1);
      noteTransition(known, 100_000);
    }
    return { ...verdict(known, 100_000), transitions: known.transitions };
  };
  const heartbeat = (at: number): Op => ({ op: "heartbeat", at, timeout_ms: 1_000 });
  const hang: Op = { op: "hang", at: 4_000, process_state: "blocked", cpu_percent: 0 };
  const texts = (...ops: Op[]) => judge(...ops).evidence.map(({ text }) => text);

  test("of a hang names the place, also in the list of changes", () => {
    const { headline, transitions } = judge(heartbeat(0), hang, stacks(4_000, [own(88)]));
    expect(headline).toBe("Hung in load_level (game.py:88)");
    expect(transitions.at(-1)).toMatchObject({ status: "hung", headline });
    expect(transitions).toHaveLength(2);
  });
  test("of a later hang has no place of the one before", () => {
    const before = [hang, stacks(4_000, [own(88)]), heartbeat(9_000)];
    const again: Op = { op: "hang", at: 13_000 };
    expect(judge(heartbeat(0), ...before, again).headline).toBe("Hung: no heartbeat");
  });
  test("after a hang has how long and where", () => {
    const recovered: Op = { op: "recovered", at: 9_000, duration_ms: 9_000 };
    const ops = [heartbeat(0), hang, stacks(4_000, [own(88)]), recovered, heartbeat(9_000)];
    expect(texts(...ops)).toEqual(
      expect.arrayContaining([
        "Recovered from a hang: no heartbeat for 9 s",
        "In one sample the main thread was in load_level (game.py:88)",
      ]),
    );
  });
  test("of an end by a signal during a hang has both", () => {
    const end: Op = { op: "end", at: 9_000, signal: "SIGTERM" };
    const died = stacks(9_000, [own(90)], "died");
    const found = texts(heartbeat(0), hang, stacks(4_000, [own(88)]), died, end);
    expect(found).toContain("It was in load_level (game.py:90)");
    expect(found).toContain("Hung for 5 s before the end");
  });
  test("of a fatal error names it and its place, not as uncaught", () => {
    const event: Op = {
      op: "event",
      at: 5,
      name: "fatal_error",
      exception_type: "Segmentation fault",
      handled: false,
    };
    const crash: Op = { op: "crash", at: 5, signal: "SIGSEGV", reason: "fatal_error" };
    const ops = [event, stacks(5, [LIBRARY, own(3)], "died"), crash];
    expect(judge(...ops).headline).toBe("Crashed: Segmentation fault in load_level (game.py:3)");
    expect(texts(...ops)).toContain("Segmentation fault");
  });
  test("of a crash has no place of a process that ended long before", () => {
    const crash: Op = { op: "crash", at: 90_000, reason: "process_died" };
    expect(texts(stacks(5, [own(3)], "died"), crash).join()).not.toContain("load_level");
  });
  test("of a process that is gone has what was observed before", () => {
    const last = {
      memory_from: 17 * 2 ** 20,
      memory_to: 377 * 2 ** 20,
      memory_ms: 4_000,
      process_state: "spinning" as const,
      cpu_percent: 97.6,
      available_bytes: 2 ** 20,
      total_bytes: 2 ** 30,
    };
    const crash: Op = { op: "crash", at: 5, reason: "process_died", last, also_ended: 2 };
    expect(texts(crash)).toEqual([
      "Its process is gone and did not end the session",
      "Its memory grew from 17 MiB to 377 MiB in its last 4 s",
      "Before its end it kept a CPU core busy (98 % CPU)",
      "The machine was low on memory: it had 1 MiB of 1 GiB available",
      "2 other recorded programs of this machine ended in the same second",
    ]);
  });
});
