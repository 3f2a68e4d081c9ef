/**
 * Holds API keys to their budgets, without a row or a request of its own.
 *
 * Sessions and rows a day are counted in the registry, by the session objects, and each isolate reads them with the key (every
 * KEY_CACHE_MS). In between it adds what it let through itself, so within an isolate the budget is exact: requests under way have their
 * worst cost reserved. Other isolates are noticed when the count is read again. Requests a minute are counted by isolate only.
 */
import {
  type Budgets,
  isOverBytes,
  nearBudget,
  NO_BUDGETS,
  overBudget,
  rowsOf,
  UNUSED,
  type Used,
} from "../core/access/budget.ts";
import { DAY_MS, MAX_SESSION_ROWS, REQUEST_BYTES } from "../core/limits.ts";
import type { Refusal } from "../core/refusal.ts";
import { MAX_CACHED_KEYS } from "./limits.ts";

type Counts = {
  day: number;
  used: Used;
  /** Sessions that requests under way may open. */
  opening: number;
  /** Rows that requests under way may write. */
  reserved: number;
  /** Bytes of attachments that requests under way may store. */
  uploading: number;
  minute: number;
  requests: number;
};

const byKey = new Map<string, Counts>();

const newCounts = (): Counts => ({
  day: 0,
  used: UNUSED,
  opening: 0,
  reserved: 0,
  uploading: 0,
  minute: 0,
  requests: 0,
});

function countsOf(key: string, now: number): Counts {
  let counts = byKey.get(key);
  if (!counts) {
    if (byKey.size >= MAX_CACHED_KEYS) byKey.clear();
    byKey.set(key, (counts = newCounts()));
  }
  turn(counts, now);
  return counts;
}

/** Begins to count again when a new day or minute has begun. */
function turn(counts: Counts, now: number): void {
  const day = Math.floor(now / DAY_MS);
  const minute = Math.floor(now / 60_000);
  if (counts.day !== day) Object.assign(counts, { day, used: UNUSED });
  if (counts.minute !== minute) Object.assign(counts, { minute, requests: 0 });
}

/** What the registry has of today. It may lack what this isolate let through, so the higher count holds. */
export function noteUsed(key: string, used: Used, now: number): void {
  const counts = countsOf(key, now);
  counts.used = {
    sessions: Math.max(counts.used.sessions, used.sessions),
    object_rows: Math.max(counts.used.object_rows, used.object_rows),
    d1_rows: Math.max(counts.used.d1_rows, used.d1_rows),
    attachment_bytes: Math.max(counts.used.attachment_bytes, used.attachment_bytes),
  };
}

/** What one request costs the budgets of its key. */
export class Spending {
  readonly #budgets: Budgets;
  readonly #counts: Counts;
  #opening = 0;
  #reserved = 0;
  #uploading = 0;
  #requests = 0;

  /** Throws if a budget is used up that holds for every request. */
  constructor(key: string | undefined, budgets: Budgets | undefined, now: number) {
    this.#budgets = budgets ?? NO_BUDGETS;
    this.#counts = key === undefined ? newCounts() : countsOf(key, now);
    const { requests_per_minute: requests, rows_per_day: rows } = this.#budgets;
    if (requests !== null && this.#counts.requests >= requests)
      throw overBudget("requests_per_minute", requests, now);
    if (rows !== null && rowsOf(this.#counts.used) >= rows)
      throw overBudget("rows_per_day", rows, now);
    this.#count(1);
  }

  /** Throws if what was written is more than a budget of the day: for a request that writes in parts. */
  checkDay(now: number): void {
    const { rows_per_day: rows, attachment_mib_per_day: mib } = this.#budgets;
    const { used } = this.#counts;
    if (rows !== null && rowsOf(used) > rows) throw overBudget("rows_per_day", rows, now);
    if (mib !== null && isOverBytes(this.#budgets, used.attachment_bytes))
      throw overBudget("attachment_mib_per_day", mib, now);
  }

  /** Its body, which may still be refused, has this size. */
  received(bytes: number): void {
    this.#count(Math.ceil(bytes / REQUEST_BYTES));
  }

  /** It counts as this many requests, if not as more already. */
  #count(requests: number): void {
    const further = Math.max(0, requests - this.#requests);
    this.#requests += further;
    this.#counts.requests += further;
  }

  /**
   * The request has this size. A request that is larger than what is left of a budget passes while no other is under way: else a small
   * budget would never be used.
   */
  begin({ sessions, bytes }: { sessions: number; bytes: number }): void {
    const { rows_per_day: limit } = this.#budgets;
    this.received(bytes);
    this.#count(sessions);
    // No entry of the catalog takes less than two bytes of a body, and it is two rows.
    const worst = Math.min(sessions * MAX_SESSION_ROWS, bytes);
    const { reserved, used } = this.#counts;
    if (limit !== null && reserved > 0 && rowsOf(used) + reserved + worst > limit)
      throw nearBudget("rows_per_day", limit);
    this.#reserved += worst;
    this.#counts.reserved += worst;
  }

  /** Undefined if the request may open one more session; else the refusal. */
  open(now: number): Refusal | undefined {
    const { sessions_per_day: limit } = this.#budgets;
    const { opening, used } = this.#counts;
    if (limit !== null && used.sessions >= limit) return overBudget("sessions_per_day", limit, now);
    if (limit !== null && used.sessions + opening >= limit)
      return nearBudget("sessions_per_day", limit);
    this.#opening++;
    this.#counts.opening++;
    return undefined;
  }

  /** The request stores this many bytes of an attachment. Throws if that is more than what is left of the budget. */
  upload(bytes: number, now: number): void {
    this.received(bytes);
    const { attachment_mib_per_day: limit } = this.#budgets;
    const { uploading, used } = this.#counts;
    if (limit !== null && isOverBytes(this.#budgets, used.attachment_bytes + bytes))
      throw overBudget("attachment_mib_per_day", limit, now);
    if (limit !== null && isOverBytes(this.#budgets, used.attachment_bytes + uploading + bytes))
      throw nearBudget("attachment_mib_per_day", limit);
    this.#uploading += bytes;
    this.#counts.uploading += bytes;
  }

  /** The request wrote this much. */
  add(cost: Used): void {
    const { used } = this.#counts;
    this.#counts.used = {
      sessions: used.sessions + cost.sessions,
      object_rows: used.object_rows + cost.object_rows,
      d1_rows: used.d1_rows + cost.d1_rows,
      attachment_bytes: used.attachment_bytes + cost.attachment_bytes,
    };
  }

  /** The request is answered: nothing more is reserved for it. */
  close(): void {
    this.#counts.opening -= this.#opening;
    this.#counts.reserved -= this.#reserved;
    this.#counts.uploading -= this.#uploading;
    this.#opening = this.#reserved = this.#uploading = 0;
  }
}
