/** Gives the contents of attachments: one chunk in memory, and one that the reader has. */
import {
  type Attachment,
  chunkBytes,
  chunksOf,
  imageTypeOf,
  REFUSAL_TEXTS,
} from "../../core/attachments/attachments.ts";
import { formatBytes, formatNumber } from "../../core/text/format.ts";
import { ATTACHMENT_CHUNK_BYTES } from "../../core/limits.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Chunks } from "./chunks.ts";

/** What a request asks of a content. */
export type Wanted = {
  id: string;
  /** As in HTTP: `bytes=0-99`, `bytes=100-`, `bytes=-100`. */
  range?: string;
  /** Only what is known of it. */
  isInfoOnly?: boolean;
  /** Zeros instead of chunks that are damaged, instead of a refusal. */
  fillsDamaged?: boolean;
};

/** What is known of the bytes that follow: from the byte `from` to before `to`. */
export type ContentInfo = Pick<Attachment, "name" | "size" | "sha256"> & {
  from: number;
  to: number;
  isPart: boolean;
  /** If the first bytes are those of an image that pages show: its type. */
  image?: string;
  /** Chunks that are zeros because they are damaged. */
  damaged: number;
};

export type Content = { info: string; body: ReadableStream<Uint8Array> };

/** Throws a Refusal if the content is not there, or damaged where it is asked for. */
export function contentOf(chunks: Chunks, attachment: Attachment, wanted: Wanted): Content {
  checkComplete(chunks, attachment);
  const { name, size, sha256 } = attachment;
  const range = rangeOf(wanted.range, size);
  const { from, to } = range ?? { from: 0, to: size };
  const [first, last] = [chunkAt(from), chunkAt(to - 1)];
  const damaged = size === 0 ? [] : chunks.damaged(attachment, first, last);
  if (damaged.length > 0 && wanted.fillsDamaged !== true) throw damagedContent(attachment, damaged);
  const start = size === 0 ? undefined : chunks.read(attachment, 0);
  const info: ContentInfo = {
    name,
    size,
    sha256,
    from,
    to,
    isPart: range !== undefined,
    image: start && imageTypeOf(attachment, start),
    damaged: damaged.length,
  };
  return {
    info: JSON.stringify(info),
    body: streamOf(chunks, attachment, wanted.isInfoOnly ? to : from, to),
  };
}

const chunkAt = (byte: number): number => Math.floor(byte / ATTACHMENT_CHUNK_BYTES);

function streamOf(
  chunks: Chunks,
  attachment: Attachment,
  from: number,
  to: number,
): ReadableStream<Uint8Array> {
  let at = from;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (at >= to) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      const chunk = chunkAt(at);
      const start = chunk * ATTACHMENT_CHUNK_BYTES;
      const end = Math.min(to, start + ATTACHMENT_CHUNK_BYTES);
      const bytes = chunks.read(attachment, chunk);
      const part = bytes ? bytes.subarray(at - start, end - start) : new Uint8Array(end - at);
      at = end;
      controller.enqueue(part);
    },
  });
}

function checkComplete(chunks: Chunks, attachment: Attachment): void {
  const { id, complete, refused } = attachment;
  if (complete) return;
  const named = { attachment: id };
  if (refused !== undefined)
    throw new Refusal("not_found", `The content was not stored: ${REFUSAL_TEXTS[refused]}.`, named);
  const received = chunks.received(attachment).length;
  throw new Refusal(
    "not_found",
    `The content has not arrived yet: ${formatNumber(received)} of ${formatNumber(chunksOf(attachment))} parts.`,
    named,
  );
}

function damagedContent(attachment: Attachment, damaged: number[]): Refusal {
  const named = damaged.slice(0, MAX_NAMED).map((chunk) => {
    const from = chunk * ATTACHMENT_CHUNK_BYTES;
    return `${formatBytes(from)} to ${formatBytes(from + chunkBytes(attachment, chunk))}`;
  });
  const rest = damaged.length > named.length ? ` and ${damaged.length - named.length} more` : "";
  return new Refusal(
    "damaged_content",
    `The storage is damaged in the content of attachment ${attachment.id}, at ${named.join(", ")}${rest}. Ask for other parts with Range, or for everything with ?damaged=zeros, which has zeros there.`,
    { chunks: damaged.slice(0, MAX_NAMED).join(",") },
  );
}

/** Chunks that a refusal names. */
const MAX_NAMED = 20;

/** The range that is asked for; undefined for all of it, as for several ranges. Throws `invalid_range`. */
function rangeOf(
  header: string | undefined,
  size: number,
): { from: number; to: number } | undefined {
  const [, first = "", last = ""] =
    /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (first !== "" && last !== "" && Number(last) < from) return undefined; // RFC 9110 §14.1.1: not valid, so it is ignored
  if (from >= to)
    throw new Refusal("invalid_range", `The content has ${formatNumber(size)} bytes.`, { size });
  return { from, to };
}
