/** A session's status as a lamp: shape (the stylesheet's) and word as well as colour, for those who see no colours. */
import { type Status, STATUS_LABELS } from "../../core/vocabulary.ts";

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
      {STATUS_LABELS[status]}
    </span>
  );
}
