/**
 * Attachments in pages and Workers: `import { attach } from "@datacat/client/attach"`. A file of its own, so that a page that attaches
 * nothing does not load it.
 */
import { FLUSH_TIMEOUT_MS } from "../direct/limits.ts";
import type { Session } from "../session/session.ts";
import { bytesOf, unreadable, type AttachOptions } from "./attachment.ts";
import { attachContent, attachNothing, refusalOf, type Recorder } from "./direct.ts";
import { Uploads } from "./uploads.ts";

export type { AttachOptions } from "./attachment.ts";

/** A canvas gives a Blob: `canvas.toBlob(resolve, "image/png")`. */
export type MemoryContent = Blob | ArrayBuffer | Uint8Array;

/**
 * Attaches content: a screenshot, a saved game. At most 4 MiB wait in memory at a time; content without room there is counted as lost.
 * Resolves when it is recorded; it is sent in the background, and
 * `flushAttachments` waits for that. Never rejects.
 * @param session The session of `open`.
 * @param name Its name on the session's page and when it is downloaded, with an extension ("screenshot.png"). At most 256 characters.
 * @param content A copy of it is sent.
 * @param options `type`: the media type. Default: the Blob's, or by the name's extension, else `application/octet-stream`.
 */
export async function attach(
  session: Session,
  name: string,
  content: MemoryContent,
  options?: AttachOptions,
): Promise<void> {
  await attachAfter(() => session.flush(), session, name, content, options);
}

/** `flushOps` sends the ops that wait, without the attachments. */
export async function attachAfter(
  flushOps: () => Promise<void>,
  session: Session,
  name: string,
  content: MemoryContent,
  options?: AttachOptions,
): Promise<void> {
  if (session.hasEnded) return;
  const internals = session as unknown as Recorded; // as: its protected methods
  const recorder: Recorder = {
    record: (write) => internals.record("attachment", write),
    log: (event, more) => internals.log(event, more),
  };
  const uploads = uploadsOf(session, flushOps);
  const blob = content instanceof Blob ? content : undefined;
  const length = blob?.size ?? bytesOf(content)?.length;
  if (length === undefined) return attachNothing(recorder, name, unreadable("no bytes"));
  const lost = refusalOf(length, uploads);
  if (lost) return attachNothing(recorder, name, lost);
  uploads.reserve(length);
  try {
    const copy = new Uint8Array(await new Blob([content as BlobPart]).arrayBuffer()); // as: TypeScript's view on a SharedArrayBuffer
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", copy));
    const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const type = options?.type ?? blob?.type;
    if (!session.hasEnded) attachContent(recorder, uploads, name, copy, sha256, { type });
  } catch {
    // Nothing was recorded, because the Blob's file is gone, or the page has no secure context, which the checksum needs.
    attachNothing(recorder, name, unreadable("its content is not available"));
  } finally {
    uploads.reserve(-length);
  }
}

/**
 * Resolves when no attachment of a session waits any more, or after the time. Never rejects.
 * @param timeoutMs Default: 5,000.
 */
export async function flushAttachments(
  session: Session,
  timeoutMs = FLUSH_TIMEOUT_MS,
): Promise<void> {
  await waiting.get(session)?.flush(timeoutMs);
}

type Recorded = {
  record(kind: "attachment", write: Parameters<Recorder["record"]>[0]): void;
  log: Recorder["log"];
};

const waiting = new WeakMap<Session, Uploads>();

function uploadsOf(session: Session, flushOps: () => Promise<void>): Uploads {
  const { id, url, key } = session;
  const uploads = waiting.get(session) ?? new Uploads({ session: id, url, key, flushOps });
  waiting.set(session, uploads);
  return uploads;
}
