/** What of a session cannot be read, and what the lists of its index leave out, as sentences for pages and the command. */
import type { DamagedPart } from "../answers/damage.ts";
import type { LeftOut } from "../answers/completeness.ts";
import type { Summary } from "../answers/summary.ts";
import { formatCount, formatNumber } from "../text/format.ts";
import {
  MAX_EVENT_NAMES,
  MAX_FINGERPRINTS,
  MAX_LISTED_EVENT_NAMES,
  MAX_LISTED_EXCEPTIONS,
  MAX_LISTED_SERIES,
  MAX_LABELS,
  MAX_NAME_LENGTH,
  MAX_PATH_VALUES,
  MAX_STATE_PATHS,
  MAX_STATE_VALUES,
  MAX_TRANSITIONS,
  MAX_WHOLE_WRITERS,
} from "../limits.ts";

const PARTS: Record<DamagedPart["part"], string> = {
  storage:
    "The database file of the session is damaged or missing; nothing more is recorded in it until it is restored",
  segment: "A whole segment cannot be read",
  numbers: "The sequences and the time of a segment cannot be read; those beside it are used",
  index: "The index of a segment cannot be read; it is counted again from its log",
  state: "The state at the start of a segment cannot be read; the changes before it are used",
  log: "Ops cannot be read",
  attachment: "A part of the content of an attachment cannot be read; the rest can be downloaded",
  summary:
    "The search index of a segment cannot be read; the segment itself is searched, and nothing is lost",
};

/** Nothing of the storage can be read, so that not even how much it had is known. */
export function isUnreadable({ segments, damaged_segments }: Stored): boolean {
  return segments === 0 && damaged_segments > 0;
}

type Stored = Pick<Summary, "segments" | "damaged_segments">;

export function damageText({ part, segment, first_seq, last_seq, lost }: DamagedPart): string {
  const range =
    first_seq === undefined || last_seq === undefined
      ? ""
      : `, ops ${formatNumber(first_seq)} to ${formatNumber(last_seq)}`;
  if (part === "attachment" && first_seq !== undefined)
    return `${PARTS[part]} (op ${formatNumber(first_seq)}).`;
  const where = segment === null ? "" : ` (segment ${formatNumber(segment)}${range})`;
  const count = part === "log" ? `: ${lostText(lost)}` : "";
  return `${PARTS[part]}${where}${count}.`;
}

function lostText(lost: number | undefined): string {
  return lost === undefined ? "how many is not known" : `${formatCount(lost, "record")} lost`;
}

const NOT_LISTED = "complete here, not in lists and comparisons of sessions";

const LEFT_OUT: { [what in keyof LeftOut]-?: (count: number) => string } = {
  event_names: (count) =>
    `${formatCount(count, "event")} with other names than the first ${MAX_EVENT_NAMES}: not in the counts by name`,
  exceptions: (count) =>
    `${formatCount(count, "exception")} of other kinds than the first ${MAX_FINGERPRINTS}: not in the groups of exceptions`,
  state_paths: (count) =>
    `${formatCount(count, "change")} of state paths after the first ${MAX_STATE_PATHS}, or longer than ${MAX_NAME_LENGTH} characters: not in the index of states`,
  state_values: (count) =>
    `${formatCount(count, "state path")} with more than ${MAX_PATH_VALUES} values, or with values after the first ${MAX_STATE_VALUES} of all paths: the index does not list their values`,
  tags: (count) => `${formatCount(count, "tag")} after the first ${MAX_LABELS}`,
  attachments: (count) =>
    `${formatCount(count, "attachment")} refused, and not listed: over the number of attachments, or with an id that another one has`,
  writers: (count) =>
    `${formatCount(count, "process", "processes")} after the first ${MAX_WHOLE_WRITERS}: only the process id is kept`,
  transitions: (count) =>
    `${formatCount(count, "older change")} of the status before the last ${MAX_TRANSITIONS}: removed`,
  catalog_series: (count) =>
    `${formatCount(count, "series", "series")} after the first ${MAX_LISTED_SERIES}: ${NOT_LISTED}`,
  catalog_event_names: (count) =>
    `${formatCount(count, "name")} of events after the first ${MAX_LISTED_EVENT_NAMES}: ${NOT_LISTED}`,
  catalog_exceptions: (count) =>
    `${formatCount(count, "kind")} of exceptions after the first ${MAX_LISTED_EXCEPTIONS}: ${NOT_LISTED}`,
};

/** One sentence for each list that is incomplete. */
export function leftOutTexts(leftOut: LeftOut = {}): string[] {
  return (Object.keys(LEFT_OUT) as (keyof LeftOut)[]).flatMap((what) => {
    const count = leftOut[what] ?? 0;
    return count > 0 ? [LEFT_OUT[what](count)] : [];
  });
}
