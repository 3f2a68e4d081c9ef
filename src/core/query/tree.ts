/**
 * A query as a tree: what parse.ts makes of the text, and catalog/search/query.ts compiles for sessions and evaluate.ts for the
 * rows of other lists.
 */

/** Where a part is in the text of the query: characters from `from` to before `to`. */
export type Span = { from: number; to: number };

export type Query =
  | { kind: "and"; of: Query[] } // of none: every session passes
  | { kind: "or"; of: Query[] }
  | { kind: "not"; of: Query }
  | Phrase
  | Term;

/** A part without blanks, or in quotes: a text of the session contains it. */
type Phrase = { kind: "phrase"; text: string; span: Span };

/** A condition on a field. `isNot`: the session has a value there, and none of these. */
export type Term = { kind: "term"; field: Field; any: Match[]; isNot: boolean; span: Span };

/** A field of the list, with a path below it where it may have one; or one with a path, a name or a key of its own. */
export type Field =
  | { kind: "plain"; name: string; path?: string[] }
  | { kind: "state"; when: StateTime; path: string[] }
  | { kind: "metric"; metric: string; statistic: string }
  | { kind: "tag"; key: string };

/** The value that a path has now or had last; any value that it ever had; the one that it had when the session ended. */
type StateTime = "state" | "ever" | "at_end";

export type Match =
  | { kind: "any" }
  | { kind: "is"; text: string; isQuoted: boolean }
  /** A text that begins with `start`, ends with `end`, and has `middle` between them. */
  | { kind: "like"; start: string; middle: string; end: string }
  | Range<number>
  /** Versions, by order.ts. */
  | Range<string>;

/** Without a bound it is open on that side. Times in epoch milliseconds, durations in milliseconds, sizes in bytes. */
export type Range<Value> = { kind: "range"; from?: Bound<Value>; to?: Bound<Value> };
type Bound<Value> = { value: Value; isIncluded: boolean };

export const EVERY: Query = { kind: "and", of: [] };

/** All terms and phrases of a query. */
export function* leavesOf(query: Query): Generator<Term | Phrase> {
  if (query.kind === "and" || query.kind === "or")
    for (const part of query.of) yield* leavesOf(part);
  else if (query.kind === "not") yield* leavesOf(query.of);
  else yield query;
}

/** The texts that a query looks for, but those behind NOT. */
export function phrasesOf(query: Query): string[] {
  if (query.kind === "phrase") return [query.text];
  return query.kind === "and" || query.kind === "or" ? query.of.flatMap(phrasesOf) : [];
}
