/** The sessions that may pass a filter, as SQL: its conditions on `sessions AS s` and `details AS d`, and the candidates that are verified by them. */
import { type SQL, sql } from "drizzle-orm";
import { CANDIDATE_MICROS, SCAN_MICROS, SCAN_SESSIONS } from "../limits.ts";
import { all, type Candidates, keysOf } from "./candidates.ts";
import type { SessionFilter } from "./filter.ts";
import { rowsOf } from "./parameters.ts";
import { compile, conditionOf } from "./query.ts";
import { withKnownVersions } from "./version-ranges.ts";

/** A filter, compiled. */
export type Search = {
  /** True for the sessions that may pass. */
  may: SQL;
  /** True for those of which the catalog does not know whether they pass the filter without its query, and with it. */
  unsure: SQL;
  unsureQuery: SQL;
  among: Candidates;
  /** Whether it depends on lists. */
  isListed: boolean;
  /** How many candidates one scan reads. */
  limit: number;
  from: number | undefined;
  to: number | undefined;
};

/** Throws a Refusal (invalid_query) for a query of too many versions. `cost`: microseconds that each candidate takes beside its conditions. */
export async function searchOf(db: D1Database, filter: SessionFilter, cost = 0): Promise<Search> {
  const { query, from, to } = await withKnownVersions(db, filter);
  const [fields, rest] = [conditionOf(filter), compile(query)];
  const each = CANDIDATE_MICROS.row + fields.cost + rest.cost + cost;
  return {
    may: sql`${fields.may} AND ${rest.may}`,
    unsure: fields.cost > 0 ? sql`NOT ${fields.has}` : sql`0`,
    unsureQuery: rest.cost > 0 ? sql`NOT ${rest.has}` : sql`0`,
    among: all([fields.among, rest.among]),
    isListed: fields.cost + rest.cost > 0,
    limit: Math.min(SCAN_SESSIONS, Math.floor(SCAN_MICROS / each)),
    from,
    to,
  };
}

/** The key after which candidates are read, in order of their keys. */
export type ScanStart = { after: number | undefined; descending: boolean };

/**
 * `FROM sessions AS s … WHERE …`: the sessions that may pass, with their details as d, which may be missing. Those of the candidates between `after` and the
 * end of the scan, in order of their keys, of which `limit` are read.
 */
export function found(search: Search, { after, descending = true }: Partial<ScanStart> = {}): SQL {
  return sql`FROM ${candidates(search, { after, descending })} ${WITH_DETAILS} WHERE ${search.may}`;
}

export const WITH_DETAILS = sql.raw("LEFT JOIN details AS d ON d.key = s.key");

/** The candidates with their rows as s, in FROM. */
export function candidates(search: Search, start: ScanStart): SQL {
  return sql`(${scan(search, start)}) AS c CROSS JOIN sessions AS s ON s.key = c.key`;
}

function scan({ among, from, to, limit }: Search, start: ScanStart): SQL {
  return keysOf(among, { from, to, ...start, limit });
}

/** Where a scan ends that reads as many candidates as it may; undefined if there are fewer. */
export async function scanEnd(
  db: D1Database,
  search: Search,
  start: ScanStart,
): Promise<{ key: number; created_at: number } | undefined> {
  const [last] = await rowsOf<{ key: number; created_at: number }>(
    db,
    sql`SELECT s.key, s.created_at FROM (SELECT key FROM (${scan(search, start)}) LIMIT 1 OFFSET ${search.limit - 1}) AS c
          CROSS JOIN sessions AS s ON s.key = c.key`,
  );
  return last;
}
