import { describe, expect, test } from "vitest";
import { advanceLane, expectGaps, laneOf, noteWriter } from "../../../src/core/session/lanes.ts";
import {
  MAX_ARGUMENTS_LENGTH,
  MAX_LANES,
  MAX_NAME_LENGTH,
  MAX_SEQUENCE,
  MAX_WHOLE_WRITERS,
} from "../../../src/core/limits.ts";
import { newIndex } from "../../../src/core/session/session-index.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { Op } from "../../../src/core/wire.ts";

/** Mulberry32: the same numbers in every run. */
function randomOf(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const index = () => newIndex("s-1", 0, 0);
const ops = (count: number): Op[] => Array.from({ length: count }, () => ({ op: "pause", at: 1 }));

function batch(first: number, last: number, more: Partial<Batch> = {}): Batch {
  const aggregated = Math.max(0, last - first + 1 - (more.ops?.length ?? 0));
  return { session: "s-1", lane: "a", first, last, ops: [], aggregated, ...more };
}

describe("the range of a batch", () => {
  test("continues where its lane is", () => {
    const session = index();
    expect(advanceLane(session, batch(1, 3, { ops: ops(3) }))).toBe(0);
    expect(advanceLane(session, batch(4, 4))).toBe(0);
    expect(advanceLane(session, batch(5, 4))).toBe(0);
    expect(session.lanes).toEqual([{ lane: "a", applied: 4, writer: {} }]);
  });

  test.each([
    ["lane_gap", batch(5, 6), "starts at 5; send the records between", { applied: 3 }],
    ["lane_gap", batch(2, 2, { lane: "b" }), "has 0 records here", { applied: 0 }],
    ["lane_overlap", batch(3, 9), "starts at 3; send the records after those", { applied: 3 }],
    ["invalid_body", batch(4, 2), "the records 4 to 2 cannot carry 0 ops", {}],
    ["invalid_body", batch(4, 5, { ops: ops(3) }), "cannot carry 3 ops", {}],
    ["invalid_body", batch(4, 3, { ops: ops(1) }), "cannot carry 1 ops", {}],
  ])("is refused with %s: %j", (code, next, message, details) => {
    const session = index();
    advanceLane(session, batch(1, 3));
    expect(() => advanceLane(session, next)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message), details }),
    );
    expect(session.lanes[0]?.applied).toBe(3);
  });

  test("may start after a gap once, after a segment was damaged; the gap counts as damaged", () => {
    const session = index();
    advanceLane(session, batch(1, 3));
    advanceLane(session, batch(1, 1, { lane: "b" }));
    expectGaps(session);
    expect(advanceLane(session, batch(6, 7))).toBe(2);
    expect(session.dropped).toEqual({ damaged: 2 });
    expect(() => advanceLane(session, batch(9, 9))).toThrow("send the records between");
    expect(advanceLane(session, batch(5, 5, { lane: "b" }))).toBe(3);
    // A lane that only the damaged segment named.
    expect(advanceLane(session, batch(9, 9, { lane: "c" }))).toBe(8);
    expect(session.dropped).toEqual({ damaged: 13 });
    expect(() => advanceLane(session, batch(11, 11, { lane: "c" }))).toThrow();
  });

  const dropped = (count: number, more = {}): Op => ({
    op: "dropped",
    at: 1,
    cause: "disk_full",
    count,
    ...more,
  });
  const gauge = (length: number): Op => ({
    op: "points",
    at: 1,
    type: "gauge",
    name: "fps",
    dt: Array(length).fill(1),
    values: Array(length).fill(60),
  });

  test.each<[claim: string, records: number, claimed: Partial<Batch>]>([
    ["no account at all", 0, { ops: [] }],
    ["ops", 3, { ops: ops(3) }],
    ["points", 6, { ops: [gauge(5), ...ops(1)] }],
    ["a column without points", 1, { ops: [gauge(0)] }],
    ["losses", 7, { ops: ops(2), dropped: { queue_full: 4, refused: 1 } }],
    ["aggregated records", 102, { ops: ops(2), aggregated: 100 }],
    ["reported losses with sequences", 10, { ops: [dropped(9, { sequences: 9 })] }],
    ["reported losses without", 1, { ops: [dropped(9)] }],
    ["more sequences than losses", 3, { ops: [dropped(2, { sequences: 1e9 })] }],
    ["no losses", 1, { ops: [dropped(0, { sequences: 1e9 })] }],
    ["altered values", 1, { ops: [dropped(9, { cause: "unserialisable", sequences: 9 })] }],
  ])("is at most as long as what it accounts for: %s", (_claim, records, claimed) => {
    const apply = (last: number) => {
      const session = index();
      advanceLane(session, { session: "s-1", lane: "a", first: 1, last, ops: [], ...claimed });
      return session.lanes[0]?.applied;
    };
    expect(apply(records)).toBe(records);
    for (const last of [records + 1, records + 1_000, MAX_SEQUENCE]) {
      expect(() => apply(last)).toThrow(
        expect.objectContaining({ code: "invalid_body", status: 400 }),
      );
    }
  });

  test("of random claims never acknowledges a record that was not stored, lost or aggregated", () => {
    const random = randomOf(12);
    const upTo = (most: number) => Math.floor(random() * (most + 1));
    const session = index();
    let [accounted, refused] = [0, 0];
    for (let i = 0; i < 3_000; i++) {
      const applied = session.lanes[0]?.applied ?? 0;
      const lost = upTo(4);
      const reported = upTo(3);
      const aggregated = upTo(5);
      const length = upTo(4);
      const last = applied + upTo(20);
      const claimed = {
        ops: [...ops(upTo(3)), dropped(reported, { sequences: upTo(3) }), gauge(length)],
        dropped: { damaged: lost },
        aggregated,
      };
      const most = claimed.ops.length + reported + lost + aggregated + Math.max(0, length - 1);
      try {
        advanceLane(session, batch(applied + 1, last, claimed));
        accounted += most;
        expect(last - applied).toBeLessThanOrEqual(most);
        expect(session.lanes[0]?.applied).toBe(last);
      } catch (error) {
        expect(error).toMatchObject({ code: "invalid_body" });
        refused++;
        expect(session.lanes[0]?.applied ?? 0).toBe(applied);
      }
      expect(session.lanes[0]?.applied ?? 0).toBeLessThanOrEqual(accounted);
    }
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(2_900);
  });

  test("without a gap leaves nothing to expect for its lane", () => {
    const session = index();
    advanceLane(session, batch(1, 3));
    expectGaps(session);
    expect(advanceLane(session, batch(4, 4))).toBe(0);
    expect(session.dropped).toEqual({});
    expect(() => advanceLane(session, batch(6, 6))).toThrow("send the records between");
  });
});

