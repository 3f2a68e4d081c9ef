/** Attaches files to the lane of `datacat run`, within the limits of a session, and counts what is left out. */
import { join } from "node:path";
import { formatBytes, formatCount, formatNumber } from "../../../src/core/text/format.ts";
import {
  MAX_ATTACHMENT_BYTES,
  MAX_ATTACHMENTS,
  MAX_NAME_LENGTH,
  MAX_SESSION_ATTACHMENT_BYTES,
} from "../../../src/core/limits.ts";
import { lostAttachment } from "../../../src/core/attachments/lost.ts";
import { mediaTypeOf } from "../../../src/core/attachments/media-type.ts";
import type { Op } from "../../../src/core/wire.ts";
import { copyAttachment } from "../../lanes/attachment-file.ts";
import type { LaneWriter } from "../../lanes/lane-file.ts";
import { diskCause } from "../../lanes/losses.ts";
import { attachmentId } from "../../lanes/listing.ts";
import { reason } from "../../log.ts";
import { MAX_WALKED, SUMMARY_NAMES } from "../limits.ts";
import type { ChangedFile } from "./attach.ts";

export class Attaching {
  readonly #writer: LaneWriter;
  readonly #record: (op: Op) => void;
  readonly #attached: string[] = [];
  readonly #leftOut: string[] = [];
  #bytes = 0;
  #number = 0;

  constructor(writer: LaneWriter, record: (op: Op) => void) {
    this.#writer = writer;
    this.#record = record;
  }

  add(folder: string, { name, bytes }: ChangedFile): void {
    const limit = this.#limitFor(bytes);
    if (limit !== undefined) return this.#lose(name, "too_large", `${bytes} bytes`, limit);
    const id = attachmentId(this.#writer.header.lane, ++this.#number);
    try {
      const to = join(this.#writer.folder, `${id}.attachment`);
      const copied = copyAttachment(join(folder, name), to, MAX_ATTACHMENT_BYTES);
      this.#bytes += copied.size;
      this.#attached.push(name);
      const shown = name.slice(-MAX_NAME_LENGTH); // the end of a path identifies the file
      this.#record({
        op: "attachment",
        at: Date.now(),
        id,
        name: shown,
        type: mediaTypeOf(shown),
        ...copied,
      });
    } catch (error) {
      const cause = diskCause(error) ?? "unreadable";
      this.#lose(name, cause, reason(error), `it could not be copied: ${reason(error)}`);
    }
  }

  /** One line for the terminal. */
  summary(isCut: boolean): string {
    const left = this.#leftOut.length > 0 ? `; left out ${listed(this.#leftOut)}` : "";
    const cut = isCut ? `; only ${formatNumber(MAX_WALKED)} files and folders were looked at` : "";
    const attached =
      this.#attached.length === 0
        ? "no changed file matches --attach"
        : `attached ${formatCount(this.#attached.length, "file")} (${formatBytes(this.#bytes)}): ${listed(this.#attached)}`;
    return attached + left + cut;
  }

  /** The limit that a further file of this length is over. */
  #limitFor(bytes: number): string | undefined {
    if (bytes > MAX_ATTACHMENT_BYTES)
      return `it has ${bytes} bytes, and ${MAX_ATTACHMENT_BYTES} are the most`;
    if (this.#attached.length >= MAX_ATTACHMENTS)
      return `a session has at most ${MAX_ATTACHMENTS} attachments`;
    if (this.#bytes + bytes > MAX_SESSION_ATTACHMENT_BYTES)
      return `the attachments of a session have at most ${MAX_SESSION_ATTACHMENT_BYTES} bytes`;
    return undefined;
  }

  #lose(name: string, cause: string, detail: string, why: string): void {
    this.#leftOut.push(name);
    const at = Date.now();
    this.#record({ op: "dropped", at, cause, count: 1, detail: `${name}: ${detail}` });
    if (this.#leftOut.length > MAX_ATTACHMENTS) return; // counted; the first ones are named
    this.#record(lostAttachment(at, name, cause, why));
  }
}

function listed(names: string[]): string {
  const shown = names.slice(0, SUMMARY_NAMES).join(", ");
  const more = names.length - SUMMARY_NAMES;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
