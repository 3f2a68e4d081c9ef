/** Filters of sessions, shared by the session list, comparisons across sessions and exports. */
import { type SQL, sql } from "drizzle-orm";
import { MAX_TERMS } from "./limits.ts";
import type { HeldQuery } from "../core/answers.ts";
import { foldedTerms } from "../core/text/fold.ts";
import { MAX_DEPTH } from "../core/limits.ts";
import { isIndex, writePath } from "../core/state/path.ts";
import { Refusal } from "../core/refusal.ts";
import { ANY_VALUE, askedTexts, cut, type ValueType } from "../core/state/values.ts";
import { STATUSES } from "../core/vocabulary.ts";
import type { Query } from "../core/query/tree.ts";

/** The statuses that datacat 1.x could filter by, and `failed`. `ended` are sessions that recorded their end, not all that stopped. */
export const STATUS_KINDS = [
  ...STATUSES,
  "failed", // ended, and failed by core/status/outcome.ts
  "succeeded", // ended, and did not fail
  "ever_hung",
  "hung_recovered", // and still runs
  "hung_ended", // hung once, then ended
  "hung_crashed",
] as const;
export type StatusKind = (typeof STATUS_KINDS)[number];

/**
 * What of a session the catalog lists only in part when there is too much (core/limits.ts), as bits of `sessions.left_out`. The filters that depend on it take such
 * a session as one that may pass, and its object is asked.
 */
export const LEFT_OUT_BITS = {
  event_names: 1,
  exceptions: 2,
  state_paths: 4,
  tags: 8,
  series: 32,
} as const;
/** Another bit: there are new series, event names or state values, which are published more rarely than the session's row. */
export const UNPUBLISHED = 16;

/** Whether the state ever had this value, or a list with it, at this path; without value: whether the path existed. */
export type StateFilter = { path: string[]; value?: string; type?: ValueType };

/** A type without a value asks for the empty string, since an empty parameter counts as absent. */
export function stateFilter(path: string[], value?: string, type?: ValueType): StateFilter {
  return { path, value: value ?? (type === undefined ? undefined : emptyOf(type)), type };
}

function emptyOf(type: ValueType): string | undefined {
  return type === "string" ? "" : type === "null" ? "null" : undefined;
}

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
  state?: StateFilter;
  /** Had an event of this name. */
  event?: string;
  /** Had an exception of this fingerprint. */
  exception?: string;
  /** Or one of these, which are merged with it; each in its product. */
  merged?: { product: string; fingerprint: string }[];
  /** Recorded a metric of this name. */
  metric?: string;
  /** And whatever else a query asks for; its ranges of versions are lists (query.ts). */
  query?: Query;
};

/** `ranMs` of core/session/duration.ts as SQL. */
export const RAN_MS = `max(0, coalesce(s.ended_at,
  s.updated_at + iif(s.status IN ('active', 'hung'), max(0, CAST(unixepoch('subsec') * 1000 AS INTEGER) - s.received_at), 0)) - s.created_at)`;

export const KIND: { [kind in StatusKind]: SQL } = {
  active: sql`s.status = 'active'`,
  suspended: sql`s.status = 'suspended'`,
  hung: sql`s.status = 'hung'`,
  crashed: sql`s.status = 'crashed'`,
  ended: sql`s.status = 'ended'`,
  failed: sql`s.failed = 1`,
  succeeded: sql`(s.status = 'ended' AND s.failed = 0)`,
  ever_hung: sql`s.ever_hung = 1`,
  hung_recovered: sql`(s.ever_hung = 1 AND s.recovered = 1 AND s.status <> 'hung')`,
  hung_ended: sql`(s.ever_hung = 1 AND s.status = 'ended')`,
  hung_crashed: sql`(s.ever_hung = 1 AND s.status = 'crashed')`,
};

/** The filter without its query as a condition on `sessions AS s`; undefined if all sessions pass. */
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
    all.push(sql`instr(s.search, ${term}) > 0`); // not LIKE: D1 limits its patterns to 50 bytes
  }
  for (const part of indexed(filter)) all.push(part.mayHave);
  return all.length > 0 ? sql.join(all, sql` AND `) : undefined;
}

/** True for a session of which the catalog does not know whether it passes the filter without its query; undefined if it knows that of all. */
export function uncertain(filter: SessionFilter): SQL | undefined {
  const parts = indexed(filter).map(({ has }) => sql`NOT ${has}`);
  return parts.length > 0 ? sql`(${sql.join(parts, sql` OR `)})` : undefined;
}

