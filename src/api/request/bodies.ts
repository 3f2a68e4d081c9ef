/** Bodies of requests as JSON, parsed once. Ops are in core/wire.ts, batches in core/batch.ts, those of 1.x in legacy.ts. */
import * as v from "valibot";
import type { BudgetName } from "../../core/access/budget.ts";
import { MAX_BUDGET, MAX_NAME_LENGTH } from "../../core/limits.ts";
import { GROUP_STATUSES, KEY_KINDS } from "../../core/vocabulary.ts";
import { Id } from "../../core/wire-fields.ts";
import { MAX_MERGED_GROUPS } from "../../registry/limits.ts";
import { REINDEX_AT_ONCE } from "../../session/limits.ts";

/** What is decided about a group of exceptions. */
export const Decision = v.object({
  product: v.string(),
  status: v.picklist(GROUP_STATUSES),
  /** The version that contains the fix, if it is known. */
  version: v.optional(v.string()),
});

export const Merges = v.object({
  product: v.string(),
  /** Of the groups to merge into this one, each with what is merged into it. */
  fingerprints: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(MAX_MERGED_GROUPS)),
});

const name = v.pipe(v.string(), v.maxLength(MAX_NAME_LENGTH));
const budget = v.optional(
  v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_BUDGET))),
);
/** Null: no limit. Absent: the default, or as it is. */
const budgets = {
  sessions_per_day: budget,
  rows_per_day: budget,
  requests_per_minute: budget,
  attachment_mib_per_day: budget,
} satisfies { [name in BudgetName]: typeof budget };
export const NewKey = v.object({
  kind: v.picklist(KEY_KINDS),
  /** The only product that it is for. */
  product: v.optional(name),
  label: v.optional(name, ""),
  continues_others: v.optional(v.boolean(), false),
  ...budgets,
  /** The only web pages that may use it. */
  origins: v.optional(v.array(name), []),
});
export const KeyChange = v.pipe(
  v.object({ continues_others: v.optional(v.boolean()), ...budgets }),
  v.check((change) => Object.keys(change).length > 0, "It names nothing to change."),
);

const ObjectId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
export const Reindex = v.object({
  sessions: v.optional(v.pipe(v.array(v.string()), v.maxLength(REINDEX_AT_ONCE))),
  objects: v.optional(v.pipe(v.array(ObjectId), v.maxLength(REINDEX_AT_ONCE))),
  cursor: v.optional(v.union([Id, v.pipe(v.string(), v.regex(/^~-?\d{1,16}$/))])),
});
