import { expect, test } from "vitest";
import { completenessOf, newIndex, summaryOf } from "../../../src/core/session/session-index.ts";

const stored = { segments: 2, damaged_segments: 1, bytes: 3, rows_written: 4 };

test("a new session is empty and active", () => {
  const index = newIndex("s-1", 100, 200);
  expect(summaryOf(index, 200, stored)).toEqual({
    id: "s-1",
    product: "",
    version: "",
    tags: [],
    machine_id: "",
    hostname: "",
    browser: "",
    created_at: 100,
    updated_at: 100,
    received_at: 200,
    ended_at: null,
    last_at: 100,
    ran_ms: 0,
    status_ms: 0,
    last_heartbeat_at: null,
    heartbeat_timeout_ms: null,
    exit_code: null,
    signal: null,
    uncaught: 0,
    failed_tests: 0,
    verdict: {
      status: "active",
      since: 100,
      headline: "Running",
      confidence: "certain",
      evidence: [],
    },
    ever_hung: false,
    transitions: [],
    counts: { states: 0, events: 0, exceptions: 0, points: 0, heartbeats: 0, series: 0 },
    ledger: { accepted: 0, stored: 0, dropped: {} },
    lanes: [],
    clock_skew_ms: 0,
    clock_offset_ms: 0,
    clock_steps: [],
    revision: 0,
    ...stored,
  });
});

test("the summary has the time of the crash, or else of the end, and the last heartbeat", () => {
  const index = newIndex("s-1", 100, 200);
  index.observations.lastHeartbeatAt = 150;
  index.observations.heartbeatTimeoutMs = 5_000;
  index.observations.crash = { at: 180, exit_code: 3, signal: "SIGABRT" };
  expect(summaryOf(index, 200, stored)).toMatchObject({
    ended_at: 180,
    exit_code: 3,
    signal: "SIGABRT",
    last_heartbeat_at: 150,
    heartbeat_timeout_ms: 5_000,
  });
  index.observations.end = { at: 170, exit_code: 0, signal: "SIGTERM" };
  expect(summaryOf(index, 200, stored)).toMatchObject({
    ended_at: 180, // as its verdict and lists have it
    exit_code: 0,
    signal: "SIGTERM",
  });
});

test("the summary names what is over its limit", () => {
  const index = newIndex("s-1", 100, 200);
  expect(summaryOf(index, 200, stored).left_out).toBeUndefined();
  index.leftOut = { exceptions: 3, tags: 1 };
  index.values = [{ path: "a", over: true, values: [] }];
  const summary = summaryOf(index, 200, stored);
  expect(summary.left_out).toEqual({ exceptions: 3, tags: 1, state_values: 1 });
});

test("stored is what was accepted and not lost, and never negative", () => {
  const index = newIndex("s-1", 100, 200);
  Object.assign(index, { accepted: 10, dropped: { damaged: 2, refused: 3 } });
  expect(completenessOf(index).stored).toBe(5);
  index.dropped = { damaged: 11 };
  expect(completenessOf(index).stored).toBe(0);
});
