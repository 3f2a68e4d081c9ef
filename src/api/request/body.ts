/** Reads a request's body up to the limits, whatever length its headers give. */
import { gunzipSync } from "node:zlib";
import type { Spending } from "../../access/budget.ts";
import { MAX_BODY_BYTES, MAX_INFLATED_BYTES } from "../../core/limits.ts";
import { checkDepth } from "../../core/state/merge.ts";
import { parseJson } from "../../core/parse.ts";
import { Refusal, refusalOf } from "../../core/refusal.ts";
import type { Json } from "../../core/wire.ts";

/** The body as text; invalid UTF-8 becomes U+FFFD. Stops reading, and decompressing, at the limit. */
export async function readText(request: Request): Promise<string> {
  const encoding = encodingOf(request);
  const declared = request.headers.get("content-length");
  if (Number(declared) > MAX_BODY_BYTES) throw tooLarge();
  // HTTP ends the body at its declared length, so the platform may read it at once.
  if (encoding === "identity" && declared !== null) return request.text();
  const bytes = await readBytes(request);
  return new TextDecoder().decode(encoding === "gzip" ? gunzip(bytes) : bytes);
}

/** The body as it was sent, not decompressed. */
export async function readSent(request: Request): Promise<{ body: Uint8Array; isGzip: boolean }> {
  const isGzip = encodingOf(request) === "gzip";
  if (Number(request.headers.get("content-length")) > MAX_BODY_BYTES) throw tooLarge();
  return { body: await readBytes(request), isGzip };
}

function encodingOf(request: Request): "identity" | "gzip" {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "gzip") return encoding;
  throw new Refusal(
    "invalid_encoding",
    `Content-Encoding may be gzip or left out, not "${encoding}".`,
  );
}

/** The body of who records. What is refused counts in the budget as well, because it was decompressed. */
export async function readCounted(request: Request, spending: Spending): Promise<string> {
  try {
    const text = await readText(request);
    spending.received(text.length);
    return text;
  } catch (error) {
    if (refusalOf(error)?.code === "too_large") spending.received(MAX_INFLATED_BYTES);
    throw error;
  }
}

/** The body as a value of bounded depth. */
export async function readJson(request: Request): Promise<unknown> {
  const value = parseJson(await readText(request), "The body");
  checkDepth(value as Json, "The body"); // what JSON.parse makes is Json
  return value;
}

/** The body as it is sent. Stops reading at the limit. */
export async function readBytes(
  { body, headers }: Request,
  limit = MAX_BODY_BYTES,
): Promise<Uint8Array> {
  if (Number(headers.get("content-length")) > limit) throw tooLarge(limit);
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    length += chunk.length;
    if (length > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  const [only] = chunks;
  if (only && chunks.length === 1) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Not DecompressionStream: it continues to decompress after its reader was cancelled. */
function gunzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw new Refusal(
      "invalid_encoding",
      "The body is declared as gzip, but cannot be decompressed.",
    );
  }
}

function tooLarge(limit = MAX_BODY_BYTES): Refusal {
  const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  if (limit < MAX_BODY_BYTES) return new Refusal("too_large", `This body may have ${mib(limit)}.`);
  return new Refusal(
    "too_large",
    `A body may have ${mib(MAX_BODY_BYTES)}, and ${mib(MAX_INFLATED_BYTES)} decompressed; send less at a time.`,
  );
}
