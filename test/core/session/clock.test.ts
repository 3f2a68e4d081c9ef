import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { correctTimes } from "../../../src/core/session/clock.ts";
import { CLOCK_DELAY_MS, CLOCK_TOLERANCE_MS, DAY_MS } from "../../../src/core/limits.ts";
import { Projection } from "../../../src/core/session/projection.ts";
import { summaryOf } from "../../../src/core/session/session-index.ts";
import type { Op, Points } from "../../../src/core/wire.ts";
import type { Writer } from "../../../src/core/batch.ts";

const NOW = Date.UTC(2026, 10, 28, 12);
const SECOND = 1_000;
const HOUR = 3_600_000;
/** Clocks that start in 1970, as those of machines without a battery. */
const EPOCH = -NOW;

const stored = { segments: 1, damaged_segments: 0, bytes: 0, rows_written: 0 };

/** What a simulated machine does: `at` is true time since the start, in seconds. A clock is set by `set`, in seconds. */
type Did = { at: number } & (
  | { op: Exclude<Op["op"], "points"> }
  | { set: number }
  | { send: true; lane?: string; delay?: number }
);

/** Runs a machine whose clock is `ahead` at first, in milliseconds, against a session. All times returned are since the true start. */
function run(ahead: number, ...did: Did[]) {
  let offset = ahead;
  let projection: Projection | undefined;
  const sequences = new Map<string, number>();
  const waiting = new Map<string, Op[]>();
  const writer: Writer = { machine_id: "m" };
  const applied: number[] = [];
  let now = NOW;
  for (const each of did) {
    now = NOW + each.at * SECOND;
    if ("set" in each) offset += each.set * SECOND;
    else if ("op" in each) {
      const lane = each.op === "crash" || each.op === "hang" ? "observations" : "program";
      const at = now + offset;
      const op = (
        each.op === "heartbeat"
          ? { op: each.op, at, timeout_ms: 10_000 }
          : each.op === "event"
            ? { op: each.op, at, name: "x" }
            : each.op === "state"
              ? { op: each.op, at, patch: { n: at } }
              : each.op === "metric"
                ? { op: "points", at, type: "gauge", name: "g", dt: [0, 100], values: [1, 2] }
                : { op: each.op, at }
      ) as Op;
      waiting.set(lane, [...(waiting.get(lane) ?? []), op]);
    } else {
      const arrival = { now: now + (each.delay ?? 0), sentAt: now + offset };
      // The program's lane goes first, as the daemon sends them.
      for (const [lane, ops] of [...waiting].toSorted(([a], [b]) => b.localeCompare(a))) {
        if (ops.length === 0) continue;
        projection ??= Projection.open("s", ops[0]?.at ?? 0, arrival);
        const first = (sequences.get(lane) ?? 0) + 1;
        const last = first + ops.length - 1;
        const { contents } = projection.apply(
          { session: "s", lane, first, last, ops, writer },
          arrival,
        );
        for (const { at } of contents.states) applied.push(at - NOW);
        sequences.set(lane, last);
        waiting.set(lane, []);
      }
      now = arrival.now;
    }
  }
  if (!projection) throw new Error("nothing was sent");
  const summary = summaryOf(projection.index, now, stored);
  return { summary, applied, index: projection.index };
}

const send = (at: number, delay?: number): Did => ({ at, send: true, ...(delay && { delay }) });
const op = (at: number, kind: Exclude<Op["op"], "points">): Did => ({ at, op: kind });
const set = (at: number, by: number): Did => ({ at, set: by });
const begin = [op(0, "start"), send(0.1)];
/** A state op each second, sent every five. */
const works = (from: number, to: number): Did[] =>
  Array.from({ length: to - from }, (_, i): Did[] => [
    op(from + i, "state"),
    ...((from + i) % 5 === 4 ? [send(from + i + 0.5)] : []),
  ]).flat();
const end = (at: number): Did[] => [op(at, "end"), send(at + 0.1)];
const crash = (at: number): Did[] => [op(at, "crash"), send(at + 0.1)];

