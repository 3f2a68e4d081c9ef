/**
 * Ranges of versions in a query. Versions have an order that SQL does not know, so a range becomes the list of those known versions
 * that are in it.
 */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { VersionSeen } from "../../core/query/order.ts";
import { isOneOf } from "../../core/query/evaluate.ts";
import { leavesOf, type Match, type Query } from "../../core/query/tree.ts";
import { Refusal } from "../../core/refusal.ts";
import { MAX_VERSION_RANGES, PARAMETER_LENGTH } from "../limits.ts";
import type { SessionFilter } from "./filter.ts";

/** The filter with its ranges of versions as lists. Throws a Refusal (invalid_query) if there are too many, or too many versions. */
export async function withKnownVersions(
  db: D1Database,
  filter: SessionFilter,
): Promise<SessionFilter> {
  const { query, product } = filter;
  const ranges = query ? versionRanges(query) : 0;
  if (!query || ranges === 0) return filter;
  if (ranges > MAX_VERSION_RANGES)
    throw new Refusal(
      "invalid_query",
      `A query may have ${MAX_VERSION_RANGES} ranges of versions; this has ${ranges}.`,
      { position: 0 },
    );
  const known = (await versionsSeen(db, product)).map(({ version }) => version);
  return { ...filter, query: withVersions(query, known) };
}

/**
 * The versions of a product, or of all. Each is looked up after the one before, since a version may have a row for every day of years, and SQLite has no skip
 * scan. Throws a Refusal (invalid_query) if there are too many.
 */
export async function versionsSeen(
  db: D1Database,
  product: string | undefined,
): Promise<VersionSeen[]> {
  const first =
    product === undefined ? sql`SELECT min(product) FROM version_days` : sql`SELECT ${product}`;
  const others = product === undefined ? sql`product IS NOT NULL` : sql`0`;
  const seen = await drizzle(db).all<VersionSeen>(
    sql`WITH RECURSIVE products (product) AS (
          ${first} UNION ALL
          SELECT (SELECT min(v.product) FROM version_days AS v WHERE v.product > products.product) FROM products WHERE ${others}),
        seen (product, version) AS (
          SELECT product, (SELECT min(v.version) FROM version_days AS v WHERE v.product = products.product) FROM products WHERE product IS NOT NULL
          UNION ALL
          SELECT product, (SELECT min(v.version) FROM version_days AS v WHERE v.product = seen.product AND v.version > seen.version) FROM seen
          WHERE version IS NOT NULL)
        SELECT version, min((SELECT first_at FROM version_days AS v WHERE v.product = seen.product AND v.version = seen.version ORDER BY day LIMIT 1)) AS first_at
        FROM seen WHERE version IS NOT NULL GROUP BY version`,
  );
  if (seen.reduce((sum, { version }) => sum + version.length, 0) > PARAMETER_LENGTH / 2)
    throw new Refusal(
      "invalid_query",
      "There are too many versions to search or to sort by their order: name the product, or versions with *.",
      { position: 0 },
    );
  return seen;
}

/** The query with each range of versions as the list of those known versions that are in it. */
function withVersions(query: Query, known: readonly string[]): Query {
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
function versionRanges(query: Query): number {
  return [...leavesOf(query)].reduce((count, leaf) => {
    const isVersion =
      leaf.kind === "term" && leaf.field.kind === "plain" && leaf.field.name === "version";
    return count + (isVersion ? leaf.any.filter((match) => match.kind === "range").length : 0);
  }, 0);
}
