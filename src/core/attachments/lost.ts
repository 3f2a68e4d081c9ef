/** The event that names an attachment whose content is lost, as every client records it. `why` continues the sentence "NAME was not attached: …". */
import type { Event } from "../wire.ts";

export function lostAttachment(at: number, name: string, cause: string, why: string): Event {
  return {
    op: "event",
    at,
    name: "attachment_lost",
    category: "warning",
    message: `${name} was not attached: ${why}`,
    data: { attachment: name, cause },
  };
}
