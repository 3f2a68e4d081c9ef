/**
 * The content of attachments of clients on another disk: the daemon passes each request on to the server with its own key, and keeps
 * nothing. The client has the content in memory until the server has it, as without a daemon.
 */
import { createHash } from "node:crypto";
import { ATTACHMENT_CHUNK_BYTES } from "../../src/core/limits.ts";
import { Refusal } from "../../src/core/refusal.ts";
import type { Op } from "../../src/core/wire.ts";
import type { Lanes } from "../lanes/lanes.ts";
import { MAX_REMEMBERED, REQUEST_TIMEOUT_MS } from "../limits.ts";
import { reason } from "../log.ts";
import type { Incoming } from "../send/transport.ts";
import type { Uploader } from "../send/uploader.ts";
import { type Ask, json, type Reply } from "./http.ts";

type RelayedOptions = { lanes: Lanes; server: string; uploader: Uploader };

export const CHUNKS = "/api/sessions/:session/attachments/:attachment/chunks";

export class RelayedAttachments {
  readonly #options: RelayedOptions;
  /** Where in which lane the op of an attachment is, by session and id. */
  readonly #ops = new Map<string, { lane: string; seq: number }>();

  constructor(options: RelayedOptions) {
    this.#options = options;
  }

  /** Ops were written into a lane. */
  note(session: string, lane: string, records: { seq: number; op: Op }[]): void {
    for (const { seq, op } of records) {
      if (op.op !== "attachment") continue;
      this.#ops.set(keyOf(session, op.id), { lane, seq });
      const [oldest] = this.#ops.keys();
      if (this.#ops.size > MAX_REMEMBERED && oldest !== undefined) this.#ops.delete(oldest);
    }
  }

  /** What the server has of an attachment. */
  async progress(ask: Ask): Promise<Reply> {
    const { uploader, server } = this.#options;
    return this.#pass(ask, () => uploader.get(server, ask.path, REQUEST_TIMEOUT_MS));
  }

  /** Puts a chunk. */
  async put(ask: Ask): Promise<Reply> {
    const { uploader, server } = this.#options;
    const { body, encoding, checksum } = ask;
    if ((encoding ?? "identity") !== "identity")
      throw new Refusal("invalid_encoding", "A chunk is sent as it is, without Content-Encoding.");
    if (body.length > ATTACHMENT_CHUNK_BYTES)
      throw new Refusal("too_large", `A chunk has at most ${ATTACHMENT_CHUNK_BYTES} bytes.`);
    if (checksum !== undefined && checksum.toLowerCase() !== sha256(body))
      throw new Refusal("bad_chunk", "The chunk does not match its X-Chunk-Sha256.");
    return this.#pass(ask, () => uploader.put(server, ask.path, body, REQUEST_TIMEOUT_MS));
  }

  async #pass({ path }: Ask, send: () => Promise<Incoming>): Promise<Reply> {
    let answer: Incoming;
    try {
      answer = await send();
    } catch (error) {
      throw new Refusal("unavailable", `The daemon does not reach the server: ${reason(error)}.`);
    }
    const { status, body, headers } = answer;
    // The client would take a few of these as the loss of the op, which waits here.
    if (status === 404 && this.#isWaiting(path)) {
      const message = "The op of the attachment waits in the daemon; send its content later.";
      return { ...json(new Refusal("unavailable", message), 503), retryAfter: "1" };
    }
    return { status, type: "application/json", body, retryAfter: headers["retry-after"] };
  }

  /** Whether the op is in a lane here, and the server has not acknowledged it. */
  #isWaiting(path: string): boolean {
    const [, , , session = "", , id = ""] = path.split("/").map(decoded);
    const op = this.#ops.get(keyOf(session, id));
    const lane = op && this.#options.lanes.all.get(op.lane);
    return lane !== undefined && op !== undefined && lane.position.seq < op.seq;
  }
}

function keyOf(session: string, id: string): string {
  return `${session} ${id}`; // neither contains a space
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
