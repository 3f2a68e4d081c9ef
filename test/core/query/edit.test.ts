import fc from "fast-check";
import { expect, test } from "vitest";
import { termsAtTop, withoutTerms } from "../../../src/core/query/edit.ts";
import { parseQuery } from "../../../src/core/query/parse.ts";
import type { Query } from "../../../src/core/query/tree.ts";

const parse = (text: string) => parseQuery(text, { now: 0, kinds: ["crashed"] });

function without(text: string, name: string): string {
  const terms = termsAtTop(parse(text));
  return withoutTerms(
    text,
    terms.filter(({ field }) => field.kind === "plain" && field.name === name),
  );
}

test.each([
  ["product:game", ""],
  ["product:game lich", "lich"],
  ["lich product:game", "lich"],
  ["a product:game  b", "a b"],
  ["product:game AND lich", "lich"],
  ["lich AND product:game", "lich"],
  ["a AND product:game AND b", "a AND b"],
  ["(a)AND product:game AND(b)", "(a) AND(b)"],
  ["BRAND product:game", "BRAND"],
  ['"x AND" product:"my game" ANDY', '"x AND" ANDY'],
  ["product:a product:b c", "c"],
  ["-product:a (product:b OR c)", "-product:a (product:b OR c)"],
  ["a OR product:b", "a OR product:b"],
])("%s without the product is %s", (text, expected) => {
  expect(without(text, "product")).toBe(expected);
});

test("what is left means what the other parts meant", () => {
  const part = fc.constantFrom(
    "lich",
    '"old door"',
    "status:crashed",
    "product:a",
    "-product:b",
    "(x OR y)",
    "event:a,b",
  );
  const joint = fc.constantFrom(" ", " AND ", "  ");
  const query = fc.array(fc.tuple(part, joint), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(query, (parts) => {
      const text = parts
        .map(([each, after], at) => each + (at < parts.length - 1 ? after : ""))
        .join("");
      const others = parts.filter(([each]) => each !== "product:a").map(([each]) => each);
      expect(shape(parse(without(text, "product")))).toEqual(shape(parse(others.join(" "))));
    }),
  );
});

/** The query without its places in the text. */
function shape(query: Query): unknown {
  return JSON.parse(
    JSON.stringify(query, (key, value: unknown) => (key === "span" ? undefined : value)),
  );
}
