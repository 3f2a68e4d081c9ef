/** How many of a session's ops are stored, as one sentence for the page and the command, and what each missing one was lost to. */
import type { Completeness, LossTimes } from "../answers/completeness.ts";
import { formatCount, formatNumber } from "../text/format.ts";
import { plainText } from "../text/recorded-text.ts";
import type { DropCause } from "../vocabulary.ts";

/** What each cause of a loss means, after the number of ops. */
const CAUSE_LABELS: Record<DropCause, string> = {
  disk_full: "not written: the disk of this machine was full",
  read_only: "not written: the disk of this machine was read-only",
  no_permission: "not written: the program may not write to Datacat's folder",
  write_failed: "not written: writing to the disk of this machine failed",
  disk_budget: "removed to keep within the disk budget",
  damaged: "damaged on the disk",
  queue_full: "dropped: the client's memory budget was used up",
  too_large: "not recorded: too large",
  refused: "refused by the server",
  series_limit: "over the limit of series",
  not_finite: "NaN or infinite",
  unserialisable: "with values recorded only as a description",
  unreadable: "not attached: the file could not be read",
};

/** What a cause means, after the number of ops. A client may send other causes, which have no label. */
export function causeText(cause: string): string {
  return Object.hasOwn(CAUSE_LABELS, cause) ? CAUSE_LABELS[cause as DropCause] : plainText(cause); // as: just looked up
}

/** Times that cannot be true, after their number. */
const TIME_LABELS: { [cause: string]: string } = {
  future_time: "later than the arrival: set to the arrival, or to the op that follows",
  sent_at: "of sending more than 100 years ahead: not used",
};

/** Whether what was altered for this cause is a time, not a field. */
export function isTime(cause: string): boolean {
  return Object.hasOwn(TIME_LABELS, cause);
}

/** How values were altered for a cause, after their number. */
export function alterationText(cause: string): string {
  if (cause === "too_large") return "with values too large: cut";
  if (cause === "redacted") return "with secrets: redacted";
  return (isTime(cause) && TIME_LABELS[cause]) || causeText(cause);
}

/** `count` is 0 if an unknown number was lost. */
export type CauseOfLoss = { cause: string; count: number; times: LossTimes | undefined };

export function lossesOf({ dropped, loss_times = [] }: Completeness): CauseOfLoss[] {
  const counted = Object.entries(dropped).map(([cause, count]) => ({
    cause,
    count,
    times: loss_times.find((times) => times.cause === cause),
  }));
  const unknown = loss_times.filter(({ cause }) => !Object.hasOwn(dropped, cause));
  return [...counted, ...unknown.map((times) => ({ cause: times.cause, count: 0, times }))];
}

/** Whether nothing of the session was lost, and all its attachments are there. */
export function isCompleteRecord(completeness: Completeness): boolean {
  return lossesOf(completeness).length === 0 && attachmentTexts(completeness).length === 0;
}

/** What is missing of the attachments: "1 of 3 attachments has not arrived". */
export function attachmentTexts({ attachments }: Completeness): string[] {
  if (!attachments) return [];
  const { announced, arrived, refused } = attachments;
  const of = (count: number, one: string, several: string) =>
    `${formatNumber(count)} of ${formatCount(announced, "attachment")} ${count === 1 ? one : several}`;
  const awaited = announced - arrived - refused;
  return [
    ...(awaited > 0 ? [of(awaited, "has not arrived", "have not arrived")] : []),
    ...(refused > 0 ? [of(refused, "was refused", "were refused")] : []),
  ];
}

/** "12 of 14 recorded"; if more was lost than could be counted, "12 of at least 14 recorded" or "12 of an unknown number recorded". */
export function recordedOf({ accepted, stored, loss_times = [] }: Completeness): string {
  const isUnknown = loss_times.some(({ at_least }) => at_least === true);
  if (isUnknown && stored === accepted)
    return `${formatNumber(stored)} of an unknown number recorded`;
  return `${formatNumber(stored)} of ${isUnknown ? "at least " : ""}${formatNumber(accepted)} recorded`;
}
