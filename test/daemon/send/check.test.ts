import { expect, test } from "vitest";
import { checked } from "../../../daemon/send/check.ts";
import { MAX_LABEL_LENGTH, MAX_LABELS, MAX_NAME_LENGTH } from "../../../src/core/limits.ts";
import type { JsonObject, Op } from "../../../src/core/wire.ts";

const gauge = { op: "metric", at: 1, name: "m", type: "gauge", value: 1 } as const;

/** An op as a program may have written it, of no valid type. */
const asWritten = (op: object) => op as Op;

/** `levels` objects, each inside the one before. */
function nested(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level++) value = { inner: value };
  return value;
}

test.each<Op>([
  gauge,
  { ...gauge, tags: Array.from({ length: MAX_LABELS }, () => "t".repeat(MAX_LABEL_LENGTH)) },
  { op: "metric", at: 1, name: "m", type: "counter", delta: -2 },
  { op: "heartbeat", at: 1 },
  { op: "end", at: 1, exit_code: 3 },
])("a valid op is sent as it is: %o", (op) => {
  expect(checked(op)).toEqual(op);
});

test.each([
  { ...gauge, value: "1" },
  { ...gauge, value: Number.NaN },
  { ...gauge, at: -1 },
  { ...gauge, at: 8.65e15 },
  { ...gauge, name: "n".repeat(MAX_NAME_LENGTH + 1) },
  { ...gauge, tags: [1] },
  { ...gauge, tags: Array.from({ length: MAX_LABELS + 1 }, () => "t") },
  { ...gauge, count: -1 },
  { ...gauge, type: "speed" },
  { op: "metric", at: 1, name: "m", type: "counter", delta: "1" },
  { op: "event", at: 1 },
  { op: "state", at: 1, patch: 5 },
  { op: "unknown", at: 1 },
])("an op that the server would refuse is not sent: %o", (op) => {
  expect(checked(asWritten(op))).toBeUndefined();
});

test.each<[Op, string]>([
  [{ op: "start", at: 1, state: { password: "hunter2" } }, "a start's state"],
  [{ op: "state", at: 1, patch: { password: "hunter2" } }, "a state's patch"],
  [{ op: "event", at: 1, name: "e", data: { password: "hunter2" } }, "an event's data"],
  [{ ...gauge, metadata: { password: "hunter2" } }, "a metric's metadata"],
])("secrets are redacted in %o", (op) => {
  const sent = checked(op);
  expect(sent).toMatchObject({ op: op.op });
  expect(JSON.stringify(sent)).toContain("password");
  expect(JSON.stringify(sent)).not.toContain("hunter2");
});

test("a value that is nested too deep is not sent", () => {
  expect(checked({ op: "event", at: 1, name: "e", data: nested(10) })).toBeDefined();
  expect(checked({ op: "event", at: 1, name: "e", data: nested(1_000) })).toBeUndefined();
});
