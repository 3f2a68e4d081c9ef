/** The attachments of a session: what has arrived of each, and its content. Each method throws a Refusal: not_found for an unknown id. */
import { type Access, openerOf } from "../../core/access/authority.ts";
import type { Attachment } from "../../core/attachments/attachments.ts";
import { PUBLISH_MS } from "../../core/limits.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { Publisher } from "../publication/publisher.ts";
import { continued, permitted } from "../requests/permitted.ts";
import type { Watchers } from "../requests/watchers.ts";
import type { Log } from "../storage/log.ts";
import { type Content, contentOf, type Wanted } from "./content.ts";
import { attachmentOf, type Progress, progressOf, type SentChunk, takeChunk } from "./upload.ts";

export class Attachments {
  readonly #log: Log;
  readonly #publisher: Publisher;
  readonly #watchers: Watchers;

  constructor(log: Log, publisher: Publisher, watchers: Watchers) {
    this.#log = log;
    this.#publisher = publisher;
    this.#watchers = watchers;
  }

  /** For who may send it. */
  progress(access: Access, id: string): Progress {
    const { index } = continued(this.#log, access).projection;
    return progressOf(this.#log.store.chunks, this.#of(index, id));
  }

  take(access: Access, sent: SentChunk): Progress {
    const loaded = continued(this.#log, access);
    const { index } = loaded.projection;
    const { chunks } = this.#log.store;
    const attachment = this.#of(index, sent.id);
    const { stored, isDecided, refusal } = takeChunk(chunks, attachment, sent);
    if (stored > 0) {
      index.rowsWritten++;
      this.#publisher.noteStored(openerOf(access), { rows: 1, bytes: stored });
    }
    if (isDecided) {
      this.#log.commitIndex(loaded);
      this.#publisher.countRow();
      this.#publisher.expect(Date.now() + PUBLISH_MS);
    }
    this.#watchers.notify(stored > 0 || isDecided ? ["attachment"] : []);
    if (refusal) throw refusal;
    return progressOf(chunks, attachment);
  }

  content(access: Access, wanted: Wanted): Content {
    const { index } = permitted(this.#log, access, "read").projection;
    return contentOf(this.#log.store.chunks, this.#of(index, wanted.id), wanted);
  }

  #of({ attachments }: SessionIndex, id: string): Attachment {
    return attachmentOf(attachments, this.#log.attachmentLimits, id);
  }
}
