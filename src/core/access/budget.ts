/**
 * The budgets of an API key: what may be written with it in a UTC day and in a minute. Over one of them the server answers 429, and the
 * sender keeps what it has and tries again. Pure: access/budget.ts keeps the counts.
 */
import { formatNumber } from "../text/format.ts";
import {
  BUDGET_RETRY_MS,
  DAY_MS,
  DEFAULT_ATTACHMENT_MIB_PER_DAY,
  DEFAULT_REQUESTS_PER_MINUTE,
  DEFAULT_ROWS_PER_DAY,
  DEFAULT_SESSIONS_PER_DAY,
} from "../limits.ts";
import { Refusal } from "../refusal.ts";

/** Null: no limit. */
export type Budgets = {
  /** Sessions that it may open in a day. */
  sessions_per_day: number | null;
  /** Rows written in a day: by session objects, and, counted apart, to catalog and registry. */
  rows_per_day: number | null;
  /** Requests to sessions in a minute: one for each session in a request, or for each part of REQUEST_BYTES if that is more. */
  requests_per_minute: number | null;
  /** MiB of the contents of attachments in a day. */
  attachment_mib_per_day: number | null;
};

export type BudgetName = keyof Budgets;

export const BUDGET_NAMES = [
  "sessions_per_day",
  "rows_per_day",
  "requests_per_minute",
  "attachment_mib_per_day",
] as const;

/** What was written with a key on a day. */
export type Used = {
  sessions: number;
  object_rows: number;
  d1_rows: number;
  attachment_bytes: number;
};

export const UNUSED: Used = { sessions: 0, object_rows: 0, d1_rows: 0, attachment_bytes: 0 };

export const BUDGET_LABELS: Record<BudgetName, string> = {
  sessions_per_day: "new sessions a day",
  rows_per_day: "rows a day",
  requests_per_minute: "requests a minute",
  attachment_mib_per_day: "MiB of attachments a day",
};

/** "5,000 new sessions a day" */
export function budgetText(budget: BudgetName, limit: number): string {
  const label = BUDGET_LABELS[budget];
  return `${formatNumber(limit)} ${limit === 1 ? label.replace("s a ", " a ") : label}`;
}

const MINUTE_MS = 60_000;

export const DEFAULT_BUDGETS: Budgets = {
  sessions_per_day: DEFAULT_SESSIONS_PER_DAY,
  rows_per_day: DEFAULT_ROWS_PER_DAY,
  requests_per_minute: DEFAULT_REQUESTS_PER_MINUTE,
  attachment_mib_per_day: DEFAULT_ATTACHMENT_MIB_PER_DAY,
};

/** Of who writes without a key, and of a key that only reads. */
export const NO_BUDGETS: Budgets = {
  sessions_per_day: null,
  rows_per_day: null,
  requests_per_minute: null,
  attachment_mib_per_day: null,
};

/** The rows that a day's budget is compared with. The plans limit those of objects and of D1 apart, each to the same number. */
export function rowsOf({ object_rows, d1_rows }: Used): number {
  return Math.max(object_rows, d1_rows);
}

const MIB = 1024 * 1024;

/** Whether this many bytes of attachments are more than what is left of the budget. */
export function isOverBytes({ attachment_mib_per_day: limit }: Budgets, bytes: number): boolean {
  return limit !== null && bytes > limit * MIB;
}

/** The daily budgets that are used up: with one of them the sender waits for the next day. */
export function usedUp(budgets: Budgets, used: Used): BudgetName[] {
  const counts = {
    sessions_per_day: used.sessions,
    rows_per_day: rowsOf(used),
    // With less left than a chunk, an attachment waits as well.
    attachment_mib_per_day: Math.ceil(used.attachment_bytes / MIB),
  };
  return (["sessions_per_day", "rows_per_day", "attachment_mib_per_day"] as const).filter(
    (name) => {
      const limit = budgets[name];
      return limit !== null && counts[name] >= limit;
    },
  );
}

/**
 * The refusal of what is over a budget. A day may be long, and its budget may be raised meanwhile, so the sender tries again after
 * BUDGET_RETRY_MS at most.
 */
export function overBudget(budget: BudgetName, limit: number, now: number): Refusal {
  const period = budget === "requests_per_minute" ? MINUTE_MS : DAY_MS;
  const until = (Math.floor(now / period) + 1) * period;
  const wait = Math.ceil(Math.min(until - now, BUDGET_RETRY_MS) / 1_000);
  return new Refusal(
    "too_many_requests",
    `The budget of this API key, ${budgetText(budget, limit)}, is used up until ${timeOf(until)}. ` +
      "The sender keeps what it has and sends it then. To go on now, raise the budget under Settings, API keys.",
    { budget, limit, until, retry_after: wait },
  );
}

/** The refusal of what could exceed a budget together with requests that are being applied. */
export function nearBudget(budget: BudgetName, limit: number): Refusal {
  return new Refusal(
    "too_many_requests",
    `What is being applied for this API key may use up its budget of ${budgetText(budget, limit)}. Try again in a second.`,
    { budget, limit, retry_after: 1 },
  );
}

/** "2026-11-29 00:00 UTC" */
function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
