/** How events report tests. */
import { expect, test } from "vitest";
import * as v from "valibot";
import { eventRow } from "../../../src/core/events/event.ts";
import { MAX_TEST_ID_PARTS, MAX_TEST_PART_LENGTH } from "../../../src/core/tests/limits.ts";
import { Event } from "../../../src/core/wire.ts";

const of = (fact: object) => ({ op: "event", at: 1, name: "test", test: fact });
const isValid = (fact: object) => v.is(Event, of(fact));

test("a test's start and its result are stored as they were sent, unknown keys apart", () => {
  const fact = {
    id: ["a.py", "TestA", "test_b[1]"],
    file: 0,
    result: "failed",
    attempt: 2,
    duration_ms: 1.5,
    worker: "gw0",
    phase: "setup",
    reason: "",
    output: "printed",
    diff: { expected: "1", actual: "2" },
    kind: "subtest",
  };
  const op = v.parse(Event, of({ ...fact, later: 1 }));
  expect(eventRow(op, 7).test).toEqual(fact);
  expect(isValid({ id: ["a"] })).toBe(true);
});

test.each([
  [{}],
  [{ id: [] }],
  [{ id: "a" }],
  [{ id: [1] }],
  [{ id: ["x".repeat(MAX_TEST_PART_LENGTH + 1)] }],
  [{ id: Array.from({ length: MAX_TEST_ID_PARTS + 1 }, () => "x") }],
  [{ id: ["a"], result: "fine" }],
  [{ id: ["a"], attempt: 0 }],
  [{ id: ["a"], attempt: 1e300 }],
  [{ id: ["a"], duration_ms: -1 }],
  [{ id: ["a"], file: -1 }],
  [{ id: ["a"], worker: "x".repeat(257) }],
  [{ id: ["a"], diff: "text" }],
  [{ id: ["a"], kind: "suites" }],
])("%j is refused", (fact) => expect(isValid(fact)).toBe(false));
