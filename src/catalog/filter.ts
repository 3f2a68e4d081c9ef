/** Filters of sessions, shared by the session list, comparisons across sessions and exports. */
import { type SQL, sql } from "drizzle-orm";
import { MAX_TERMS } from "./limits.ts";
import { ANY_VALUE, valueText } from "../core/values.ts";
import { STATUSES } from "../core/vocabulary.ts";

/** The statuses that datacat 1.x could filter by. `ended` are sessions that recorded their end, not all that stopped. */
export const STATUS_KINDS = [
  ...STATUSES,
  "ever_hung",
  "hung_recovered", // and still runs
  "hung_ended", // hung once, then ended
  "hung_crashed",
] as const;
export type StatusKind = (typeof STATUS_KINDS)[number];

/** All conditions are optional; a session passes if it meets all that are set. */
export type SessionFilter = {
  product?: string;
  version?: string;
  /** Any of these. */
  status?: StatusKind[];
  machine?: string;
  hostname?: string;
  /** Start in [from, to). */
  from?: number;
  to?: number;
  /** Search terms, each of which occurs in id, product, version, host, machine, headline or tags. */
  text?: string;
  tag?: string;
  /** Whether the state ever had this value, or a list with it, at this path (keys joined by dots); without value: whether the path existed. */
  state?: { path: string; value?: string };
  /** Had an event of this name. */
  event?: string;
  /** Had an exception of this fingerprint. */
  exception?: string;
  /** Recorded a metric of this name. */
  metric?: string;
};

const KIND: { [kind in StatusKind]: SQL } = {
  active: sql`s.status = 'active'`,
  suspended: sql`s.status = 'suspended'`,
  hung: sql`s.status = 'hung'`,
  crashed: sql`s.status = 'crashed'`,
  ended: sql`s.status = 'ended'`,
  ever_hung: sql`s.ever_hung = 1`,
  hung_recovered: sql`(s.ever_hung = 1 AND s.recovered = 1 AND s.status <> 'hung')`,
  hung_ended: sql`(s.ever_hung = 1 AND s.status = 'ended')`,
  hung_crashed: sql`(s.ever_hung = 1 AND s.status = 'crashed')`,
};

const SEARCHED = sql`lower(s.id || ' ' || s.product || ' ' || s.version || ' ' || s.hostname || ' ' || s.machine_id || ' ' || s.headline || ' ' || s.tags)`;

/** The filter as a condition on `sessions AS s`; undefined if all sessions pass. */
export function condition(filter: SessionFilter): SQL | undefined {
  const all: SQL[] = [];
  if (filter.product !== undefined) all.push(sql`s.product = ${filter.product}`);
  if (filter.version !== undefined) all.push(sql`s.version = ${filter.version}`);
  if (filter.status?.length) {
    all.push(
      sql`(${sql.join(
        filter.status.map((kind) => KIND[kind]),
        sql` OR `,
      )})`,
    );
  }
  if (filter.machine !== undefined) all.push(sql`s.machine_id = ${filter.machine}`);
  if (filter.hostname !== undefined) all.push(sql`s.hostname = ${filter.hostname}`);
  if (filter.from !== undefined) all.push(sql`s.created_at >= ${filter.from}`);
  if (filter.to !== undefined) all.push(sql`s.created_at < ${filter.to}`);
  for (const term of termsOf(filter.text)) {
    all.push(sql`instr(${SEARCHED}, ${term}) > 0`); // not LIKE: D1 limits its patterns to 50 bytes
  }
  if (filter.tag !== undefined) {
    all.push(sql`EXISTS (SELECT 1 FROM json_each(s.tags) AS tag WHERE tag.value = ${filter.tag})`);
  }
  for (const { table, where } of sideTables(filter)) {
    all.push(
      sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} AS side WHERE side.session_id = s.id AND ${where})`,
    );
  }
  return all.length > 0 ? sql.join(all, sql` AND `) : undefined;
}

/** Search terms for instr(lower(…)), lowercase in ASCII only, as SQLite's lower(). Those after the first MAX_TERMS are ignored. */
export function termsOf(text = ""): string[] {
  const terms = text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()).split(/\s+/);
  return terms.filter(Boolean).slice(0, MAX_TERMS);
}

/** The filters by other tables, as conditions on `side`. The indexes of these tables begin with exactly these columns. */
export function sideTables(filter: SessionFilter): { table: string; where: SQL }[] {
  const { event, exception, metric, state } = filter;
  const tables: { table: string; where: SQL }[] = [];
  if (event !== undefined) tables.push({ table: "event_counts", where: sql`side.name = ${event}` });
  if (exception !== undefined)
    tables.push({ table: "exceptions", where: sql`side.fingerprint = ${exception}` });
  if (metric !== undefined) tables.push({ table: "metrics", where: sql`side.name = ${metric}` });
  if (state !== undefined) {
    const value =
      state.value === undefined
        ? sql``
        : sql` AND side.value IN (${valueText(state.value)}, ${ANY_VALUE})`;
    tables.push({ table: "state_values", where: sql`side.path = ${state.path}${value}` });
  }
  return tables;
}
