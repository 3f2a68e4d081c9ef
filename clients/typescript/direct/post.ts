/** One request to `POST /api/ingest`, by fetch: it answers, or the answer is that there was none. */
import type { IngestAnswer } from "../../../src/core/wire.ts";
import { FAREWELL_LENGTH, REQUEST_TIMEOUT_MS } from "../limits.ts";

/** `status` 0: no answer at all. */
export type Reply = Partial<IngestAnswer> & { status: number; retryAfterMs?: number };

export async function post(url: string, key: string | undefined, body: string): Promise<Reply> {
  try {
    const response = await fetch(`${url}/api/ingest`, {
      method: "POST",
      body,
      // Without any other header a browser need not ask first whether it may (CORS).
      headers: key ? { authorization: `Bearer ${key}` } : {},
      keepalive: body.length <= FAREWELL_LENGTH, // small requests outlive the page that makes them
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    return {
      // The server's own shape; anything else (a proxy's page) fails to parse or has no results.
      ...(response.ok && (JSON.parse(text) as IngestAnswer)),
      status: response.status,
      retryAfterMs: Number(response.headers.get("retry-after")) * 1_000 || 0,
    };
  } catch {
    return { status: 0 };
  }
}
