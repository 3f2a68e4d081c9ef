import { describe, expect, test } from "vitest";
import {
  DAEMON_LEASE_MS,
  MAX_LABELS,
  MAX_LEASE_MS,
  MAX_SERIES,
  MAX_STATE_PATHS,
  MAX_STATE_BYTES,
  MAX_STATE_KEYS,
} from "../../../src/core/limits.ts";
import { API_LANE } from "../../../src/core/session/lanes.ts";
import { Projection } from "../../../src/core/session/projection.ts";
import { isCompleteRecord, lossesOf, recordedOf } from "../../../src/core/session/completeness.ts";
import { completenessOf, summaryOf } from "../../../src/core/session/session-index.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { Op } from "../../../src/core/wire.ts";

const NOW = 1_790_000_000_000;
const arrival = { now: NOW, sentAt: null };
const start: Op = { op: "start", at: NOW - 60_000, product: "game", version: "1.4.2" };

function opened(...ops: Op[]): Projection {
  const projection = Projection.open("s-1", start.at, arrival);
  send(projection, start, ...ops);
  return projection;
}

/** Applies the next batch of lane "a". */
function send(projection: Projection, ...ops: Op[]) {
  return projection.apply(nextBatch(projection, ops), arrival);
}

function nextBatch(projection: Projection, ops: Op[], more: Partial<Batch> = {}): Batch {
  const first = projection.applied(more.lane ?? "a") + 1;
  return { session: "s-1", lane: "a", first, last: first + ops.length - 1, ops, ...more };
}

const state = (patch: Record<string, never> | object, at = NOW - 50_000): Op => ({
  op: "state",
  at,
  patch: { ...patch },
});

describe("a start", () => {
  test("sets product, version and tags; a second one adds what the first left out", () => {
    const projection = Projection.open("s-1", NOW - 10, arrival);
    send(projection, { op: "start", at: NOW - 10, product: "game", tags: ["a"] });
    send(projection, {
      op: "start",
      at: NOW - 99,
      product: "other",
      version: "2",
      tags: ["b", "a"],
    });
    expect(projection.index).toMatchObject({
      product: "game",
      version: "2",
      tags: ["a", "b"],
      createdAt: NOW - 99,
      updatedAt: NOW - 10,
      seq: 2,
    });
  });

  test("tags are added later, also by a process that joined, and do not continue a session that has ended", () => {
    const projection = opened({ op: "start", at: NOW, tags: ["a"] });
    send(projection, { op: "tags", at: NOW - 9, tags: ["result:won", "a"] });
    send(projection, { op: "end", at: NOW - 8, exit_code: 0 });
    projection.apply(
      nextBatch(projection, [{ op: "tags", at: NOW - 1, tags: ["late"] }], { lane: "b" }),
      arrival,
    );
    expect(projection.index.tags).toEqual(["a", "result:won", "late"]);
    expect(projection.index.observations.end).toMatchObject({ exit_code: 0 });
    expect(projection.index.createdAt).toBe(start.at);
  });

  test("keeps a bounded number of tags", () => {
    const tags = Array.from({ length: MAX_LABELS }, (_, i) => `first ${i}`);
    const projection = opened({ op: "start", at: NOW, tags });
    send(projection, { op: "start", at: NOW, tags: ["one more"] });
    expect(projection.index.tags).toEqual(tags);
  });

  test("with a state sets the initial state, which is no change", () => {
    const projection = Projection.open("s-1", NOW, arrival);
    const { contents, kinds, urgent } = send(projection, { ...start, state: { level: 1 } } as Op);
    expect(projection.state).toEqual({ level: 1 });
    expect(projection.index.counts.states).toBe(0);
    expect(contents.states).toEqual([
      { seq: 1, at: start.at, patch: { level: 1 }, effectiveAt: start.at, initial: true },
    ]);
    expect(contents.others).toEqual([{ seq: 1, ...start }]);
    expect([...kinds]).toEqual(["status"]);
    expect(urgent).toBe(true);
  });
});

