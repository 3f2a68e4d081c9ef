import * as v from "valibot";
import { describe, expect, test } from "vitest";
import {
  MAX_BATCHES,
  MAX_BATCH_OPS,
  MAX_BUCKETS,
  MAX_CONTAINERS,
  MAX_DIFFERENT_KEYS,
  MAX_LABELS,
  MAX_LABEL_LENGTH,
  MAX_NAME_LENGTH,
  MAX_TIME,
  UNCOUNTED_LENGTH,
} from "../../src/core/limits.ts";
import { parse, parseJson } from "../../src/core/parse.ts";
import { Refusal, refusalOf, REFUSALS } from "../../src/core/refusal.ts";
import { Batch, Ingest } from "../../src/core/batch.ts";
import { Id } from "../../src/core/wire-fields.ts";
import { Op } from "../../src/core/wire.ts";

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

  test("a list in place of an object, of which every member may be absent", () => {
    const schema = v.object({ sessions: v.optional(v.array(v.string())) });
    for (const of of [schema, v.pipe(schema, v.readonly())])
      expect(refusal(() => parse(of, [], "The body"))).toMatchObject({
        code: "invalid_body",
        message: "The body does not fit: it is a list, and has to be an object.",
      });
    expect(parse(v.array(v.string()), [], "The body")).toEqual([]);
  });

  test.each(["{", "[", '{"a":'])("a long text of very many %s", (open) => {
    const text = open.repeat(MAX_CONTAINERS + 1).padEnd(UNCOUNTED_LENGTH + 1, " ");
    expect(refusal(() => parseJson(text, "The body"))).toMatchObject({
      code: "too_large",
      message: "The body has more than 500,000 lists and objects; send less at a time.",
    });
  });

  test("a long text of very many different keys, in one object or in many", () => {
    const members = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":0`);
    const texts = [
      `{${members(MAX_DIFFERENT_KEYS + 1).join()}}`,
      `[${members(MAX_DIFFERENT_KEYS + 1)
        .map((member) => `{${member}}`)
        .join()}]`,
    ];
    for (const text of texts)
      expect(refusal(() => parseJson(text, "The body"))).toMatchObject({
        code: "too_large",
        message: "The body has more than 200,000 different keys; send less at a time.",
      });
    const often = `[${Array(300_000).fill('{"k":"a:b"}').join()}]`;
    expect(parseJson(often, "The body")).toHaveLength(300_000);
  });

  test("brackets in strings are no lists", () => {
    for (const text of ["[{".repeat(MAX_CONTAINERS), '\\"[\\\\'.repeat(MAX_CONTAINERS)]) {
      const value = { text, lists: [text, []] };
      expect(parseJson(JSON.stringify(value), "The body")).toEqual(value);
    }
    const open = `"${"x".repeat(UNCOUNTED_LENGTH)}`;
    expect(refusal(() => parseJson(open, "The body")).code).toBe("invalid_json");
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
    when: "hung",
    threads: [],
    id: "a",
    size: 1,
    sha256: "0".repeat(64),
    tags: [],
  };
  const ops = Op.options.map(({ entries }) => entries.op.literal);
  expect(ops).toHaveLength(17);
  for (const op of ops)
    expect(parse(Op, { op, ...filled, colour: "red" }, "The op")).not.toHaveProperty("colour");
});

