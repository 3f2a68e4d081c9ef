/** Filters of sessions, shared by the session list, comparisons across sessions and exports. */
import { type SQL, sql } from "drizzle-orm";
import { MAX_TERMS } from "../limits.ts";
import type { HeldQuery } from "../../core/questions/held.ts";
import { foldedTerms } from "../../core/text/fold.ts";
import { searchable } from "../../core/session/searched.ts";
import { Refusal } from "../../core/refusal.ts";
import { askedTexts, type ValueType } from "../../core/state/values.ts";
import { STATUSES } from "../../core/vocabulary.ts";
import type { Query } from "../../core/query/tree.ts";

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
 * What of a session the catalog lists only in part when there is too much (core/limits.ts), as bits of `sessions.left_out`. The
 * filters that depend on it take such a session as one that may pass, and its object is asked.
 */
export const LEFT_OUT_BITS = {
  event_names: 1,
  exceptions: 2,
  state_paths: 4,
  tags: 8,
  series: 32,
  searched: 64, // of a text search
  tests: 128, // by name
  attachments: 256, // by name
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
  /** Search terms, each of which occurs in a text of the session: those of its row, and those of core/session/searched.ts. */
  text?: string;
  /** Texts that may have blanks, each of which occurs likewise. */
  phrases?: string[];
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
  /** Had a test of this name (core/tests/listed.ts). */
  test?: string;
  /** And whatever else a query asks for; its ranges of versions are lists (version-ranges.ts). */
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

/** What a session's object is asked about the filter. */
export function heldQuery({
  event,
  exception,
  merged = [],
  metric,
  tag,
  state,
  test,
  text,
  phrases = [],
  query,
}: SessionFilter): HeldQuery {
  const terms = [...termsOf(text), ...phrases.map(searchable)];
  return {
    event,
    exceptions: exception === undefined ? undefined : [{ fingerprint: exception }, ...merged],
    metric,
    tag,
    state: state && { path: state.path, texts: textsOf(state) },
    test,
    terms: terms.length > 0 ? terms : undefined,
    rest: query,
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

/** The texts of the values that are looked for (core/state/values.ts). */
export function textsOf({ value, type }: StateFilter): string[] | undefined {
  return value === undefined ? undefined : askedTexts(value, type);
}