describe("a patch", () => {
  test("is merged, counted, stored with its sequence, and its secrets are redacted", () => {
    const projection = opened(state({ player: { hp: 5 } }));
    const { contents, kinds, urgent } = send(
      projection,
      state({ player: { token: "x" } }, NOW - 40_000),
    );
    expect(projection.state).toEqual({ player: { hp: 5, token: "[redacted]" } });
    expect(projection.index.counts.states).toBe(2);
    expect(contents.states).toEqual([
      {
        seq: 3,
        at: NOW - 40_000,
        patch: { player: { token: "[redacted]" } },
        effectiveAt: NOW - 40_000,
        initial: false,
      },
    ]);
    expect([[...kinds], urgent]).toEqual([["state"], false]);
    expect(projection.index.values.map(({ path }) => path)).toEqual(["player.hp", "player.token"]);
  });

  test("of an earlier time takes effect with the latest time so far", () => {
    const projection = opened(state({ a: 1 }, NOW - 1_000));
    // By 1.x's route: of ops in a lane, it shows that the clock was set.
    const { contents } = projection.record([state({ a: 2 }, NOW - 9_000)], arrival);
    expect(contents.states).toMatchObject([{ at: NOW - 9_000, effectiveAt: NOW - 1_000 }]);
    expect(projection.index.clockAt).toBe(NOW - 1_000);
    expect(projection.index.updatedAt).toBe(NOW - 1_000);
  });

  test.each([
    ["too_large", { text: "x".repeat(MAX_STATE_BYTES) }, "The state would have"],
    [
      "too_many_keys",
      Object.fromEntries(Array.from({ length: MAX_STATE_KEYS + 1 }, (_, i) => [`k${i}`, 1])),
      `The state would have ${MAX_STATE_KEYS + 1} keys; the limit is ${MAX_STATE_KEYS}`,
    ],
  ])("is refused when the state becomes %s", (code, patch, message) => {
    expect(() => opened(state(patch))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test("is accepted up to the limits, again after keys were deleted", () => {
    const half = "x".repeat(MAX_STATE_BYTES / 2 - 20);
    const projection = opened(state({ a: half }), state({ b: half }));
    send(projection, state({ a: null }), state({ c: half }));
    expect(Object.keys(projection.state)).toEqual(["b", "c"]);
    expect(() => send(projection, state({ d: half }))).toThrow(/delete keys/i);
  });

  test("deeper than the limit is refused, named by whether it was the initial state", () => {
    let deep: object = {};
    for (let i = 0; i < 70; i++) deep = { deep };
    expect(() => opened(state(deep))).toThrow("The state is nested deeper");
    const open = { ...start, state: deep } as Op;
    expect(() => send(opened(), open)).toThrow("The initial state is nested deeper");
  });

  test("with paths that are not indexed counts them", () => {
    expect(opened(state({ a: 1 })).index.leftOut).toEqual({});
    const many = Object.fromEntries(
      Array.from({ length: MAX_STATE_PATHS + 1 }, (_, i) => [`k${i}`, i]),
    );
    expect(opened(state(many)).index.leftOut).toEqual({ state_paths: 1 });
  });
});

describe("an event", () => {
  test("is counted and stored, an exception also by its fingerprint, urgently the first time", () => {
    const projection = opened();
    const plain = send(projection, {
      op: "event",
      at: NOW,
      name: "door",
      data: { door: 7, secret: "s" },
    });
    expect(plain.contents.events).toEqual([
      {
        seq: 2,
        at: NOW,
        name: "door",
        category: "info",
        data: { door: 7, secret: "[redacted]" },
      },
    ]);
    expect([[...plain.kinds], plain.urgent]).toEqual([["event"], false]);

    const failed: Op = { op: "event", at: NOW, name: "e", exception_type: "KeyError" };
    const first = send(projection, failed);
    expect([[...first.kinds], first.urgent]).toEqual([["event", "exception"], true]);
    expect(send(projection, failed).urgent).toBe(false);
    expect(projection.index.counts).toMatchObject({ events: 3, exceptions: 2 });
    expect(projection.index.exceptions).toMatchObject([
      { type: "KeyError", count: 2, firstSeq: 3 },
    ]);
    expect(projection.index.names.map(({ name, count }) => [name, count])).toEqual([
      ["door", 1],
      ["e", 2],
    ]);
  });

  test("with data that is too deep is refused by name", () => {
    let deep: object = {};
    for (let i = 0; i < 70; i++) deep = { deep };
    expect(() => send(opened(), { op: "event", at: NOW, name: "x", data: { deep } } as Op)).toThrow(
      'The data of event "x"',
    );
  });
});

describe("a metric", () => {
  const gauge = (name: string, value = 1, more: object = {}): Op =>
    ({ op: "metric", at: NOW, type: "gauge", name, value, ...more }) as Op;

  test("adds points to its series, new or known", () => {
    const projection = opened(gauge("fps", 60), gauge("fps", 30), gauge("fps", 5, { tags: ["a"] }));
    expect(projection.index.series.map(({ id, points, last }) => [id, points, last])).toEqual([
      [0, 2, 30],
      [1, 1, 5],
    ]);
    expect(projection.index.counts.points).toBe(3);
    const { contents, kinds } = send(projection, {
      op: "points",
      at: NOW - 1,
      type: "gauge",
      name: "fps",
      dt: [0, 1],
      values: [7, 8],
    });
    expect(contents.series.get(0)).toEqual({ at: [NOW - 1, NOW], fields: [[7, 8]] });
    expect([...kinds]).toEqual(["metric"]);
    expect(projection.index.counts.points).toBe(5);
  });

  test("continues after the projection was loaded again", () => {
    const { index, state: before } = opened(gauge("fps", 60));
    const loaded = new Projection(structuredClone(index), structuredClone(before));
    send(loaded, gauge("fps", 30));
    expect(loaded.index.series).toMatchObject([{ points: 2, last: 30 }]);
  });

  test("of too many series is counted as lost, point by point", () => {
    const projection = opened();
    for (let i = 0; i < MAX_SERIES; i++) send(projection, gauge(`m${i}`));
    expect(projection.index.dropped).toEqual({});
    send(projection, gauge("one more"), {
      op: "points",
      at: NOW,
      type: "gauge",
      name: "two more",
      dt: [0, 1, 2],
      values: [1, 2, 3],
    });
    expect(projection.index.dropped).toEqual({ series_limit: 4 });
    expect(projection.index.series).toHaveLength(MAX_SERIES);
    expect(projection.index.counts.points).toBe(MAX_SERIES);
    send(projection, gauge("m0"));
    expect(projection.index.counts.points).toBe(MAX_SERIES + 1);
  });

  test("of series that take too much space is counted as lost", () => {
    const projection = opened();
    const metadata = { text: "x".repeat(100_000) };
    send(projection, gauge("a", 1, { metadata }), gauge("b", 1, { metadata }));
    send(projection, gauge("c", 1, { metadata }));
    expect(projection.index.series.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(projection.index.dropped).toEqual({ series_limit: 1 });
  });

  test("has its metadata redacted, and refused when too deep", () => {
    const projection = opened(gauge("a", 1, { metadata: { token: "x", host: "h" } }));
    expect(projection.index.series[0]?.metadata).toEqual({ token: "[redacted]", host: "h" });
    let deep: object = {};
    for (let i = 0; i < 70; i++) deep = { deep };
    expect(() => send(projection, gauge("b", 1, { metadata: { deep } }))).toThrow(
      'The metadata of metric "b"',
    );
  });

  test("without points leaves nothing: an empty op, a histogram that 1.x's daemon repeats", () => {
    const projection = opened();
    const empty: Op = { op: "points", at: NOW, type: "gauge", name: "e", dt: [], values: [] };
    expect(send(projection, empty).contents.series.size).toBe(0);
    expect(projection.index.series).toEqual([]);

    const repeated: Op = {
      op: "metric",
      at: NOW,
      type: "histogram",
      name: "h",
      value: 1,
      metadata: { buckets: [{ le: 1, count: 2 }], sum: 2, count: 2 },
    };
    expect(send(projection, repeated).contents.series.size).toBe(1);
    expect(send(projection, repeated).contents.series.size).toBe(0);
    expect(projection.index.counts.points).toBe(1);
  });
});

test("heartbeats are counted and stored by their times", () => {
  const { contents, kinds } = send(opened(), { op: "heartbeat", at: NOW - 5 });
  expect([contents.heartbeats, [...kinds]]).toEqual([[NOW - 5], ["heartbeat"]]);
});

describe("1.x's events", () => {
  test.each<[Op, string, string, object]>([
    [
      {
        op: "hang",
        at: NOW - 1_000,
        last_heartbeat_at: NOW - 31_400,
        process_state: "blocked",
      },
      "application_appears_hung",
      "error",
      {
        labels: ["heartbeat", "hung"],
        data: { seconds_since_heartbeat: 30, process_state: "blocked" },
      },
    ],
    [{ op: "hang", at: NOW }, "application_appears_hung", "error", { data: {} }],
    [
      { op: "recovered", at: NOW, duration_ms: 9 },
      "application_recovered",
      "info",
      { labels: ["heartbeat", "recovery"], data: { duration_ms: 9 } },
    ],
    [{ op: "recovered", at: NOW }, "application_recovered", "info", { data: {} }],
    [
      { op: "crash", at: NOW, reason: "killed", signal: "SIGKILL" },
      "session_crashed_detected",
      "critical",
      { labels: ["crash", "process"], data: { reason: "killed", signal: "SIGKILL" } },
    ],
    [{ op: "crash", at: NOW }, "session_crashed_detected", "critical", { data: { reason: "" } }],
  ])("%j adds %s", (op, name, category, more) => {
    const { contents } = send(opened(), op);
    expect(contents.events).toMatchObject([
      { seq: 2, at: op.at, name, category, group: "datacat.daemon", ...more },
    ]);
    expect(contents.events[0]?.data).toEqual((more as { data: object }).data);
    expect(contents.others).toEqual([{ seq: 2, ...op }]);
  });

  test("are not added for a pause, a resume, a sleep or an end", () => {
    const { contents } = send(
      opened(),
      { op: "pause", at: NOW },
      { op: "resume", at: NOW },
      { op: "slept", at: NOW, duration_ms: 5 },
      { op: "end", at: NOW },
    );
    expect(contents.events).toEqual([]);
    expect(contents.others.map(({ op }) => op)).toEqual(["pause", "resume", "slept", "end"]);
  });
});

describe("the status", () => {
  test("is urgent when it changes, and not before", () => {
    const projection = opened();
    const same = send(projection, state({ a: 1 }));
    expect([same.kinds.has("status"), same.urgent]).toEqual([false, false]);
    const ended = send(projection, { op: "end", at: NOW, exit_code: 0 });
    expect([ended.kinds.has("status"), ended.urgent]).toEqual([true, true]);
  });

  test("notes a hang that starts and ends within one batch", () => {
    const projection = opened({ op: "heartbeat", at: NOW - 40_000, timeout_ms: 5_000 });
    const { urgent } = send(
      projection,
      { op: "hang", at: NOW - 30_000 },
      { op: "heartbeat", at: NOW - 20_000 },
    );
    expect(urgent).toBe(true);
    expect(projection.index.observations.transitions.map(({ status }) => status)).toEqual([
      "active",
      "hung",
      "active",
    ]);
  });

  test("of a crash is reverted by a later batch of a lane, not by 1.x's routes", () => {
    const crash: Op = { op: "crash", at: NOW - 30_000 };
    const later = state({ a: 1 }, NOW - 1_000);
    const byLane = opened(crash);
    send(byLane, later);
    expect(byLane.index.observations.crash).toBeNull();

    const byRoute = opened(crash);
    byRoute.record([later], arrival);
    expect(byRoute.index.observations.crash).toMatchObject({ at: crash.at });
    const batch = nextBatch(byRoute, [later], { lane: API_LANE });
    byRoute.apply(batch, arrival);
    expect(byRoute.index.observations.crash).toMatchObject({ at: crash.at });
    expect(byRoute.state).toEqual({ a: 1 });
  });

  test("may be concluded by the server", () => {
    const projection = opened();
    const { urgent } = projection.conclude({ op: "crash", at: NOW, rebooted: true }, NOW + 5);
    expect(urgent).toBe(true);
    expect(projection.index.observations).toMatchObject({
      crash: { rebooted: true },
      lastContactAt: NOW + 5,
    });
    expect(projection.applied("a")).toBe(1);
  });
});

describe("contact", () => {
  test("sets the lease, rounded and bounded, and the clock skew", () => {
    const projection = opened();
    const { observations } = projection.index;
    expect(observations.leaseMs).toBe(5 * 60_000);
    const at = (now: number, sentAt: number | null, lease_ms?: number) =>
      projection.apply(nextBatch(projection, [], lease_ms === undefined ? {} : { lease_ms }), {
        now,
        sentAt,
      });
    at(NOW + 10, NOW + 7.4, DAEMON_LEASE_MS + 0.4);
    expect(observations).toMatchObject({ leaseMs: DAEMON_LEASE_MS, lastContactAt: NOW + 10 });
    expect(projection.index.clockSkewMs).toBe(-3);
    at(NOW + 20, null, Infinity);
    expect(observations).toMatchObject({ leaseMs: MAX_LEASE_MS, lastContactAt: NOW + 20 });
    expect(projection.index.clockSkewMs).toBe(-3);
  });
});

describe("completeness", () => {
  test("counts ops, points one by one, and what was lost before and within the batches", () => {
    const projection = opened();
    send(projection, {
      op: "points",
      at: NOW,
      type: "gauge",
      name: "fps",
      dt: [0, 1, 2],
      values: [1, 2, 3],
    });
    expect(projection.index.accepted).toBe(4);
    projection.apply(
      nextBatch(projection, [state({ a: 1 })], { last: 7, dropped: { damaged: 4 } }),
      arrival,
    );
    expect(projection.index.accepted).toBe(9);
    send(projection, { op: "dropped", at: NOW, cause: "queue_full", count: 10 });
    expect(projection.index.accepted).toBe(19);
    expect(projection.index.dropped).toEqual({ damaged: 4, queue_full: 10 });

    const stored = { segments: 1, damaged_segments: 0, bytes: 2, rows_written: 3 };
    const summary = summaryOf(projection.index, NOW, stored);
    expect(summary.ledger).toEqual({
      accepted: 19,
      stored: 5,
      dropped: { damaged: 4, queue_full: 10 },
    });
    expect(summary).toMatchObject({ ...stored, revision: projection.index.seq });
  });

  test("issued = stored + lost, whether the lost ops used sequences, and whatever reported them", () => {
    const projection = opened(state({ a: 1 })); // 2 ops
    const lost = { op: "dropped", at: NOW, count: 4 } as const;
    const full = { ...lost, cause: "disk_full", sequences: 4, first_at: NOW - 9, last_at: NOW - 5 };
    // 4 are missing before the report; 1 op follows.
    projection.apply(nextBatch(projection, [full, state({ a: 2 })], { last: 8 }), arrival);
    send(projection, { ...lost, cause: "not_finite", count: 1, detail: "fps: NaN" });
    send(projection, state({ b: "<socket>" }), { ...lost, cause: "unserialisable", count: 1 });
    send(projection, { ...lost, cause: "too_large", count: 1, detail: "door: 300000 bytes" });
    send(projection, { ...lost, cause: "too_large", count: 1, detail: "state: 600000 bytes" });
    projection.apply(
      nextBatch(projection, [{ op: "hang", at: NOW }], { lane: "o", observed: true }),
      arrival,
    );
    expect(completenessOf(projection.index)).toEqual({
      accepted: 10,
      stored: 4,
      dropped: { disk_full: 4, not_finite: 1, too_large: 1 },
      altered: { unserialisable: 1, too_large: 1 },
      altered_fields: ["door: 300000 bytes"],
      loss_times: [{ cause: "disk_full", from: NOW - 9, to: NOW - 5 }],
    });
  });

  test("states the least number of lost ops, and from when to when, over several reports", () => {
    const projection = opened();
    const lost = { op: "dropped", at: NOW, cause: "disk_full" } as const;
    send(projection, { ...lost, count: 0, at_least: true, first_at: NOW - 16, last_at: NOW - 16 });
    expect(recordedOf(completenessOf(projection.index))).toBe("1 of an unknown number recorded");
    send(projection, { ...lost, count: 2, first_at: NOW - 20, last_at: NOW - 15 });
    send(projection, { ...lost, count: 0, at_least: true, first_at: NOW - 18, last_at: NOW - 1 });
    send(projection, { ...lost, count: 0, cause: "write_failed", at_least: true });
    const completeness = completenessOf(projection.index);
    expect(recordedOf(completeness)).toBe("1 of at least 3 recorded");
    expect(isCompleteRecord(completeness)).toBe(false);
    expect(lossesOf(completeness)).toEqual([
      {
        cause: "disk_full",
        count: 2,
        times: { cause: "disk_full", from: NOW - 20, to: NOW - 1, at_least: true },
      },
      {
        cause: "write_failed",
        count: 0,
        times: { cause: "write_failed", from: NOW, to: NOW, at_least: true },
      },
    ]);
  });

  test("counts a batch by its records when points were aggregated from more", () => {
    const projection = opened();
    projection.apply(
      nextBatch(projection, [state({ a: 1 })], { last: 11, aggregated: 9 }),
      arrival,
    );
    expect(projection.index.accepted).toBe(11);
    expect(projection.applied("a")).toBe(11);
  });

  test("of ops without a lane counts them in order of arrival", () => {
    const projection = opened();
    projection.record([state({ a: 1 }), state({ a: 2 })], arrival, 1_000, { hostname: "h" });
    expect(projection.applied(API_LANE)).toBe(2);
    expect(projection.index).toMatchObject({ accepted: 3, hostname: "h" });
    expect(projection.index.observations.leaseMs).toBe(1_000);
  });
});
