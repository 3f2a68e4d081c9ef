/** Which sessions: the filters that the session list, comparisons across sessions and exports share. */
import { type SQL, sql } from "drizzle-orm";
import { MAX_WORDS } from "./limits.ts";
import { ANY_VALUE, valueText } from "../core/values.ts";

/** All that datacat 1.x could ask for, each its own meaning: `ended` is a goodbye, not everything that stopped. */
export const STATUS_KINDS = [
  "active", // running and heard of
  "suspended", // nobody speaks for it
  "hung", // heartbeats stopped, now
  "crashed",
  "ended",
  "ever_hung",
  "hung_recovered", // and goes on
  "hung_ended", // hung once, ended well
  "hung_crashed",
] as const;
export type StatusKind = (typeof STATUS_KINDS)[number];

/**
 * How sessions without a product or version are asked for, in an address, a form or the API: an empty field there is one that
 * nobody filled in. Nothing that someone would call a product.
 */
const UNNAMED = "(none)";

/** The product or version that a filter's word means. */
export function nameAsked(word: string): string {
  return word === UNNAMED ? "" : word;
}

/** The word that asks for a product or version. */
export function asking(name: string): string {
  return name === "" ? UNNAMED : name;
}

/** Everything is optional, and all that is given must hold. */
export type SessionFilter = {
  product?: string;
  version?: string;
  /** Any of these. */
  status?: StatusKind[];
  machine?: string;
  hostname?: string;
  /** Begun in [from, to). */
  from?: number;
  to?: number;
  /** Words, all of which occur in id, product, version, host, machine, headline or tags. */
  text?: string;
  tag?: string;
  /** Ever in a state where this path (keys joined by dots) held this value, or a list with it; without value: where it existed. */
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

const WORDS = sql`lower(s.id || ' ' || s.product || ' ' || s.version || ' ' || s.hostname || ' ' || s.machine_id || ' ' || s.headline || ' ' || s.tags)`;

/** The filter as a condition on `sessions AS s`; nothing if it lets all pass. */
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
  for (const word of wordsOf(filter.text)) {
    all.push(sql`instr(${WORDS}, ${word}) > 0`); // not LIKE: its patterns end at 50 bytes here
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

/** What to look for with instr(lower(…)): SQLite's lower() knows ASCII only. Words beyond MAX_WORDS narrow nothing down. */
export function wordsOf(text = ""): string[] {
  const words = text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()).split(/\s+/);
  return words.filter(Boolean).slice(0, MAX_WORDS);
}

/** The filters that other tables answer, as conditions on `side`. Their indexes begin with exactly these columns. */
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
