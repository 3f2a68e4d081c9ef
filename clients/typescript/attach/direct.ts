/** Attachments in direct mode: the op goes into the queue of ops, the content waits in memory until the server has it. */
import type { Loss } from "../encode/values.ts";
import { newId } from "../id.ts";
import type { LogOptions } from "../session/session.ts";
import {
  attachmentOp,
  LOST_EVENT,
  lossOf,
  lostEvent,
  tooLarge,
  type AttachOptions,
  type LostContent,
} from "./attachment.ts";
import { MAX_ATTACHMENT_BYTES, WAITING_BYTES } from "./limits.ts";
import type { Uploads } from "./uploads.ts";

/** Why content of this length is not taken; undefined if it is. */
export function refusalOf(bytes: number, uploads: Uploads): LostContent | undefined {
  if (bytes > MAX_ATTACHMENT_BYTES) return tooLarge(bytes);
  return uploads.hasRoom(bytes)
    ? undefined
    : {
        cause: "queue_full",
        detail: `${bytes} bytes`,
        reason: `there is no room for its ${bytes} bytes among the ${WAITING_BYTES} that may wait in memory`,
      };
}

/** What a session records into: its own protected methods. */
export type Recorder = {
  record(write: (losses: Loss[], at: number) => string | undefined): void;
  log(name: string, options: LogOptions): void;
};

/** Records the op of content that is in memory, and sends the content in the background. */
export function attachContent(
  recorder: Recorder,
  uploads: Uploads,
  title: unknown,
  content: Uint8Array,
  sha256: string,
  options?: AttachOptions,
): void {
  const id = newId();
  recorder.record((losses) =>
    attachmentOp(title, options?.type, { id, size: content.length, sha256 }, losses),
  );
  uploads.add(id, content);
}

/** Records the loss of content that is not taken. */
export function attachNothing(recorder: Recorder, title: unknown, lost: LostContent): void {
  let time: number | undefined;
  recorder.record((losses, at) => {
    time = at;
    losses.push(lossOf(title, lost));
    return undefined;
  });
  recorder.log(LOST_EVENT, { ...lostEvent(title, lost), at: time });
}
