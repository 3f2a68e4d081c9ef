import { expect, test } from "vitest";
import { activityOf, afterOp, hangOf, type Heartbeats } from "../../../daemon/watch/hang.ts";
import type { ProcessInfo } from "../../../daemon/watch/process-info.ts";
import { heartbeatLimitMs } from "../../../src/core/status/heartbeat.ts";
import { DEFAULT_HEARTBEAT_TIMEOUT_MS } from "../../../src/core/limits.ts";

const TIMEOUT_MS = 1_000;
const LIMIT_MS = heartbeatLimitMs(TIMEOUT_MS);
const running: Heartbeats = {
  lastAt: 500,
  readAt: 10_000,
  timeoutMs: TIMEOUT_MS,
  isPaused: false,
  isHung: false,
};

test("before its first heartbeat a program can't hang", () => {
  for (const op of ["pause", "resume"] as const) {
    expect(afterOp(undefined, { op, at: 1 }, 2)).toEqual({ heartbeats: undefined });
  }
  expect(afterOp(undefined, { op: "event", at: 1, name: "e" }, 2).heartbeats).toBeUndefined();
});

test("the first heartbeat starts the wait, with the timeout that it names or the default", () => {
  expect(afterOp(undefined, { op: "heartbeat", at: 1 }, 2).heartbeats).toEqual({
    lastAt: 1,
    readAt: 2,
    timeoutMs: DEFAULT_HEARTBEAT_TIMEOUT_MS,
    isPaused: false,
    isHung: false,
  });
  const named = afterOp(undefined, { op: "heartbeat", at: 1, timeout_ms: 70 }, 2).heartbeats;
  expect(named?.timeoutMs).toBe(70);
  expect(afterOp(named, { op: "heartbeat", at: 3 }, 4).heartbeats?.timeoutMs).toBe(70);
});

test("a heartbeat that is late by more than its limit is a hang, and none before", () => {
  expect(hangOf(running, 9_999, 10_000 + LIMIT_MS, undefined)).toBeUndefined();
  expect(hangOf(running, 9_999, 10_001 + LIMIT_MS, undefined)).toEqual({
    op: "hang",
    at: 9_999,
    last_heartbeat_at: 500,
  });
});

test("a hang is not before the last heartbeat, even by a wrong clock", () => {
  expect(hangOf(running, 100, 99_999, undefined)).toMatchObject({ at: 500 });
});

test("a paused program is not hung, and neither is one that is hung already", () => {
  const { heartbeats: paused } = afterOp(running, { op: "pause", at: 600 }, 10_100);
  expect(paused?.isPaused).toBe(true);
  expect(paused && hangOf(paused, 0, 999_999, undefined)).toBeUndefined();
  expect(hangOf({ ...running, isHung: true }, 0, 999_999, undefined)).toBeUndefined();
});

test("after a pause the wait starts again", () => {
  const { heartbeats: paused } = afterOp(running, { op: "pause", at: 600 }, 10_100);
  const { heartbeats: resumed } = afterOp(paused, { op: "resume", at: 700 }, 50_000);
  expect(resumed).toEqual({ ...running, readAt: 50_000 });
  expect(resumed && hangOf(resumed, 0, 50_000 + LIMIT_MS, undefined)).toBeUndefined();
  expect(resumed && hangOf(resumed, 0, 50_001 + LIMIT_MS, undefined)).toBeDefined();
});

test("only a heartbeat ends a hang, and the recovery has its duration", () => {
  const hung = { ...running, isHung: true };
  expect(afterOp(hung, { op: "resume", at: 700 }, 11_000)).toEqual({
    heartbeats: { ...hung, readAt: 11_000 },
  });
  expect(afterOp(hung, { op: "event", at: 700, name: "e" }, 11_000)).toEqual({ heartbeats: hung });
  const { heartbeats, recovered } = afterOp(hung, { op: "heartbeat", at: 900 }, 11_000);
  expect(heartbeats).toEqual({ ...running, lastAt: 900, readAt: 11_000 });
  expect(recovered).toEqual({ op: "recovered", at: 900, duration_ms: 400 });
  expect(afterOp(hung, { op: "heartbeat", at: 100 }, 11_000).recovered).toMatchObject({
    duration_ms: 0,
  });
  expect(afterOp(running, { op: "heartbeat", at: 900 }, 11_000).recovered).toBeUndefined();
});

test("a hang has what the process did meanwhile", () => {
  const activity = { state: "blocked", cpuPercent: 12.345 } as const;
  expect(hangOf(running, 0, 999_999, activity)).toMatchObject({
    process_state: "blocked",
    cpu_percent: 12.3,
  });
});

const sample = (state: ProcessInfo["state"], cpuMs: number): ProcessInfo => ({
  pid: 7,
  parent: 1,
  started: "1",
  state,
  cpuMs,
  residentBytes: 0,
});

test.each<[string, ProcessInfo, ProcessInfo, unknown]>([
  ["half a core or more is spinning", sample("waiting", 0), sample("waiting", 500), "spinning"],
  ["less is blocked", sample("waiting", 0), sample("waiting", 499), "blocked"],
  [
    "always ready to run is spinning, however little it gets",
    sample("running", 0),
    sample("running", 10),
    "spinning",
  ],
  ["ready once is not", sample("waiting", 0), sample("running", 10), "blocked"],
  ["a stopped process is stopped", sample("running", 0), sample("stopped", 900), "stopped"],
  ["one that ended does nothing", sample("running", 0), sample("ended", 900), undefined],
])("CPU use over a second: %s", (_, before, after, state) => {
  expect(activityOf(before, after, 1_000)?.state).toBe(state);
});

test("without time between two samples there is no CPU use", () => {
  expect(activityOf(sample("running", 0), sample("running", 9), 0)).toBeUndefined();
  expect(activityOf(sample("waiting", 0), sample("waiting", 500), 2_000)?.cpuPercent).toBe(25);
});