describe("the bounds of an op's fields", () => {
  const fits = (op: object) => v.is(Op, op);
  const event = (more: object) => fits({ op: "event", at: 1, name: "e", ...more });
  const metric = (more: object) => fits({ op: "metric", at: 1, type: "gauge", name: "m", ...more });
  const texts = (count: number, length = 1) =>
    Array.from({ length: count }, () => "x".repeat(length));

  test.each([
    [0, true],
    [MAX_TIME, true],
    [-1, false],
    [MAX_TIME * 2, false],
    [Infinity, false],
  ])("a time of %d: %s", (at, isValid) => expect(fits({ op: "pause", at })).toBe(isValid));

  test.each([
    ["names", (length: number) => event({ name: "x".repeat(length) }), MAX_NAME_LENGTH],
    ["labels", (count: number) => event({ labels: texts(count) }), MAX_LABELS],
    ["a label", (length: number) => event({ labels: texts(1, length) }), MAX_LABEL_LENGTH],
    ["bounds", (count: number) => metric({ bounds: texts(count).map(() => 1) }), MAX_BUCKETS],
    ["buckets", (count: number) => metric({ buckets: texts(count).map(() => 1) }), MAX_BUCKETS],
    ["counts", (count: number) => metric({ counts: texts(count).map(() => 1) }), MAX_BUCKETS + 1],
  ])("%s", (_, hasSize, limit) => {
    expect(hasSize(limit)).toBe(true);
    expect(hasSize(limit + 1)).toBe(false);
  });

  test.each([
    ["a count", metric({ count: 0 }), metric({ count: -1 })],
    ["a whole count", metric({ count: 2 }), metric({ count: 1.5 })],
    ["a value", metric({ value: -1.5 }), metric({ value: Infinity })],
    ["data", event({ data: {} }), event({ data: [] })],
    ["no data", event({}), event({ data: null })],
    ["a source line", event({ source_line: 3 }), event({ source_line: 3.5 })],
    [
      "a heartbeat timeout",
      fits({ op: "heartbeat", at: 1, timeout_ms: 1 }),
      fits({ op: "heartbeat", at: 1, timeout_ms: 0.5 }),
    ],
    [
      "a duration",
      fits({ op: "slept", at: 1, duration_ms: 0 }),
      fits({ op: "slept", at: 1, duration_ms: -1 }),
    ],
    [
      "a recovery",
      fits({ op: "recovered", at: 1, duration_ms: 0 }),
      fits({ op: "recovered", at: 1, duration_ms: -1 }),
    ],
    [
      "points",
      fits({ op: "points", at: 1, type: "timer", name: "t", dt: [0], values: [1], counts: [1] }),
      fits({ op: "points", at: 1, type: "histogram", name: "t", dt: [0], values: [1] }),
    ],
    [
      "numbers",
      fits({ op: "points", at: 1, type: "gauge", name: "t", dt: [0], values: [1] }),
      fits({ op: "points", at: 1, type: "gauge", name: "t", dt: [0], values: [null] }),
    ],
    [
      "a process state",
      fits({ op: "hang", at: 1, process_state: "blocked" }),
      fits({ op: "hang", at: 1, process_state: "asleep" }),
    ],
  ])("%s", (_, valid, invalid) => expect([valid, invalid]).toEqual([true, false]));
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
    { last: -1 },
    { first: 1.5 },
  ])
    expect(refusal(() => parse(Batch, { ...batch, ...wrong }, "It")).code).toBe("invalid_body");
  for (const right of [{ last: 0 }, { ops: many.slice(1) }, { dropped: { x: 0 } }, { lease_ms: 0 }])
    expect(parse(Batch, { ...batch, ...right }, "It")).toEqual({ ...batch, ...right });

  const batches = (count: number) => Array.from({ length: count }, () => batch);
  for (const count of [0, MAX_BATCHES + 1])
    expect(v.is(Ingest, { batches: batches(count) })).toBe(false);
  for (const count of [1, MAX_BATCHES])
    expect(v.is(Ingest, { batches: batches(count) })).toBe(true);
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
  });

  test("has the status of its code, which programs rely on", () => {
    const codes = (status: number) =>
      Object.entries(REFUSALS).flatMap(([code, its]) => (its === status ? [code] : []));
    expect(codes(400)).toEqual([
      "invalid_json",
      "invalid_body",
      "invalid_query",
      "invalid_encoding",
      "not_finite",
      "bad_chunk",
      "bad_file",
      "too_deep",
      "too_many_keys",
    ]);
    expect([401, 405, 410, 413, 429, 500, 503, 507].map(codes)).toEqual([
      ["unauthorized"],
      ["method_not_allowed"],
      ["gone"],
      ["too_large"],
      ["too_many_requests"],
      ["internal"],
      ["damaged", "damaged_content", "unavailable"],
      ["storage_full"],
    ]);
    expect(codes(403)).toEqual(["forbidden", "foreign_host", "locked"]);
    expect(codes(404)).toEqual(["not_found"]);
    expect(codes(409)).toEqual(["exists", "lane_gap", "lane_overlap", "checksum_mismatch"]);
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
