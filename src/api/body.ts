/** Reading a request's body: never more of it than allowed, compressed or not, whatever it claims to be. */
import { MAX_BODY_BYTES, MAX_INFLATED_BYTES } from "../core/limits.ts";
import { parseJson } from "../core/parse.ts";
import { Refusal } from "../core/refusal.ts";

/** The body as text; invalid UTF-8 becomes U+FFFD. Stops reading as soon as it is too much. */
export async function readText(request: Request): Promise<string> {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new Refusal(
      "invalid_encoding",
      `Content-Encoding may be gzip or left out, not "${encoding}".`,
    );
  }
  if (Number(request.headers.get("content-length")) > MAX_BODY_BYTES) throw tooLarge();
  if (!request.body) return "";
  if (encoding === "identity") return textOf(request.body, MAX_BODY_BYTES);

  let bytes = 0;
  const compressed = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) controller.error(tooLarge());
      else controller.enqueue(chunk);
    },
  });
  try {
    // Gunzip is done by the platform chunk by chunk, so a bomb is stopped at the limit, not after it.
    const inflated = request.body
      .pipeThrough(compressed)
      .pipeThrough(new DecompressionStream("gzip"));
    return await textOf(inflated, MAX_INFLATED_BYTES);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    throw new Refusal(
      "invalid_encoding",
      "The body says that it is gzip, but it cannot be unpacked.",
    );
  }
}

/** The body as a value. */
export async function readJson(request: Request): Promise<unknown> {
  return parseJson(await readText(request), "The body");
}

async function textOf(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => undefined); // it is given up anyway
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

function tooLarge(): Refusal {
  const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  return new Refusal(
    "too_large",
    `A body may have ${mib(MAX_BODY_BYTES)}, and ${mib(MAX_INFLATED_BYTES)} once unpacked; send less at a time.`,
  );
}
