/**
 * Ranges of versions in a query. Versions have an order that SQL does not know, so a range becomes the list of those known versions
 * that are in it.
 */
import { isOneOf } from "../../core/query/evaluate.ts";
import { leavesOf, type Match, type Query } from "../../core/query/tree.ts";

/** The query with each range of versions as the list of those known versions that are in it. */
export function withVersions(query: Query, known: readonly string[]): Query {
  switch (query.kind) {
    case "and":
    case "or":
      return { ...query, of: query.of.map((part) => withVersions(part, known)) };
    case "not":
      return { ...query, of: withVersions(query.of, known) };
    case "phrase":
      return query;
    case "term": {
      if (!hasVersionRange(query)) return query;
      const others = query.any.filter((match) => match.kind !== "range");
      const ranges = query.any.filter((match) => match.kind === "range");
      const texts = known.filter(isOneOf(ranges, "version"));
      const within = texts.map((text): Match => ({ kind: "is", text, isQuoted: true }));
      return { ...query, any: [...others, ...within] };
    }
  }
}

function hasVersionRange(leaf: Query): boolean {
  return versionRanges(leaf) > 0;
}

/** How many ranges of versions a query has. */
export function versionRanges(query: Query): number {
  return [...leavesOf(query)].reduce((count, leaf) => {
    const isVersion =
      leaf.kind === "term" && leaf.field.kind === "plain" && leaf.field.name === "version";
    return count + (isVersion ? leaf.any.filter((match) => match.kind === "range").length : 0);
  }, 0);
}
