/**
 * Exception groups that people merged (registry/merges.ts), as one: parts of statements. A session that had several of them is counted
 * once. The cost is that of the sessions that had several, at most MERGED_SESSIONS.
 */
import { type SQL, sql } from "drizzle-orm";
import { columnOf, detailKey } from "./tables/details.ts";
import { MERGED_SESSIONS } from "./limits.ts";
import { TOKEN } from "./tables/posting.ts";

/** Fingerprints of one product that are one group, whose name is that of the first. */
export type MergedGroup = { product: string; members: string[] };

/**
 * Common tables: `part`, the groups that are merged, each with its `whole` (the place of its merged group in the list); `shared`, sessions
 * that may have several parts of one; `repeated`, the exceptions by which these would be counted again.
 */
export function mergedTables(groups: MergedGroup[]): SQL {
  const rows = groups.flatMap(({ product, members }, whole) =>
    members.map((fingerprint) => [
      whole,
      product,
      fingerprint,
      members[0],
      `$.${detailKey(fingerprint)}`,
    ]),
  );
  const several = groups.flatMap(({ product, members }, whole) => {
    const expression = twoOf(members.map(TOKEN.fingerprint));
    return expression === undefined
      ? []
      : [[whole, product, `${TOKEN.product(product)} AND ${expression}`]];
  });
  const column = (name: Parameters<typeof columnOf<"exceptions">>[1]) =>
    sql.raw(columnOf("exceptions", name, "e"));
  return sql`member AS MATERIALIZED (
      SELECT value ->> 0 AS whole, value ->> 1 AS product, value ->> 2 AS fingerprint, value ->> 3 AS name, value ->> 4 AS place
      FROM json_each(${JSON.stringify(rows)})),
    part AS MATERIALIZED (
      SELECT m.whole, m.name, m.place AS in_details, g.*,
        row_number() OVER (PARTITION BY m.whole ORDER BY g.last_at DESC, g.fingerprint) AS newest
      FROM member AS m CROSS JOIN exception_groups AS g ON g.product = m.product AND g.fingerprint = m.fingerprint
      WHERE g.sessions > 0),
    shared AS MATERIALIZED (
      SELECT asked.value ->> 0 AS whole, s.key, s.version
      FROM json_each(${JSON.stringify(several)}) AS asked CROSS JOIN postings ON postings MATCH asked.value ->> 2
      CROSS JOIN sessions AS s ON s.key = postings.rowid
      WHERE s.product = asked.value ->> 1 LIMIT ${MERGED_SESSIONS}),
    repeated AS MATERIALIZED (
      SELECT whole, first_at, version FROM (
        SELECT s.whole, s.version, ${column("first_at")} AS first_at,
          row_number() OVER (PARTITION BY s.whole, s.key ORDER BY ${column("first_at")}, p.fingerprint) AS place
        FROM shared AS s CROSS JOIN part AS p ON p.whole = s.whole CROSS JOIN details AS d ON d.key = s.key
        CROSS JOIN json_each(d.exceptions, p.in_details) AS e WHERE ${column("fingerprint")} = p.fingerprint)
      WHERE place > 1)`;
}

/**
 * What finds the postings with at least two of the tokens; undefined of less than two tokens. As long as the tokens, times the
 * logarithm of their number.
 */
function twoOf(tokens: string[]): string | undefined {
  if (tokens.length < 2) return undefined;
  const half = tokens.length >> 1;
  const halves = [tokens.slice(0, half), tokens.slice(half)];
  const oneOfEach = halves.map((some) => `(${some.join(" OR ")})`).join(" AND ");
  const twoOfOne = halves.map(twoOf).filter((some) => some !== undefined);
  return `(${[`(${oneOfEach})`, ...twoOfOne].join(" OR ")})`;
}

/** What each row of `exception_groups` has, of the merged groups: the texts are those of the first member, the example is the newest. */
export const MERGED_GROUPS = sql.raw(`
  SELECT product, name AS fingerprint, ${["type", "message", "place"].map(ofFirst).join()}, group_concat(search, ' ') AS search,
    sum(sessions) - (SELECT count(*) FROM repeated WHERE repeated.whole = part.whole) AS sessions,
    sum(count) AS count, sum(unhandled) AS unhandled, min(first_at) AS first_at, max(last_at) AS last_at,
    ${["session_id", "session_at", "session_seq"].map(ofNewest).join()}, json_group_array(fingerprint) AS fingerprints,
    (SELECT count(*) FROM shared) >= ${MERGED_SESSIONS} AS is_at_most
  FROM part GROUP BY whole`);

/** Without sessions of the first member, those of the newest. */
function ofFirst(column: string): string {
  return `coalesce(max(${column}) FILTER (WHERE fingerprint = name), max(${column}) FILTER (WHERE newest = 1)) AS ${column}`;
}

function ofNewest(column: string): string {
  return `max(${column}) FILTER (WHERE newest = 1) AS ${column}`;
}
