/**
 * Sends the content of attachments: after the server has their ops, one chunk at a time to each server, and only while no batch is due, so
 * that ops go first. What the server has of an attachment is asked of it; nothing is kept on disk but the file, which is removed when the
 * server has all of it or refuses it for good.
 */
import { rmSync } from "node:fs";
import {
  attachmentPath,
  attachmentStatus,
  readChunk,
  type AttachmentFile,
} from "../lanes/attachment-file.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import { attachmentId, attachmentNumber } from "../lanes/listing.ts";
import type { Growth, Tail } from "../lanes/tail.ts";
import { ATTACHMENT_OP_MS, MAX_DAMAGED, REQUEST_TIMEOUT_MS } from "../limits.ts";
import { type Log, reason } from "../log.ts";
import { retryDelay } from "./retry.ts";
import { missingChunk, type Progress, type UploadResult, resultOf } from "./upload.ts";
import type { Uploader } from "./uploader.ts";

type AttachmentsOptions = {
  lanes: Lanes;
  tail: Tail;
  uploader: Uploader;
  log: Log;
  serverOf: (lane: Lane) => string;
  /** Whether no batch is due or on its way to a server, and it did not ask for a pause. */
  isIdle: (url: string) => boolean;
  monotonic: () => number;
  now: () => number;
  random: () => number;
  /** Called after each request that the server accepted. */
  accepted: () => void;
  /** Called when content is lost on this machine. */
  lost: (file: AttachmentFile, name: string, cause: string, why: string) => void;
};

/** What is known of one attachment. */
type Entry = {
  name: string;
  /** Its op's sequence; undefined while the op was not read: it is in a part that was sent and removed, or there is none. */
  seq?: number | undefined;
  /** The server's last answer. */
  progress?: Progress | undefined;
  failures: number;
  /** Chunks that did not arrive as they were sent. */
  damaged: number;
  notBefore: number;
};

type Server = { isBusy: boolean; failures: number; notBefore: number };

/** Counts for `datacat daemon status`. */
type AttachmentTotals = { complete: number; refused: number; lost: number; bytes: number };

export class Attachments {
  readonly totals: AttachmentTotals = { complete: 0, refused: 0, lost: 0, bytes: 0 };
  readonly #options: AttachmentsOptions;
  /** A lane's entries go when the lane does. */
  readonly #entries = new WeakMap<Lane, Map<number, Entry>>();
  readonly #servers = new Map<string, Server>();
  #isStopped = false;

  constructor(options: AttachmentsOptions) {
    this.#options = options;
  }

  /** A lane grew, perhaps by ops of attachments. */
  note(lane: Lane, { ops }: Growth): void {
    for (const op of ops) {
      if (op.op !== "attachment") continue;
      const number = attachmentNumber(lane.id, op.id);
      if (number === undefined) continue;
      const entry = this.#entry({ lane, number });
      entry.seq = (op as { seq?: number }).seq; // a record of a lane
      entry.name = String(op.name);
    }
  }

  /** Starts a request to every server that has something to send and no batch before it. */
  pump(): void {
    if (this.#isStopped) return;
    const { serverOf, isIdle, monotonic } = this.#options;
    for (const [url, lanes] of this.#byServer(serverOf)) {
      const server = this.#server(url);
      if (server.isBusy || server.notBefore > monotonic() || !isIdle(url)) continue;
      const next = this.#next(lanes);
      if (!next) continue;
      server.isBusy = true;
      void this.#send(url, server, next); // never rejects
    }
  }

  /** No request follows. One that is on its way is cut off when its connection is closed. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The disk budget removes the oldest: what it frees. */
  discard(file: AttachmentFile, bytes: number): void {
    if (!this.#remove(file)) return;
    const { name } = this.#entry(file);
    this.totals.lost += 1;
    const why = `its ${bytes} bytes were removed, because what waits on this machine is over the disk budget`;
    this.#options.lost(file, name, "disk_budget", why);
  }

  #byServer(serverOf: (lane: Lane) => string): Map<string, Lane[]> {
    const having = [...this.#options.lanes.all.values()].filter(
      ({ attachments }) => attachments.length > 0,
    );
    return Map.groupBy(having, serverOf);
  }

  /** The oldest that may be sent now. */
  #next(lanes: Lane[]): AttachmentFile | undefined {
    const now = this.#options.monotonic();
    for (const lane of lanes) {
      for (const number of lane.attachments) {
        const file = { lane, number };
        if (this.#entry(file).notBefore <= now && this.#isAnnounced(file)) return file;
      }
    }
    return undefined;
  }

  /** Whether the server may have the op: it has acknowledged it, or everything of the lane. */
  #isAnnounced(file: AttachmentFile): boolean {
    const { lane } = file;
    const { seq } = this.#entry(file);
    if (seq !== undefined) return seq <= lane.position.seq;
    if (this.#options.tail.isPending(lane)) return false;
    if (lane.isSent) return true;
    // The op of a new file follows. An older one may be in a part that was sent before this daemon started.
    const changedAt = attachmentStatus(file)?.mtimeMs ?? 0;
    return this.#options.now() - changedAt > ATTACHMENT_OP_MS;
  }

  async #send(url: string, server: Server, file: AttachmentFile): Promise<void> {
    try {
      await this.#step(url, server, file);
    } catch (error) {
      // The file cannot be read, or is another one by now.
      this.#drop(file, reason(error));
    } finally {
      server.isBusy = false;
    }
    this.pump();
  }

