/** What a session publishes to the catalog. */
import type { InferInsertModel } from "drizzle-orm";
import type { ListedTest } from "../../core/tests/listed.ts";
import type { TestRows } from "../publication/test-rows.ts";
import type {
  AttachmentName,
  EventCount,
  ExceptionCount,
  SearchedText,
  SeriesFigures,
  SeriesRollup,
  StateValue,
} from "./details.ts";
import type { sessions } from "./schema.ts";

/**
 * One session as the catalog knows it. Columns are explained in schema.ts, lists in details.ts. `session` is always whole. Of the
 * scope "all" the lists replace those of the catalog. Of "row" they stay as they are in the catalog, and come empty: for when
 * nothing else changed that has a token of the session's own row (posting.ts rowTokens), nor its start.
 */
export type Publication = {
  session: Omit<SessionRow, "key" | "writes" | "posting_mark" | "details_mark">;
  scope: "row" | "all";
  metrics: (SeriesFigures & SeriesRollup)[];
  event_counts: EventCount[];
  exceptions: ExceptionCount[];
  state_values: StateValue[];
  attachments: AttachmentName[];
  tests: ListedTest[];
  texts: SearchedText[];
  /** core/session/searched.ts searchedOf. */
  searched: string;
} & TestRows;

export type SessionRow = InferInsertModel<typeof sessions>;
