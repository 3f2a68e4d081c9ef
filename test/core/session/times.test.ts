import fc from "fast-check";
import { expect, test } from "vitest";
import { CLOCK_TOLERANCE_MS, MAX_TIME } from "../../../src/core/limits.ts";
import { Projection } from "../../../src/core/session/projection.ts";
import { verdict } from "../../../src/core/status/status.ts";
import { boundTimes, latestTime } from "../../../src/core/session/times.ts";
import type { Op, Points } from "../../../src/core/wire.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const YEARS = 10 * 365 * 86_400_000;
const points = (at: number, dt: number[]): Points => ({
  op: "points",
  at,
  type: "gauge",
  name: "fps",
  dt,
  values: dt.map(() => 1),
});
const timesOf = ({ at, dt }: Points) => dt.map((step) => (at += step));

type Request = { now: number; sentAt?: number; ops: Op[]; isObserved?: boolean };

/** What the session's verdict is after these requests. Observed ones are of the daemon's lane. */
function judged(...requests: Request[]) {
  const [{ now, sentAt = null, ops } = never()] = requests;
  const projection = Projection.open("s", ops[0]?.at ?? now, { now, sentAt });
  for (const request of requests) {
    const observed = request.isObserved ?? false;
    const lane = observed ? "daemon" : "l";
    const first = projection.applied(lane) + 1;
    const last = first + request.ops.length - 1;
    const batch = { session: "s", lane, first, last, ops: request.ops, observed };
    projection.apply(batch, { now: request.now, sentAt: request.sentAt ?? null });
  }
  const { index } = projection;
  return { index, ...verdict(index.observations, requests.at(-1)?.now ?? now) };
}

function never(): never {
  throw new Error("a session without a request");
}

test("ops that are not from the future stay as they are", () => {
  const ops: Op[] = [
    { op: "start", at: NOW - 5_000 },
    points(NOW - 4_000, [0, 10, -3, 10]),
    { op: "slept", at: NOW, duration_ms: 1_000 },
    { op: "hang", at: NOW, last_heartbeat_at: NOW - 60_000 },
  ];
  expect(boundTimes(ops, NOW)).toEqual(ops);
});

test("an op from the future takes the time of the one after it, or of its sending", () => {
  const ops: Op[] = [
    { op: "event", at: NOW + YEARS, name: "a" },
    { op: "event", at: NOW - 50, name: "b" },
    { op: "hang", at: NOW + YEARS, last_heartbeat_at: NOW + YEARS },
  ];
  expect(boundTimes(ops, NOW)).toMatchObject([
    { name: "a", at: NOW - 50 },
    { name: "b", at: NOW - 50 },
    { op: "hang", at: NOW, last_heartbeat_at: NOW },
  ]);
});

test("of points only those are moved that are from the future", () => {
  const [bounded] = boundTimes([points(NOW - 10, [0, 5, YEARS, 7 - YEARS, 1])], NOW);
  expect(timesOf(bounded as Points)).toEqual([NOW - 10, NOW - 5, NOW, NOW, NOW]);
});

test("a duration begins in 1970 at the earliest", () => {
  const ops: Op[] = [
    { op: "slept", at: 10, duration_ms: 1e300 },
    { op: "recovered", at: 10, duration_ms: 11 },
  ];
  expect(boundTimes(ops, NOW)).toMatchObject([{ duration_ms: 10 }, { duration_ms: 10 }]);
});

test("a sender's clock may be ahead by what is not corrected", () => {
  expect(latestTime({ now: NOW, sentAt: NOW + 700 })).toBe(NOW + 700);
  expect(latestTime({ now: NOW, sentAt: NOW + YEARS })).toBe(NOW + CLOCK_TOLERANCE_MS);
  expect(latestTime({ now: NOW, sentAt: NOW - YEARS })).toBe(NOW);
  expect(latestTime({ now: NOW, sentAt: null })).toBe(NOW);
});

test("points from the future do not hide a crash", () => {
  const start: Op = { op: "start", at: NOW };
  const crash: Op = { op: "crash", at: NOW + 1_000, reason: "killed" };
  const future = points(NOW, [0, YEARS]);
  const later = NOW + 3_600_000; // the server was not reachable meanwhile
  expect(judged({ now: later, sentAt: later, ops: [start, future, crash] }).status).toBe("crashed");
  expect(
    judged(
      { now: NOW + 500, ops: [start, future] },
      { now: NOW + 1_000, sentAt: NOW + 1_000, ops: [crash] },
    ).status,
  ).toBe("crashed");
});

test("a clock that is set back does not hide a crash", () => {
  const hour = 3_600_000;
  const { status } = judged(
    { now: NOW, sentAt: NOW + hour, ops: [{ op: "start", at: NOW + hour }] },
    { now: NOW + 100, sentAt: NOW + hour + 100, ops: [{ op: "heartbeat", at: NOW + hour + 100 }] },
    { now: NOW + 5_000, sentAt: NOW + 5_000, ops: [{ op: "crash", at: NOW + 5_000 }] },
  );
  expect(status).toBe("crashed");
});