  /** One request: the next chunk or, before the first, what the server has. */
  async #step(url: string, server: Server, file: AttachmentFile): Promise<void> {
    const entry = this.#entry(file);
    const status = attachmentStatus(file);
    if (!status) return this.#drop(file, "it is not a regular file of this user");
    if (entry.progress && entry.progress.size !== status.size)
      return this.#drop(file, `its file has ${status.size} bytes, not ${entry.progress.size}`);

    const before = entry.progress;
    const result = await this.#ask(url, file, before);
    switch (result.kind) {
      case "complete":
        this.#succeed(url, server, entry);
        this.totals.complete += 1;
        this.totals.bytes += status.size;
        return this.#settle(file);
      case "progress": {
        entry.progress = result.progress;
        const { received } = result.progress;
        const hasGrown = received.length > (before?.received.length ?? -1);
        if (hasGrown && missingChunk(result.progress)) return this.#succeed(url, server, entry);
        const message = "the server has every chunk, and has not completed it";
        return this.#fail(url, server, entry, { kind: "retry", message, retryAfterMs: 0 });
      }
      case "damaged":
        if (++entry.damaged >= MAX_DAMAGED) return this.#refuse(file, result.message);
        return this.#fail(url, server, entry, { ...result, kind: "retry", retryAfterMs: 0 });
      case "refused":
        return this.#refuse(file, result.message);
      case "unknown":
        // Everything of the lane is there, but not this: the program ended before it wrote the op, or the server refused the op.
        if (file.lane.isSent && !this.#options.tail.isPending(file.lane)) {
          if (entry.seq === undefined) return this.#settle(file);
          return this.#refuse(file, result.message);
        }
        entry.failures += 1;
        entry.notBefore = this.#delay(entry.failures);
        return;
      case "retry":
        return this.#fail(url, server, entry, result);
    }
  }

  async #ask(url: string, file: AttachmentFile, progress?: Progress): Promise<UploadResult> {
    const { uploader, now } = this.#options;
    const { lane, number } = file;
    const session = encodeURIComponent(lane.session);
    const path = `/api/sessions/${session}/attachments/${encodeURIComponent(attachmentId(lane.id, number))}/chunks`;
    const chunk = progress && missingChunk(progress);
    const bytes = chunk && readChunk(file, progress.size, chunk.offset, chunk.length);
    try {
      const answer = bytes
        ? await uploader.put(url, `${path}/${chunk.number}`, bytes, REQUEST_TIMEOUT_MS)
        : await uploader.get(url, path, REQUEST_TIMEOUT_MS);
      return resultOf(answer.status, answer.body, answer.headers["retry-after"], now());
    } catch (error) {
      return { kind: "retry", message: reason(error), retryAfterMs: 0 };
    }
  }

  #succeed(url: string, server: Server, entry: Entry): void {
    this.#options.log.worked(`sending attachments to ${url}`);
    server.failures = entry.failures = 0;
    this.#options.accepted();
  }

  /** The server or the network fails, so nothing is sent there for a time. What the server has is asked for again. */
  #fail(
    url: string,
    server: Server,
    entry: Entry,
    result: Extract<UploadResult, { kind: "retry" }>,
  ) {
    const { log } = this.#options;
    log.failed(`sending attachments to ${url}`, result.message);
    entry.progress = undefined;
    server.failures += 1;
    server.notBefore = this.#delay(server.failures, result.retryAfterMs);
  }

  #delay(failures: number, retryAfterMs = 0): number {
    const { monotonic, random } = this.#options;
    return monotonic() + retryDelay(failures, random(), retryAfterMs);
  }

  #refuse(file: AttachmentFile, message: string): void {
    const { name } = this.#entry(file);
    this.totals.refused += 1;
    this.#options.log.write(
      `attachment ${name} of session ${file.lane.session} was refused: ${message}`,
    );
    this.#settle(file);
  }

  /** Its content cannot be sent, because of the file. */
  #drop(file: AttachmentFile, why: string): void {
    const { name, seq } = this.#entry(file);
    this.#settle(file);
    if (seq === undefined) return; // nothing announced it
    this.totals.lost += 1;
    this.#options.lost(file, name, "unreadable", why);
  }

  #settle(file: AttachmentFile): void {
    if (!this.#remove(file))
      this.#entry(file).notBefore = this.#delay(++this.#entry(file).failures);
  }

  /** A folder in place of the file stays. On a disk that became read-only the file stays. */
  #remove(file: AttachmentFile): boolean {
    const { log } = this.#options;
    try {
      rmSync(attachmentPath(file), { force: true });
    } catch (error) {
      log.failed("removing sent attachments", reason(error));
      return false;
    }
    log.worked("removing sent attachments");
    file.lane.attachments = file.lane.attachments.filter((number) => number !== file.number);
    return true;
  }

  #entry({ lane, number }: AttachmentFile): Entry {
    const entries = this.#entries.get(lane) ?? new Map<number, Entry>();
    this.#entries.set(lane, entries);
    const entry = entries.get(number) ?? {
      name: attachmentId(lane.id, number),
      failures: 0,
      damaged: 0,
      notBefore: 0,
    };
    entries.set(number, entry);
    return entry;
  }

  #server(url: string): Server {
    const server = this.#servers.get(url) ?? { isBusy: false, failures: 0, notBefore: 0 };
    this.#servers.set(url, server);
    return server;
  }
}
