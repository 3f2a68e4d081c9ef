/**
 * Exception groups that people merged (registry/merges.ts), as one: parts of statements. A session that had several of them is counted
 * once. The cost is that of the sessions that had any but the most frequent of them, at most MERGED_SESSIONS.
 */
import { type SQL, sql } from "drizzle-orm";
import { MERGED_SESSIONS } from "./limits.ts";

/** Fingerprints of one product that are one group, whose name is that of the first. */
export type MergedGroup = { product: string; members: string[] };

/**
 * Common tables: `part`, the groups that are merged, each with its `whole` (the place of its merged group in the list); `shared`, sessions
 * that may have several parts of one; `repeated`, the rows of `exceptions` by which these would be counted again.
 */
export function mergedTables(groups: MergedGroup[]): SQL {
  const rows = groups.flatMap(({ product, members }, whole) =>
    members.map((fingerprint) => [whole, product, fingerprint, members[0]]),
  );
  return sql`member AS MATERIALIZED (
      SELECT value ->> 0 AS whole, value ->> 1 AS product, value ->> 2 AS fingerprint, value ->> 3 AS name
      FROM json_each(${JSON.stringify(rows)})),
    part AS MATERIALIZED (
      SELECT m.whole, m.name, g.*, row_number() OVER (PARTITION BY m.whole ORDER BY g.last_at DESC, g.fingerprint) AS newest,
        row_number() OVER (PARTITION BY m.whole ORDER BY g.sessions DESC, g.fingerprint) AS largest
      FROM member AS m CROSS JOIN exception_groups AS g ON g.product = m.product AND g.fingerprint = m.fingerprint
      WHERE g.sessions > 0),
    shared AS MATERIALIZED (
      SELECT DISTINCT whole, session_id FROM (
        SELECT p.whole, e.session_id FROM part AS p CROSS JOIN exceptions AS e ON e.fingerprint = p.fingerprint
        WHERE p.largest > 1 AND e.product = p.product LIMIT ${MERGED_SESSIONS})),
    repeated AS MATERIALIZED (
      SELECT whole, first_at, version FROM (
        SELECT s.whole, e.first_at, e.version, row_number() OVER (PARTITION BY s.whole, s.session_id ORDER BY e.first_at, e.fingerprint) AS place
        FROM shared AS s CROSS JOIN exceptions AS e ON e.session_id = s.session_id
        JOIN part AS p ON p.whole = s.whole AND p.fingerprint = e.fingerprint AND p.product = e.product)
      WHERE place > 1)`;
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
