/** The attachments of a session as a list, with what has arrived of each. */
import { type Attachment, chunkBytes } from "../attachments/attachments.ts";
import type { AttachmentRow } from "../answers/attachments.ts";
import type { Segments } from "../segments/segments.ts";

/** In the order in which they were announced. */
export function attachmentRows(store: Segments, list: Attachment[]): AttachmentRow[] {
  const { chunks } = store;
  // Found when a content was read: its chunks have their length, but other bytes.
  const damaged = new Set(
    store.damagedParts().flatMap(({ part, first_seq }) => (part === "attachment" ? first_seq : [])),
  );
  const lengths = chunks.lengths();
  return list.map((attachment) => {
    const { failures: _failures, ...row } = attachment;
    if (row.refused !== undefined) return { ...row, received_bytes: 0 };
    const received = chunks.received(attachment, lengths);
    const received_bytes = received.reduce((sum, chunk) => sum + chunkBytes(attachment, chunk), 0);
    const isDamaged = row.complete && (received_bytes < row.size || damaged.has(row.seq));
    return { ...row, received_bytes, ...(isDamaged && { damaged: true as const }) };
  });
}
