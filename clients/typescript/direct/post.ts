/** One request to `POST /api/ingest`, by fetch. Never rejects. */
import type { IngestAnswer } from "../../../src/core/batch.ts";
import { utf8Length } from "../encode/cut.ts";
import { FINAL_BODY_BYTES, TIMEOUT_MS } from "./limits.ts";

/** The server's answer. `status` 0: there was none. */
export type Reply = Partial<IngestAnswer> & { status: number; retryAfterMs?: number };

export async function post(url: string, key: string | undefined, body: string): Promise<Reply> {
  try {
    const response = await fetch(`${url}/api/ingest`, {
      method: "POST",
      body,
      // fetch removes the key from a redirect to another origin. With no other header, a browser sends no preflight request (CORS).
      headers: key ? { authorization: `Bearer ${key}` } : {},
      keepalive: utf8Length(body) <= FINAL_BODY_BYTES, // small requests outlive the page that makes them
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return {
      // The server's own shape. Anything else, such as a proxy's page, fails to parse or has no results.
      ...(response.ok && (JSON.parse(text) as IngestAnswer)),
      status: response.status,
      retryAfterMs: Number(response.headers.get("retry-after")) * 1_000 || 0,
    };
  } catch {
    return { status: 0 };
  }
}
