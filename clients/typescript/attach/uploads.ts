/**
 * Direct mode: sends the content of attachments, in chunks, one request at a time, after the server has their ops. Content waits in memory,
 * and has as much room as the queue of ops.
 */
import {
  FINAL_BODY_BYTES,
  RETRY_FIRST_MS,
  RETRY_JITTER_PERCENT,
  RETRY_LONGEST_MS,
  TIMEOUT_MS,
} from "../direct/limits.ts";
import { CHUNK_BYTES, UNKNOWN_ANSWERS, WAITING_BYTES } from "./limits.ts";

type Waiting = { id: string; content: Uint8Array };

type UploadsOptions = {
  session: string;
  url: string;
  key: string | undefined;
  /** Sends the ops that wait. */
  flushOps: () => Promise<void>;
};

/** What the server has of an attachment. */
type Progress = { chunks: number; received: number[]; complete: boolean; refused?: string };

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #waiting: Waiting[] = [];
  readonly #flushed: (() => void)[] = [];
  #bytes = 0;
  #isSending = false;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** Whether there is room for so many bytes. */
  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= WAITING_BYTES;
  }

  /** How many wait. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Resolves when none waits any more, or after the time. */
  async flush(timeoutMs: number): Promise<void> {
    if (this.count === 0) return;
    await Promise.race([new Promise<void>((done) => this.#flushed.push(done)), pause(timeoutMs)]);
  }

  /** Keeps room for content that is about to be added, or with a negative number no longer. */
  reserve(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Sends content when the server has its op, until the server has it or has refused it for good. */
  add(id: string, content: Uint8Array): void {
    this.#bytes += content.length;
    this.#waiting.push({ id, content });
    void this.#send(); // never rejects
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      await this.#sendOne(next);
      this.#bytes -= next.content.length;
      this.#waiting.shift();
    }
    this.#isSending = false;
    for (const done of this.#flushed.splice(0)) done();
  }

  async #sendOne({ id, content }: Waiting): Promise<void> {
    await this.#options.flushOps();
    let progress: Progress | undefined;
    let unknown = 0;
    for (let failures = 0; ;) {
      const chunk = progress && missingChunk(progress);
      const answer: Answer = await this.#request(id, content, chunk);
      const { status, retryAfterMs } = answer;
      const before = progress?.received.length ?? -1;
      progress = answer.progress;
      if (progress?.complete || progress?.refused !== undefined) return;
      if (progress && progress.received.length > before && missingChunk(progress) !== undefined) {
        failures = 0;
        continue;
      }
      if (REFUSED.includes(status)) return;
      // 404: the op is not applied yet, or was dropped because the queue was full.
      if (status === 404 && ++unknown >= UNKNOWN_ANSWERS) return;
      progress = undefined; // what the server has is asked for again
      failures += 1;
      await pause(Math.max(retryDelay(failures), retryAfterMs));
    }
  }

  async #request(id: string, content: Uint8Array, chunk: number | undefined): Promise<Answer> {
    const { url, key, session } = this.#options;
    const body =
      chunk === undefined
        ? undefined
        : (content.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES) as BodyInit); // as: TypeScript's view on a SharedArrayBuffer
    const path = `/api/sessions/${encodeURIComponent(session)}/attachments/${encodeURIComponent(id)}/chunks`;
    try {
      const response = await fetch(`${url}${path}${body ? `/${chunk}` : ""}`, {
        method: body ? "PUT" : "GET",
        ...(body && { body }),
        headers: {
          ...(body && { "content-type": "application/octet-stream" }),
          ...(key && { authorization: `Bearer ${key}` }),
        },
        keepalive: body !== undefined && content.length <= FINAL_BODY_BYTES, // small requests outlive the page that makes them
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      return {
        status: response.status,
        retryAfterMs: Number(response.headers.get("retry-after")) * 1_000 || 0,
        progress: response.ok ? (JSON.parse(text) as Progress) : undefined, // the server's own shape
      };
    } catch {
      return { status: 0, retryAfterMs: 0 };
    }
  }
}

/** The server refuses the chunk, or the attachment, or the session is deleted: the same request would be refused again. */
const REFUSED = [400, 410, 413, 422];

type Answer = { status: number; retryAfterMs: number; progress?: Progress | undefined };

function missingChunk({ chunks, received }: Progress): number | undefined {
  const has = new Set(received);
  for (let chunk = 0; chunk < chunks; chunk++) if (!has.has(chunk)) return chunk;
  return undefined;
}

/** A share of each pause is random, so that many programs do not return at the same moment. */
function retryDelay(failures: number): number {
  const longest = Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LONGEST_MS);
  return longest * (1 - (RETRY_JITTER_PERCENT / 100) * Math.random());
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    // In Node a timer keeps the program running; this one must not. In browsers it is a number.
    (timer as { unref?: () => void }).unref?.();
  });
}
