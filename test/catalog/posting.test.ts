import fc from "fast-check";
import { expect, test } from "vitest";
import { gramsOfTerm, listTokens, rowTokens, TOKEN } from "../../src/catalog/tables/posting.ts";
import { fold } from "../../src/core/text/fold.ts";
import { exception, publication } from "./publication.ts";

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom("a", "b", "Ä", "ß", " ", "\n", "存", "İ"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 30,
});

test("a text has the grams of every part of its lines", () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(8), (recorded, from, length) => {
      const search = fold(recorded);
      const session = { ...publication("one").session, search };
      const line = search.split("\n")[0] ?? "";
      const start = line.length > 0 ? from % line.length : 0;
      const tokens = rowTokens(session);
      for (const gram of gramsOfTerm(line.slice(start, start + length)))
        expect(tokens).toContain(gram);
    }),
  );
});

test("one character that is not ASCII is looked for, one of ASCII is not", () => {
  expect(gramsOfTerm("存")).toHaveLength(1);
  expect(gramsOfTerm("e")).toEqual([]);
  expect(gramsOfTerm("ab")).toHaveLength(1);
  expect(gramsOfTerm("abcd")).toHaveLength(2);
});

test("tokens consist of ASCII letters and digits, and differ by kind", () => {
  const one = publication('odd" OR \u0000*', {
    session: { product: "same", version: "same", hostname: "same", tags: '["same:1","ü"]' },
    exceptions: [exception("same", { type: "same", message: "存在しない\nDoor" })],
    state_values: [{ path: "a.b\\.c", value: '"same', first_at: 1, last_at: null }],
  });
  const tokens = [...rowTokens(one.session), ...listTokens(one)];
  for (const token of tokens) expect(token).toMatch(/^[a-z][0-9a-z]+$/);
  expect(tokens).toEqual(
    expect.arrayContaining([TOKEN.tagKey("same"), TOKEN.path("a"), TOKEN.path("a.b\\.c")]),
  );
  const kinds = [TOKEN.product, TOKEN.version, TOKEN.hostname, TOKEN.tag, TOKEN.event, TOKEN.path];
  expect(new Set(kinds.map((token) => token("same"))).size).toBe(kinds.length);
});