test("a session has a bounded number of lanes", () => {
  const session = index();
  for (let i = 0; i < MAX_LANES; i++) laneOf(session, `lane-${i}`);
  expect(() => laneOf(session, "one-more")).toThrow(
    expect.objectContaining({
      code: "too_large",
      message: expect.stringContaining(`at most ${MAX_LANES} lanes`),
    }),
  );
  expect(laneOf(session, "lane-0")).toBe(session.lanes[0]);
});

describe("a writer", () => {
  test("is stored with its lane; the session has the first machine and the newest boot", () => {
    const session = index();
    const first = { program: "game.py", machine_id: "m-1", hostname: "h-1", boot_id: "b-1" };
    advanceLane(session, batch(1, 1, { writer: first }));
    advanceLane(session, batch(1, 1, { lane: "b", writer: { machine_id: "m-2", boot_id: "b-2" } }));
    advanceLane(session, batch(1, 1, { lane: "c", writer: { hostname: "h-3" } }));
    expect(session).toMatchObject({ machineId: "m-1", hostname: "h-1", bootId: "b-2" });
    expect(session.lanes[0]?.writer).toEqual(first);
  });

  test("has its texts and arguments cut, and the cut is visible", () => {
    const session = index();
    const whole = { program: "p".repeat(MAX_NAME_LENGTH + 1), pid: 7, arguments: ["a", "b"] };
    noteWriter(session, laneOf(session, "a"), whole);
    expect(session.lanes[0]?.writer).toEqual({
      program: "p".repeat(MAX_NAME_LENGTH),
      pid: 7,
      arguments: ["a", "b"],
    });

    const fits = "x".repeat(MAX_ARGUMENTS_LENGTH - 3);
    noteWriter(session, laneOf(session, "b"), { arguments: [fits] });
    noteWriter(session, laneOf(session, "c"), { arguments: [`${fits}x`, "y"] });
    expect(session.lanes[1]?.writer.arguments).toEqual([fits]);
    expect(session.lanes[2]?.writer.arguments).toEqual(["…"]);
  });

  test("of a late lane is its process alone", () => {
    const session = index();
    for (let i = 0; i < MAX_WHOLE_WRITERS; i++) laneOf(session, `lane-${i}`);
    const writer = {
      program: "p",
      pid: 7,
      pid_started: "s".repeat(MAX_NAME_LENGTH + 1),
      boot_id: "b",
    };
    noteWriter(session, laneOf(session, "late"), writer);
    expect(session.lanes.at(-1)?.writer).toEqual({
      pid: 7,
      pid_started: "s".repeat(MAX_NAME_LENGTH),
      boot_id: "b",
    });
    noteWriter(session, laneOf(session, `lane-${MAX_WHOLE_WRITERS - 1}`), writer);
    expect(session.lanes.at(-2)?.writer.program).toBe("p");
  });
});
