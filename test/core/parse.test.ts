import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { MAX_BATCH_OPS, MAX_LABELS, MAX_NAME_LENGTH } from "../../src/core/limits.ts";
import { parse, parseJson } from "../../src/core/parse.ts";
import { Refusal, refusalOf, REFUSALS } from "../../src/core/refusal.ts";
import { OPS } from "../../src/core/vocabulary.ts";
import { Batch, Id, Ingest, Op } from "../../src/core/wire.ts";

function refusal(act: () => unknown): { code: string; message: string } {
  try {
    act();
  } catch (error) {
    const known = refusalOf(error);
    if (known) return { code: known.code, message: known.message };
    throw error;
  }
  throw new Error("it was not refused");
}

describe("refusals name what is wrong and where", () => {
  test("text that is not JSON", () => {
    expect(refusal(() => parseJson("{", "The body"))).toMatchObject({
      code: "invalid_json",
      message: expect.stringMatching(/^The body is not JSON/),
    });
    expect(refusal(() => parseJson("NaN", "It")).code).toBe("invalid_json");
  });

  const metric = { op: "metric", at: 1, type: "gauge", name: "fps" };
  test.each([
    [{ ...metric, value: "NaN" }, "not_finite", "value"],
    [{ ...metric, value: "-Infinity" }, "not_finite", "value"],
    [{ ...metric, value: Infinity }, "not_finite", "value"],
    [{ ...metric, delta: "inf" }, "not_finite", "delta"],
    [{ ...metric, value: "12" }, "invalid_body", "value"],
    [{ ...metric, value: null }, "invalid_body", "value"],
    [{ ...metric, type: "speed" }, "invalid_body", "type"],
    [{ ...metric, count: 1.5 }, "invalid_body", "count"],
    [{ ...metric, at: -1 }, "invalid_body", "at"],
    [{ ...metric, at: 9e15 }, "invalid_body", "at"],
    [{ ...metric, at: "2026-11-23" }, "invalid_body", "at"],
    [{ ...metric, tags: ["a", 1] }, "invalid_body", "tags.1"],
    [{ ...metric, name: "x".repeat(MAX_NAME_LENGTH + 1) }, "invalid_body", "name"],
    [{ ...metric, tags: Array.from({ length: MAX_LABELS + 1 }, String) }, "invalid_body", "tags"],
    [{ op: "state", at: 1, patch: [] }, "invalid_body", "patch"],
    [{ op: "state", at: 1, patch: null }, "invalid_body", "patch"],
    [{ op: "event", at: 1, name: "x", data: "text" }, "invalid_body", "data"],
    [{ op: "event", at: 1, name: "x", source_line: "12" }, "invalid_body", "source_line"],
    [
      { op: "points", at: 1, type: "gauge", name: "x", dt: [1], values: [null] },
      "invalid_body",
      "values",
    ],
    [{ op: "jump", at: 1 }, "invalid_body", "op"],
    [{}, "invalid_body", "op"],
  ])("%j", (op, code, where) => {
    const refused = refusal(() => parse(Op, op, "The op"));
    expect(refused).toMatchObject({ code, message: expect.stringContaining(` at ${where}:`) });
  });

  test.each([null, [], 5, "text"])("an op that is %j", (op) =>
    expect(refusal(() => parse(Op, op, "The op")).code).toBe("invalid_body"),
  );
});

test("every op has a shape, and unknown keys are ignored", () => {
  const filled = {
    at: 1,
    name: "x",
    type: "gauge",
    patch: {},
    dt: [],
    values: [],
    duration_ms: 1,
    cause: "c",
    count: 1,
  };
  for (const op of OPS)
    expect(parse(Op, { op, ...filled, colour: "red" }, "The op")).not.toHaveProperty("colour");
});

test("batches have bounds", () => {
  const batch = { session: "s", lane: "l", first: 1, last: 1, ops: [] };
  expect(parse(Batch, batch, "It")).toEqual(batch);
  const many = Array.from({ length: MAX_BATCH_OPS + 1 }, () => ({ op: "pause", at: 1 }));
  for (const wrong of [
    { first: 0 },
    { last: 1.5 },
    { ops: many },
    { dropped: { x: -1 } },
    { lease_ms: -1 },
    { lane: "" },
  ])
    expect(refusal(() => parse(Batch, { ...batch, ...wrong }, "It")).code).toBe("invalid_body");
  expect(refusal(() => parse(Ingest, { batches: [] }, "It")).code).toBe("invalid_body");
});

test.each(["a", "0198f3c2-7a31-7000-8000-0123456789ab", "local-session-1764000000-1", "a.b_c:d"])(
  "%s is an id",
  (id) => expect(v.is(Id, id)).toBe(true),
);
test.each(["", "-a", "a b", "a/b", "../a", "ä", "x".repeat(129), "a\n"])("%j is no id", (id) =>
  expect(v.is(Id, id)).toBe(false),
);

describe("a refusal", () => {
  test("has its status, and is JSON for programs", () => {
    const gap = new Refusal("lane_gap", "Send what is between.", { applied: 7 });
    expect(gap.status).toBe(409);
    expect(JSON.parse(JSON.stringify(gap))).toEqual({
      error: { applied: 7, code: "lane_gap", message: "Send what is between." },
    });
    expect(Object.values(REFUSALS).every((status) => status >= 400 && status < 600)).toBe(true);
  });

  test("is recognised after it lost its class", () => {
    const travelled = Object.assign(new Error("No."), { code: "gone", details: { a: 1 } });
    expect(refusalOf(travelled)).toMatchObject({ code: "gone", message: "No.", details: { a: 1 } });
    for (const other of [
      new Error("x"),
      Object.assign(new Error("x"), { code: "ENOENT" }),
      Object.assign(new Error("x"), { code: "toString" }),
      "gone",
      null,
    ])
      expect(refusalOf(other)).toBeUndefined();
  });
});
