/** A session's status as a lamp: shape (the stylesheet's) and word as well as colour, for those who see no colours. */
import type { Status } from "../../core/vocabulary.ts";

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
  return <span class="lamp" data-status={status} aria-hidden="true"></span>;
}

export function StatusBadge({ status }: { status: Status }) {
  return (
    <span class="status" data-status={status}>
      <Lamp status={status} />
      {STATUS_WORDS[status]}
    </span>
  );
}