test("a program that goes on after its crash was reported has not crashed", () => {
  const { status } = judged(
    { now: NOW, sentAt: NOW, ops: [{ op: "start", at: NOW }] },
    {
      now: NOW + 60_000,
      sentAt: NOW + 60_000,
      ops: [{ op: "event", at: NOW + 50_000, name: "later" }],
    },
    {
      now: NOW + 60_000,
      sentAt: NOW + 60_000,
      ops: [{ op: "crash", at: NOW + 5_000 }],
      isObserved: true,
    },
  );
  expect(status).toBe("active");
});

test("a program's own crash comes after the ops before it in its lane, whatever its clock showed", () => {
  const { status, index } = judged(
    { now: NOW + 751, ops: [points(NOW, [260, 491])] },
    // Its clock is behind by as much as a slow request explains.
    { now: NOW + 751, sentAt: NOW - 250, ops: [{ op: "crash", at: NOW - 250 }] },
  );
  expect(status).toBe("crashed");
  expect(index.observations.crash?.at).toBe(NOW + 751);
});

test("whatever times a sender gives, a session that has crashed is crashed, and retention finds it", () => {
  const time = fc.oneof(
    fc.double({ min: 0, max: 8e15, noNaN: true }),
    fc.integer({ min: NOW - YEARS, max: NOW + YEARS }),
    fc.integer({ min: NOW - 5_000, max: NOW + 5_000 }),
  );
  const step = fc.oneof(
    fc.integer({ min: 0, max: 1_000 }),
    fc.integer({ min: -YEARS, max: YEARS }),
  );
  const op: fc.Arbitrary<Op> = fc.oneof(
    time.map((at): Op => ({ op: "event", at, name: "door" })),
    time.map((at): Op => ({ op: "state", at, patch: { a: 1 } })),
    time.map((at): Op => ({ op: "metric", at, type: "gauge", name: "fps", value: 1 })),
    time.map((at): Op => ({ op: "heartbeat", at })),
    time.map((at): Op => ({ op: "start", at })),
    time.map((at): Op => ({ op: "resume", at })),
    fc.tuple(time, time).map(([at, since]): Op => ({ op: "hang", at, last_heartbeat_at: since })),
    fc.tuple(time, time).map(([at, lasted]): Op => ({ op: "recovered", at, duration_ms: lasted })),
    fc.tuple(time, time).map(([at, lasted]): Op => ({ op: "slept", at, duration_ms: lasted })),
    // Sums before 1970 are refused.
    fc.array(step, { maxLength: 5 }).map((dt): Op => points(NOW + 50 * YEARS, dt)),
    fc.array(step, { maxLength: 5 }).map((dt): Op => points(NOW, dt.map(Math.abs))),
  );
  const request = fc.record({
    ops: fc.array(op, { minLength: 1, maxLength: 6 }),
    sentAt: fc.option(time, { nil: undefined }),
    wait: fc.integer({ min: 0, max: 10_000 }),
  });
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 5 }),
      fc.option(time, { nil: undefined }),
      fc.boolean(),
      (requests, clock, isOneBatch) => {
        let now = NOW;
        const sent = requests.map(({ wait, ...rest }) => ({ ...rest, now: (now += wait) }));
        const at = clock ?? now;
        const crash: Op = { op: "crash", at };
        // Reported at once: by itself, or as the last op of a batch that is from the future in all else.
        const ops = isOneBatch
          ? (requests.at(-1)?.ops ?? []).map((one) => allAfter(one, now + YEARS))
          : [];
        const { status, index } = judged(...sent, { now, sentAt: at, ops: [...ops, crash] });
        expect(status).toBe("crashed");
        expect(index.createdAt).toBeLessThanOrEqual(now + CLOCK_TOLERANCE_MS);
        expect(index.updatedAt).toBeLessThanOrEqual(now + CLOCK_TOLERANCE_MS);
      },
    ),
  );
});

/** The op with all its times at or after `at`. */
function allAfter(op: Op, at: number): Op {
  return op.op === "points" ? { ...op, at, dt: op.dt.map(Math.abs) } : { ...op, at };
}

test("a time of sending that no clock shows is not used, and counted; as are later times than the arrival", () => {
  const CENTURIES = 300 * 365 * 86_400_000;
  const event = (at: number): Op => ({ op: "event", at, name: "e" });
  for (const at of [NOW + CENTURIES, MAX_TIME]) {
    const { index } = judged({
      now: NOW,
      sentAt: at,
      ops: [{ op: "start", at: NOW - 5_000 }, event(NOW - 4_000), event(NOW)],
    });
    expect(index.altered).toEqual({ sent_at: 1 });
    expect([index.createdAt, index.updatedAt]).toEqual([NOW - 5_000, NOW]);
  }
  const projection = Projection.open("s", NOW, { now: NOW, sentAt: null });
  projection.record([{ op: "start", at: NOW }, event(MAX_TIME)], { now: NOW, sentAt: null });
  expect(projection.index.altered).toEqual({ future_time: 1 });
  expect(projection.index.updatedAt).toBe(NOW);
});

test("a heartbeat's time-out and the times of a loss are bounded", () => {
  const { index } = judged({
    now: NOW,
    ops: [
      { op: "heartbeat", at: NOW, timeout_ms: 1e300 },
      { op: "dropped", at: NOW, cause: "disk_full", count: 1, first_at: 5, last_at: MAX_TIME },
    ],
  });
  expect(index.observations.heartbeatTimeoutMs).toBe(365 * 86_400_000);
  expect(index.lossTimes).toMatchObject([{ from: 5, to: NOW }]);
});
