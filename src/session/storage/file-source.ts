/** What a session's file is written from: its storage as it was when this was called, although the session may go on meanwhile. */
import { type Attachment, chunksOf } from "../../core/attachments/attachments.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { FileSource } from "../../core/session-file/write.ts";
import type { Store } from "./store.ts";

export function fileSourceOf(store: Store, current: SessionIndex): FileSource {
  const index = JSON.parse(JSON.stringify(current)) as SessionIndex; // a copy
  const ids = store.segments.ids();
  // Sealed segments do not change; the newest may be written again.
  const last = ids.at(-1) ?? 0;
  const newest = store.segments.stored(last);
  const chunks = new Map(index.attachments.map((one) => [one.seq, chunksIn(store, one)]));
  const existing = <Value>(value: Value): Value => {
    if (store.erasedAt() !== null)
      throw new Error("The session was deleted while it was exported.");
    return value;
  };
  return {
    index,
    ids,
    segment: (id) => (id === last ? newest : existing(store).segments.stored(id)),
    chunks: ({ seq }) => chunks.get(seq) ?? [],
    chunk: (attachment, chunk) => existing(store).chunks.read(attachment, chunk),
    damage: () => store.damage.list().map(({ segment, part }) => [segment ?? 0, part]),
  };
}

/** All of a complete content, also those that cannot be read: reading them notes it. */
function chunksIn({ chunks }: Store, attachment: Attachment): number[] {
  if (!attachment.complete) return chunks.received(attachment);
  return Array.from({ length: chunksOf(attachment) }, (_, chunk) => chunk);
}
