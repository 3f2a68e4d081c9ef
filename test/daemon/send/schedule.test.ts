import { expect, test } from "vitest";
import { FULL_BYTES } from "../../../daemon/limits.ts";
import { type Due, dueAt, inOrder, keepaliveAt } from "../../../daemon/send/schedule.ts";
import { DAEMON_LEASE_MS } from "../../../src/core/limits.ts";

const BATCH_MS = 5_000;
const idle: Due = {
  notBefore: 0,
  isUnfinished: false,
  isPending: false,
  pendingSince: undefined,
  unsentBytes: 0,
  isUrgent: false,
  isWatched: false,
  isLive: false,
  lastContactAt: 0,
  lastBatchAt: Number.NEGATIVE_INFINITY,
};
const pending: Due = {
  ...idle,
  isPending: true,
  pendingSince: 1_000,
  unsentBytes: 100,
  lastBatchAt: 900,
};

test.each<[string, Due, number]>([
  ["a batch follows the one before after the batch's time", pending, 5_900],
  ["the first op after a rest does not wait that long", { ...pending, lastBatchAt: -4_000 }, 1_250],
  ["the first op of all does not either", { ...pending, lastBatchAt: -Infinity }, 1_250],
  [
    "while the session's page is open, they wait a quarter of a second",
    { ...pending, isWatched: true },
    1_250,
  ],
  ["an urgent op does not wait", { ...pending, isUrgent: true }, 0],
  ["a lane that fills a request does not wait", { ...pending, unsentBytes: FULL_BYTES }, 0],
  ["a lane that nearly fills a request waits", { ...pending, unsentBytes: FULL_BYTES - 1 }, 5_900],
  ["a closed lane is sent at once", { ...idle, isUnfinished: true }, 0],
  ["a lane without unsent ops, of a session without a program, is never due", idle, Infinity],
  [
    "a session with a program gets a keepalive three times per lease",
    { ...idle, isLive: true },
    DAEMON_LEASE_MS / 3,
  ],
  [
    "a failed lane is not due before its wait is over, even if urgent",
    { ...pending, isUrgent: true, notBefore: 9_000 },
    9_000,
  ],
  [
    "a closed lane that failed waits, too",
    { ...idle, isUnfinished: true, notBefore: 9_000 },
    9_000,
  ],
  ["a keepalive that failed waits, too", { ...idle, isLive: true, notBefore: 99_000 }, 99_000],
])("%s", (_, lane, at) => {
  expect(dueAt(lane, BATCH_MS)).toBe(at);
});

test("a shorter batch time than that applies to watched sessions as well", () => {
  expect(dueAt({ ...pending, isWatched: true }, 100)).toBe(1_100);
});

test("the first contact of a session is due at once", () => {
  expect(keepaliveAt(Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
});

const candidate = (id: string, at: number, lastContactAt = 0, isObservations = false) => ({
  id,
  at,
  lastContactAt,
  isObservations,
});
const order = (now: number, ...lanes: ReturnType<typeof candidate>[]) =>
  inOrder(lanes, now, BATCH_MS).map(({ id }) => id);

test("nothing is sent before a lane is due", () => {
  expect(order(99, candidate("a", 100), candidate("b", 101))).toEqual([]);
});

test("with a lane that is due travel those that are due within half a batch's time", () => {
  expect(
    order(100, candidate("late", 2_601), candidate("soon", 2_600), candidate("due", 100)),
  ).toEqual(["due", "soon"]);
});

test("lanes take turns: the one without contact for longest is first", () => {
  expect(order(100, candidate("a", 0, 50), candidate("b", 90, 40), candidate("c", 90, 60))).toEqual(
    ["b", "a", "c"],
  );
  expect(order(100, candidate("a", 90, 50), candidate("b", 0, 50))).toEqual(["b", "a"]);
});

test("observations follow the program's own ops, even if they are due earlier", () => {
  expect(order(100, candidate("crash", 0, 0, true), candidate("program", 200, 90))).toEqual([
    "program",
    "crash",
  ]);
});