describe("a session's times and durations are true", () => {
  test.each<
    [string, number, Did[], { status: string; ran: number; steps: number[]; error?: number }]
  >([
    [
      "without a step",
      0,
      [...begin, ...works(1, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [] },
    ],
    [
      "with a clock that is a day ahead",
      DAY_MS,
      [...begin, ...works(1, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [] },
    ],
    [
      "with a clock that is a day behind",
      -DAY_MS,
      [...begin, ...works(1, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [] },
    ],
    [
      "with a clock in 1970",
      EPOCH,
      [...begin, ...works(1, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [] },
    ],
    [
      "when the clock is set from 1970 to today",
      EPOCH,
      [...begin, ...works(1, 10), set(10, NOW / SECOND), ...works(11, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [NOW] },
    ],
    [
      "when it is set before the first batch",
      EPOCH,
      [op(0, "start"), set(0.5, NOW / SECOND), send(1), ...works(2, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [NOW], error: 1 },
    ],
    [
      "when it is set within the first batch, which was sent late",
      EPOCH,
      [
        op(0, "start"),
        op(1, "state"),
        set(1.5, NOW / SECOND),
        op(2, "state"),
        op(3, "state"),
        send(4),
        ...end(20),
      ],
      { status: "ended", ran: 20, steps: [NOW], error: 1 },
    ],
    [
      "when it is set back by an hour within a batch",
      0,
      [...begin, ...works(1, 12), set(12, -3_600), ...works(12, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [-HOUR] },
    ],
    [
      "when it is set forward by a minute within a batch",
      0,
      [...begin, ...works(1, 12), set(12, 60), ...works(12, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [60_000] },
    ],
    [
      "when it is set back by five seconds",
      0,
      [...begin, ...works(1, 12), set(12, -5), ...works(12, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [-5_000] },
    ],
    [
      "when it is set again and again",
      0,
      [
        ...begin,
        ...works(1, 10),
        set(10, 7_200),
        ...works(10, 20),
        set(20, -86_400),
        ...works(20, 30),
        set(30, 600),
        ...works(30, 40),
        ...end(40),
      ],
      { status: "ended", ran: 40, steps: [2 * HOUR, -DAY_MS, 600_000] },
    ],
    [
      "when it is set while the machine is asleep",
      0,
      [...begin, ...works(1, 10), set(1_000, 3_600), ...works(4_000, 4_010), ...end(4_010)],
      { status: "ended", ran: 4_010, steps: [HOUR] },
    ],
    [
      "when it is set just before the end",
      0,
      [...begin, ...works(1, 10), set(10.2, -86_400), ...end(10.3)],
      { status: "ended", ran: 10.3, steps: [-DAY_MS] },
    ],
    [
      "when it is set back just before a crash",
      0,
      [...begin, ...works(1, 10), set(10.2, -20), ...crash(10.5)],
      { status: "crashed", ran: 10.5, steps: [-20_000] },
    ],
    [
      "when it is set back by a day just before a crash",
      0,
      [...begin, ...works(1, 10), set(10.2, -86_400), ...crash(10.5)],
      { status: "crashed", ran: 10.5, steps: [-DAY_MS] },
    ],
    [
      "when it is set forward just before a crash",
      0,
      [...begin, ...works(1, 10), set(10.2, 86_400), ...crash(10.5)],
      { status: "crashed", ran: 10.5, steps: [DAY_MS] },
    ],
    [
      "when requests are slow",
      HOUR,
      [op(0, "start"), send(0.1, 20_000), ...works(1, 20), ...crash(60)],
      { status: "crashed", ran: 60, steps: [], error: 20 },
    ],
    [
      "when the first request is slow, and a pause follows",
      HOUR,
      [op(0, "start"), send(0.1, 1_500), ...works(4, 20), ...end(20)],
      { status: "ended", ran: 20, steps: [], error: 1.6 },
    ],
    [
      "when the first request is slow, and another lane of the machine follows",
      -180_000,
      [op(0, "start"), send(0.1, 3_000), ...crash(20)],
      { status: "crashed", ran: 20, steps: [], error: 3.1 },
    ],
    [
      "when a clock that is ahead is set forward by five seconds",
      HOUR,
      [...begin, ...works(1, 12), set(12, 5), ...works(18, 30), ...end(30)],
      { status: "ended", ran: 30, steps: [5_000] },
    ],
  ])("%s", (_, ahead, did, { status, ran, steps, error = 0.2 }) => {
    const { summary, applied } = run(ahead, ...did);
    expect(summary.verdict.status).toBe(status);
    expect(Math.abs(summary.ran_ms - ran * SECOND)).toBeLessThanOrEqual(error * SECOND + 1);
    expect(Math.abs(summary.created_at - NOW)).toBeLessThanOrEqual(error * SECOND + 1);
    expect(applied).toEqual(applied.toSorted((a, b) => a - b));
    expect(summary.clock_steps).toHaveLength(steps.length);
    // A step is known as exactly as the pause between two ops is.
    for (const [i, { by_ms }] of summary.clock_steps.entries())
      expect(Math.abs(by_ms - (steps[i] ?? 0))).toBeLessThanOrEqual(2_000);
    const evidence = summary.verdict.evidence.filter(({ kind }) => kind === "clock");
    expect(evidence).toHaveLength(steps.length > 0 ? 1 : 0);
  });

  test("a step is no hang, and heartbeats that come in time end none", () => {
    const heartbeats = (from: number, to: number): Did[] =>
      Array.from({ length: (to - from) / 5 }, (_, i): Did[] => [
        op(from + i * 5, "heartbeat"),
        send(from + i * 5 + 0.1),
      ]).flat();
    for (const by of [86_400, -86_400, 120, -120]) {
      const { summary } = run(
        0,
        ...begin,
        ...heartbeats(5, 30),
        set(31, by),
        ...heartbeats(35, 60),
      );
      expect(summary.ever_hung).toBe(false);
      expect(summary.verdict.status).toBe("active");
    }
  });
});

test("an event whose time the program chose is no step", () => {
  const ops: Op[] = [
    { op: "start", at: NOW },
    { op: "event", at: NOW - DAY_MS, name: "imported" },
    { op: "state", at: NOW + 1_000, patch: {} },
  ];
  const { ops: corrected, steps } = correctTimes(
    ops,
    {},
    { now: NOW + 2_000, sentAt: NOW + 2_000 },
  );
  expect(corrected).toEqual(ops);
  expect(steps).toEqual([]);
});

test("points that were measured before and after a step become two ops", () => {
  const points: Points = {
    op: "points",
    at: NOW + 1_000,
    type: "timer",
    name: "t",
    dt: [0, 1_000, HOUR + 1_000, 1_000],
    values: [1, 2, 3, 4],
    counts: [5, 6, 7, 8],
  };
  const lane = { offsetMs: 0, lastAt: NOW };
  const { ops, offsets, steps } = correctTimes(
    [points],
    { lane, machine: lane },
    { now: NOW + 5_000, sentAt: NOW + HOUR + 5_000 },
  );
  expect(ops).toEqual([
    { ...points, dt: [0, 1_000], values: [1, 2], counts: [5, 6] },
    { ...points, at: NOW + 3_000, dt: [0, 1_000], values: [3, 4], counts: [7, 8] },
  ]);
  expect(offsets).toEqual([0, HOUR]);
  expect(steps).toHaveLength(1);
});

test("a program whose clock alone is ahead is corrected, too", () => {
  const at = NOW + DAY_MS;
  const ops: Op[] = [
    { op: "start", at },
    { op: "heartbeat", at: at + 1_000 },
  ];
  const { ops: corrected, skewMs } = correctTimes(
    ops,
    {},
    { now: NOW + 1_200, sentAt: NOW + 1_200 },
  );
  expect(corrected.map((each) => each.at)).toEqual([NOW + 200, NOW + 1_200]);
  expect(skewMs).toBe(DAY_MS - 200);
});

test("whatever a clock does, times are in order, durations are bounded, and the verdict is that of the last op", () => {
  const ahead = fc.constantFrom(
    0,
    500,
    -500,
    HOUR,
    -HOUR,
    DAY_MS,
    -DAY_MS,
    EPOCH,
    20 * 365 * DAY_MS,
  );
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("state", "heartbeat", "event", "metric") },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        1.5,
        5,
        30,
        90,
        3_600,
        86_400,
        1e8,
        -1.5,
        -5,
        -30,
        -90,
        -3_600,
        -86_400,
        -1e8,
      ),
    },
    { weight: 3, arbitrary: fc.constant("send") },
  );
  const wait = fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 60_000 }));
  fc.assert(
    fc.property(
      ahead,
      fc.array(fc.tuple(action, wait, fc.integer({ min: 0, max: 2_000 })), { maxLength: 60 }),
      fc.constantFrom("end", "crash"),
      (clock, actions, ending) => {
        let at = 0.1;
        let sentAt = 0;
        let window = 0;
        const did: Did[] = [...begin];
        for (const [what, ms, delay] of actions) {
          at += ms / SECOND;
          if (what === "send") {
            window = Math.max(window, at - sentAt);
            sentAt = at;
            did.push(send(at, delay));
            at += delay / SECOND;
          } else if (typeof what === "number") did.push(set(at, what));
          else did.push(op(at, what as "state"));
        }
        const over = at + 0.1;
        did.push(...(ending === "end" ? end(over) : crash(over)));
        window = Math.max(window, over - sentAt);

        const { summary, applied, index } = run(clock, ...did);
        const slack = window * SECOND + CLOCK_DELAY_MS + CLOCK_TOLERANCE_MS;
        expect(summary.verdict.status).toBe(ending === "end" ? "ended" : "crashed");
        expect(Math.abs(summary.ran_ms - over * SECOND)).toBeLessThanOrEqual(slack);
        for (const [i, time] of applied.entries()) {
          expect(time).toBeGreaterThanOrEqual(-slack);
          expect(time).toBeGreaterThanOrEqual((applied[i - 1] ?? time) - slack);
        }
        expect(index.updatedAt).toBeLessThanOrEqual(NOW + over * SECOND + slack);
        expect(summary.status_ms).toBeGreaterThanOrEqual(0);
        for (const { at: since } of summary.transitions)
          expect(Math.abs(since - NOW)).toBeLessThanOrEqual(over * SECOND + slack);
      },
    ),
    { numRuns: 1_000 },
  );
});
