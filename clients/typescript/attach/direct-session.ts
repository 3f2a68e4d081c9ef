/** A session in direct mode of a program with files. */
import { createHash } from "node:crypto";
import { FLUSH_TIMEOUT_MS } from "../direct/limits.ts";
import { openSource, type FileContent, type Source } from "../lane/attachment-file.ts";
import { describe } from "../lane/losses.ts";
import type { Stats } from "../session/session.ts";
import { unreadable, type AttachOptions, type LostContent } from "./attachment.ts";
import { attachContent, attachNothing, refusalOf, type Recorder } from "./direct.ts";
import { BLOCK_BYTES, MAX_ATTACHMENT_BYTES } from "./limits.ts";
import { AttachingSession } from "./session.ts";
import { Uploads } from "./uploads.ts";

export class DirectSession extends AttachingSession {
  #uploads: Uploads | undefined;

  override attach(title: string, content: FileContent, options?: AttachOptions): void {
    if (this.hasEnded) return;
    const recorder: Recorder = {
      record: (write) => this.record("attachment", write),
      log: (name, more) => this.log(name, more),
    };
    const uploads = (this.#uploads ??= new Uploads({
      session: this.id,
      url: this.url,
      key: this.key,
      flushOps: () => super.flush(),
    }));
    const read = readAll(content);
    const lost = read instanceof Uint8Array ? refusalOf(read.length, uploads) : read;
    if (lost || !(read instanceof Uint8Array)) {
      if (lost) attachNothing(recorder, title, lost);
      return;
    }
    const sha256 = createHash("sha256").update(read).digest("hex");
    attachContent(recorder, uploads, title, read, sha256, options);
  }

  override stats(): Stats {
    const stats = super.stats();
    return { ...stats, waiting: stats.waiting + (this.#uploads?.count ?? 0) };
  }

  override async flush(timeoutMs = FLUSH_TIMEOUT_MS): Promise<void> {
    const until = performance.now() + timeoutMs;
    await super.flush(timeoutMs);
    await this.#uploads?.flush(until - performance.now());
  }
}

/** A copy of the content: the program may go on to change its own. */
function readAll(content: FileContent): Uint8Array | LostContent {
  const source = openSource(content);
  if ("reason" in source) return source;
  try {
    return blocksOf(source);
  } catch (thrown) {
    return unreadable(describe(thrown).detail);
  } finally {
    source.close();
  }
}

function blocksOf(source: Source): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let size = 0; ;) {
    const block = new Uint8Array(Math.min(BLOCK_BYTES, MAX_ATTACHMENT_BYTES - size));
    const length = source.read(block);
    if (length === 0) return Buffer.concat(blocks);
    blocks.push(block.subarray(0, length));
    size += length;
  }
}
