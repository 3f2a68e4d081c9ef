/** A session's status as a lamp: shape and word as well as colour, for those who see no colours. */
import type { Status } from "../../core/vocabulary.ts";

/** The lamp's shape, drawn in a box of 16. */
const SHAPES: Record<Status, string> = {
  active: "M8 3.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6z",
  suspended: "M4 3h3v10H4zM9 3h3v10H9z",
  hung: "M8 1.5L14.5 8L8 14.5L1.5 8z",
  crashed: "M8 1.5L15 14H1z",
  ended: "M3.5 3.5h9v9h-9z",
};

export const STATUS_WORDS: Record<Status, string> = {
  active: "Running",
  suspended: "Silent",
  hung: "Hung",
  crashed: "Crashed",
  ended: "Ended",
};

/** One sign per status for page titles, where there is no colour. */
export const STATUS_SIGNS: Record<Status, string> = {
  active: "●",
  suspended: "❚❚",
  hung: "◆",
  crashed: "▲",
  ended: "■",
};

export function Lamp({ status }: { status: Status }) {
  return (
    <svg class="lamp" data-status={status} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[status]} />
    </svg>
  );
}

export function StatusBadge({ status }: { status: Status }) {
  return (
    <span class="status" data-status={status}>
      <Lamp status={status} />
      {STATUS_WORDS[status]}
    </span>
  );
}
