/** Products and their versions, counted without counting sessions: each version has a row for each day on which sessions of it began. */
import { and, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../core/limits.ts";
import { TREND_DAYS } from "./limits.ts";
import { SUMS } from "./publication/counts.ts";

export type VersionCounts = {
  product: string;
  version: string;
  sessions: number;
  active: number;
  suspended: number;
  hung: number;
  crashed: number;
  ended: number;
  /** Of those that ended: with an exit code other than 0, by a signal, or after an uncaught exception. */
  failed: number;
  ever_hung: number;
  /** Start of its first and of its newest session. */
  first_at: number;
  last_at: number;
  /** Stored by the objects of its sessions that are over. */
  bytes: number;
  /** Test runs that are over, and those of them that crashed or failed. */
  test_runs: number;
  failed_runs: number;
};

/** One version's sessions that began on one UTC day (epoch milliseconds of its midnight). */
export type VersionDay = {
  day_at: number;
  product: string;
  version: string;
  sessions: number;
  crashed: number;
  failed: number;
  ever_hung: number;
};

/** Every version of every product, or of one; the one used last comes first. */
export async function versions(db: D1Database, product?: string): Promise<VersionCounts[]> {
  const where = product === undefined ? sql`` : sql`WHERE ${isOf(product)}`;
  return drizzle(db).all<VersionCounts>(
    sql`SELECT product, version, ${COUNTS}, min(first_at) AS first_at, max(last_at) AS last_at
        FROM version_days ${where} GROUP BY product, version HAVING sum(sessions) > 0
        ORDER BY max(max(last_at)) OVER (PARTITION BY product) DESC, product, max(last_at) DESC`,
  );
}

const COUNTS = sql.raw(SUMS.map((column) => `sum(${column}) AS ${column}`).join());

/** Whether a version has sessions. */
export async function hasSessions(
  db: D1Database,
  { product, version }: { product: string; version: string },
): Promise<boolean> {
  const rows = await drizzle(db).all(
    sql`SELECT 1 FROM version_days WHERE product = ${product} AND version = ${version} AND sessions > 0 LIMIT 1`,
  );
  return rows.length > 0;
}

/** The last days of every version, oldest first; days without sessions are left out. */
export async function versionDays(
  db: D1Database,
  now: number,
  { product, days = TREND_DAYS }: { product?: string; days?: number } = {},
): Promise<VersionDay[]> {
  const since = Math.floor(now / DAY_MS) - days;
  return drizzle(db).all<VersionDay>(
    sql`SELECT day * ${DAY_MS} AS day_at, product, version, sessions, crashed, failed, ever_hung FROM version_days
        WHERE ${and(sql`day > ${since} AND sessions > 0`, isOf(product))} ORDER BY day, product, version`,
  );
}

function isOf(product: string | undefined): SQL | undefined {
  return product === undefined ? undefined : sql`product = ${product}`;
}

/** The share of sessions without a crash, a failure or a hang: exact, of all that the catalog holds. Null without sessions. */
export function freeRate(sessions: number, failed: number): number | null {
  return sessions > 0 ? (sessions - failed) / sessions : null;
}