/** What a session's object is asked about the filter. */
export function heldQuery({
  event,
  exception,
  merged = [],
  metric,
  tag,
  state,
}: SessionFilter): HeldQuery {
  return {
    event,
    exceptions: exception === undefined ? undefined : [{ fingerprint: exception }, ...merged],
    metric,
    tag,
    state: state && { path: state.path, texts: textsOf(state) },
  };
}

/** The folded terms of a search. Throws a Refusal (invalid_query) if there are too many. */
export function termsOf(text = ""): string[] {
  const terms = [...new Set(foldedTerms(text))];
  if (terms.length > MAX_TERMS)
    throw new Refusal(
      "invalid_query",
      `A search may have ${MAX_TERMS} different terms; this has ${terms.length}.`,
    );
  return terms;
}

/**
 * The filters by lists of the catalog that may be incomplete, as conditions on `sessions AS s`: `has` is certain, `mayHave` includes the
 * sessions whose list is incomplete. The lists of a damaged session may lack what cannot be read.
 */
function indexed(filter: SessionFilter): { has: SQL; mayHave: SQL }[] {
  const parts = sideTables(filter).map(({ table, has, mayHave, bit }) => {
    const exists = (where: SQL) =>
      sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} AS side WHERE side.session_id = s.id AND ${where})`;
    return { has: exists(has), mayHave: sql`(${exists(mayHave)}${orLeftOut(bit)})` };
  });
  if (filter.tag === undefined) return parts;
  const has = sql`EXISTS (SELECT 1 FROM json_each(s.tags) AS tag WHERE tag.value = ${filter.tag})`;
  return [...parts, { has, mayHave: sql`(${has}${orLeftOut(LEFT_OUT_BITS.tags)})` }];
}

export function orLeftOut(bit: number): SQL {
  return sql` OR s.left_out & ${bit} OR s.damaged <> 0`;
}

/** A filter by another table, as conditions on `side`. The indexes of these tables begin with exactly these columns. */
type SideTable = { table: string; has: SQL; mayHave: SQL; bit: number };

export function sideTables(filter: SessionFilter): SideTable[] {
  const { event, exception, merged = [], metric, state } = filter;
  const tables: SideTable[] = [];
  const add = (table: string, has: SQL, bit: number, mayHave = has) =>
    tables.push({ table, has, mayHave, bit });
  if (event !== undefined)
    add("event_counts", sql`side.name = ${event}`, LEFT_OUT_BITS.event_names | UNPUBLISHED);
  if (exception !== undefined)
    add("exceptions", hadOne(exception, merged), LEFT_OUT_BITS.exceptions);
  if (metric !== undefined)
    add("metrics", sql`side.name = ${metric}`, LEFT_OUT_BITS.series | UNPUBLISHED);
  if (state !== undefined) {
    const { has, mayHave } = stateConditions(state);
    add("state_values", has, LEFT_OUT_BITS.state_paths | UNPUBLISHED, mayHave);
  }
  return tables;
}

function hadOne(exception: string, merged: NonNullable<SessionFilter["merged"]>): SQL {
  const same = sql`side.fingerprint = ${exception}`;
  if (merged.length === 0) return same;
  const pairs = JSON.stringify(merged.map(({ product, fingerprint }) => [fingerprint, product]));
  return sql`(${same} OR (side.fingerprint, side.product) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${pairs})))`;
}

function textsOf({ value, type }: StateFilter): string[] | undefined {
  return value === undefined ? undefined : askedTexts(value, type);
}

/** `texts`: of the values that are looked for (core/state/values.ts); undefined: the path alone. */
export function stateConditions(
  state: StateFilter,
  texts = textsOf(state),
): { has: SQL; mayHave: SQL } {
  const path = writePath(state.path);
  // The members of lists have no paths of their own. Where a key may be an index, the list may be at the path before it.
  // A path that is deeper than a state can be is nowhere.
  const keys = state.path.length > MAX_DEPTH ? [] : state.path;
  const lists = keys.flatMap((key, index) =>
    index > 0 && isIndex(key) ? [writePath(keys.slice(0, index))] : [],
  );
  const listed = lists.length > 0 ? sql` OR side.path IN ${lists}` : sql``;
  if (!texts) {
    // "/" follows "." in ASCII: everything below the path.
    const has = sql`(side.path = ${path} OR (side.path >= ${`${path}.`} AND side.path < ${`${path}/`}))`;
    return { has, mayHave: sql`(${has}${listed})` };
  }
  // A text that is cut is equal to that of other values, so it is not certain.
  const whole = texts.filter((text) => cut(text) === text);
  const has = whole.length > 0 ? sql`(side.path = ${path} AND side.value IN ${whole})` : sql`0`;
  const may = [...texts.map(cut), ANY_VALUE];
  return { has, mayHave: sql`((side.path = ${path} AND side.value IN ${may})${listed})` };
}
