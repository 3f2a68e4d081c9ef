/** The icon of a status. Each status has its own shape, so that it does not depend on colour; the label stands beside it. */
import type { Status } from "../../core/vocabulary.ts";

/** One sign per status for page titles, which have no colour. */
export const STATUS_SIGNS: Record<Status, string> = {
  active: "●",
  suspended: "❚❚",
  hung: "◆",
  crashed: "▲",
  ended: "■",
};

/** `failed`: it ended, but with an error (core/status/outcome.ts). */
export function StatusIcon({ status, failed = false }: { status: Status; failed?: boolean }) {
  return (
    <span
      class="status-icon"
      data-status={status}
      data-failed={failed ? "" : undefined}
      aria-hidden="true"
    ></span>
  );
}
