/** What the server's answer about an attachment means: pure. */
import * as v from "valibot";
import { ATTACHMENT_CHUNK_BYTES } from "../../src/core/limits.ts";
import { parsedJson } from "../json.ts";
import { parseRetryAfter } from "./retry.ts";

/** What the server has of an attachment. */
const Progress = v.object({
  size: v.number(),
  chunks: v.number(),
  received: v.array(v.number()),
  complete: v.boolean(),
  refused: v.optional(v.string()),
});
export type Progress = v.InferOutput<typeof Progress>;
const ErrorBody = v.object({ error: v.object({ code: v.string(), message: v.string() }) });

export type UploadResult =
  | { kind: "progress"; progress: Progress }
  /** The server has all of it. */
  | { kind: "complete" }
  /** It is never accepted. */
  | { kind: "refused"; message: string }
  /** The chunk did not arrive as it was sent. */
  | { kind: "damaged"; message: string }
  /** The server does not have its op. */
  | { kind: "unknown"; message: string }
  | { kind: "retry"; message: string; retryAfterMs: number };

/** `body` is JSON, or anything else from a proxy. */
export function resultOf(
  status: number,
  body: string,
  retryAfter: string | undefined,
  now: number,
): UploadResult {
  const parsed = parsedJson(body);
  if (status === 200) return onProgress(v.safeParse(Progress, parsed));
  const refusal = v.safeParse(ErrorBody, parsed);
  const { code = "", message = `the server answered ${status}` } = refusal.success
    ? refusal.output.error
    : {};
  // Only a Datacat server judges the attachment: the 404 of a proxy has none of our codes.
  if (code !== "") {
    if (status === 404) return { kind: "unknown", message };
    if (code === "bad_chunk") return { kind: "damaged", message };
    if (REFUSALS.includes(status)) return { kind: "refused", message };
  }
  return { kind: "retry", message, retryAfterMs: parseRetryAfter(retryAfter, now) ?? 0 };
}

/** A bad request, the session was deleted, over the limit, refused for another reason. 409: its checksum is wrong, and it is sent again. */
const REFUSALS = [400, 410, 413, 422];

function onProgress(answer: v.SafeParseResult<typeof Progress>): UploadResult {
  if (!answer.success) {
    const message = "it answered 200, but not as a Datacat server does";
    return { kind: "retry", message, retryAfterMs: 0 };
  }
  const { complete, refused } = answer.output;
  if (complete) return { kind: "complete" };
  if (refused !== undefined) return { kind: "refused", message: refused };
  return { kind: "progress", progress: answer.output };
}

/** The first chunk that the server does not have. */
export function missingChunk({ size, chunks, received }: Progress): Chunk | undefined {
  const has = new Set(received);
  for (
    let number = 0;
    number < Math.min(chunks, Math.ceil(size / ATTACHMENT_CHUNK_BYTES));
    number++
  ) {
    if (has.has(number)) continue;
    const offset = number * ATTACHMENT_CHUNK_BYTES;
    return { number, offset, length: Math.min(ATTACHMENT_CHUNK_BYTES, size - offset) };
  }
  return undefined;
}

type Chunk = { number: number; offset: number; length: number };
