/** Random queries of conditions of which a test knows what they mean. */
import fc from "fast-check";
import { MAX_QUERY_TERMS } from "../../../src/core/limits.ts";

/** A query, and whether a row passes it. */
export type Case<Row> = { text: string; of: (row: Row) => boolean };

/** The conditions, joined by AND, OR and NOT. */
export function queriesOf<Row>(leaves: Case<Row>[]): fc.Arbitrary<Case<Row>> {
  const { tree } = fc.letrec<{ tree: Case<Row>; leaf: Case<Row> }>((tie) => ({
    leaf: fc.constantFrom(...leaves),
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      tie("leaf"),
      tie("tree").map((one) => ({ text: `-(${one.text})`, of: (row: Row) => !one.of(row) })),
      fc.tuple(tie("tree"), tie("tree"), fc.constantFrom(" ", " AND ")).map(([a, b, between]) => ({
        text: `(${a.text}${between}${b.text})`,
        of: (row: Row) => a.of(row) && b.of(row),
      })),
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => ({
        text: `(${a.text} OR ${b.text})`,
        of: (row: Row) => a.of(row) || b.of(row),
      })),
    ),
  }));
  return tree.filter(({ text }) => conditionsIn(text) <= MAX_QUERY_TERMS);
}

function conditionsIn(text: string): number {
  return text.split(/[ (]/).filter((part) => /\w/.test(part)).length;
}
