/** A session's status as a status icon: shape (the stylesheet's) and word as well as colour, for those who see no colours. */
import type { Status } from "../../core/vocabulary.ts";

/** One sign per status for page titles, where there is no colour. */
export const STATUS_SIGNS: Record<Status, string> = {
  active: "●",
  suspended: "❚❚",
  hung: "◆",
  crashed: "▲",
  ended: "■",
};

export function StatusIcon({ status }: { status: Status }) {
  return <span class="status-icon" data-status={status} aria-hidden="true"></span>;
}
