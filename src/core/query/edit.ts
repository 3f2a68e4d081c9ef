/** Edits the text of a query: takes conditions out of it. */
import type { Query, Span, Term } from "./tree.ts";

/** The conditions that all have to hold, beside the query's other parts. */
export function termsAtTop(query: Query): Term[] {
  const parts = query.kind === "and" ? query.of : [query];
  return parts.filter((part) => part.kind === "term");
}

/** The text without these terms of `termsAtTop`, and without the ANDs that joined them. */
export function withoutTerms(text: string, terms: readonly Term[]): string {
  const spans = terms.map(({ span }) => span).sort((a, b) => b.from - a.from);
  return spans.reduce(withoutSpan, text).trim();
}

function withoutSpan(text: string, { from, to }: Span): string {
  const before = text.slice(0, from).trimEnd();
  const after = text.slice(to).trimStart();
  const isJoinedBefore = /(?:^|[\s()"])AND$/.test(before);
  const isJoinedAfter = /^AND(?:[\s()]|$)/.test(after);
  if (isJoinedBefore) return `${before.slice(0, -"AND".length).trimEnd()} ${after}`;
  return `${before} ${isJoinedAfter ? after.slice("AND".length).trimStart() : after}`;
}
