/** What is read from anything that was thrown. */
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { exceptionFields } from "../../../clients/typescript/encode/exception.ts";
import { useFiles } from "../../../clients/typescript/encode/source.ts";
import { CAUSES_KEPT, TREE_KEPT } from "../../../clients/typescript/limits.ts";

class LoadError extends Error {}
/** As a bundler writes it. */
const Minified = { t: class extends LoadError {} }.t;
Object.defineProperty(Minified, "name", { value: "t" });

test.each<[string, unknown, string]>([
  ["an error", new TypeError("x"), "TypeError"],
  ["a subclass without a name", new LoadError("x"), "LoadError"],
  ["a class whose name a bundler shortened", new Minified("x"), "LoadError"],
  ["an error of another realm", runInNewContext("new RangeError('x')"), "RangeError"],
  ["a DOMException", new DOMException("x", "AbortError"), "AbortError"],
  ["a name that is empty", Object.assign(new LoadError("x"), { name: "" }), "LoadError"],
  ["a name that is no text", Object.assign(new LoadError("x"), { name: { a: 1 } }), "LoadError"],
  ["an error that was sent as JSON", { message: "x", stack: "Error: x" }, "Error"],
  ["an object", { code: 5 }, "Object"],
  ["no prototype", Object.create(null), "Object"],
  ["a text", "x", "string"],
  ["nothing", undefined, "undefined"],
  ["null", null, "null"],
  ["a frozen error", Object.freeze(new SyntaxError("x")), "SyntaxError"],
])("%s has the right type", (_, thrown, type) => {
  expect(exceptionFields(thrown).exception_type).toBe(type);
});

test("nothing that is thrown throws again", () => {
  const fail = () => {
    throw new Error("hostile");
  };
  const traps = Object.fromEntries(
    ["get", "has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor"].map((trap) => [
      trap,
      fail,
    ]),
  );
  const getters = Object.defineProperties(new Error("x"), {
    cause: { get: fail },
    errors: { get: fail, enumerable: true },
    stack: { get: fail },
  });
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  const hostile = [
    new Proxy({}, traps),
    getters,
    Object.assign(new Error("x"), { errors: proxy }),
    proxy,
  ];
  for (const thrown of hostile) expect(exceptionFields(thrown).exception_type).toBeTypeOf("string");
});

describe("the tree", () => {
  const tree = (thrown: unknown) =>
    exceptionFields(thrown).causes?.map(({ exception_msg, kind, parent }) => [
      exception_msg,
      kind,
      parent,
    ]);

  test("has the causes, of any type, and all members", () => {
    const first = new Error("a", { cause: "text" });
    const several = new AggregateError([first, 7, new Error("b")], "several");
    expect(tree(new Error("outer", { cause: several }))).toEqual([
      ["several", undefined, undefined],
      ["a", "member", undefined],
      ["text", undefined, undefined],
      ["7", "member", 1],
      ["b", "member", 1],
    ]);
  });

  test("has each error once, although errors contain each other", () => {
    const error = new AggregateError([], "a");
    error.errors.push(error, new Error("b", { cause: error }));
    expect(tree(error)).toEqual([["b", "member", undefined]]);
  });

  test("is bounded, and what is left out is counted", () => {
    const many = exceptionFields(
      new AggregateError(Array.from({ length: 1_000 }, () => new Error("x"))),
    );
    expect([many.causes?.length, many.causes_left_out]).toEqual([TREE_KEPT, 1_000 - TREE_KEPT]);
    let chain = new Error("first");
    for (let i = 0; i < 100; i++) chain = new Error("next", { cause: chain });
    expect(exceptionFields(chain).causes).toHaveLength(CAUSES_KEPT);
    const wide = Object.assign(new Error("x"), { stack: "at a (b.js:1:2)\n".repeat(9_000) });
    const [cause] = exceptionFields(new Error("y", { cause: wide })).causes ?? [];
    expect(cause?.stacktrace?.at(-1)).toBe("… 8900 lines");
  });
});

test("plain own properties are attributes; getters are not called", () => {
  const error = Object.assign(new Error("message"), {
    code: "ENOENT",
    errno: -2,
    fatal: false,
    detail: "d".repeat(1_200),
    repeated: "message",
    response: { status: 500 },
    _private: 1,
    large: 2n ** 70n,
    wrong: NaN,
  });
  Object.defineProperty(error, "trap", { enumerable: true, get: () => expect.unreachable() });
  expect(exceptionFields(error).attributes).toEqual({
    code: "ENOENT",
    errno: -2,
    fatal: false,
    detail: `${"d".repeat(1_000)}…200`,
    large: String(2n ** 70n),
    wrong: "NaN",
  });
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, index]));
  expect(exceptionFields(Object.assign(new Error("x"), many)).attributes).toMatchObject({ "…": 8 });
});

test("the lines around a frame are recorded once for each place", () => {
  useFiles((file) =>
    file === "/a.js" ? Array.from({ length: 20 }, (_, i) => `line ${i + 1}`) : undefined,
  );
  const stack =
    "Error: x\n    at f (/a.js:3:5)\n    at f (/a.js:3:5)\n    at g (/b.js:1:1)\n    at /a.js:20:1";
  const { sources } = exceptionFields(Object.assign(new Error("x"), { stack }));
  expect(sources?.map(({ first, lines }) => [first, lines.length, lines.at(-1)])).toEqual([
    [1, 7, "line 7"],
    [16, 5, "line 20"],
  ]);
  useFiles(() => undefined);
});
