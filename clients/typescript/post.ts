/** One request to `POST /api/ingest`, by fetch: it answers, or the answer is that there was none. */
import type { IngestAnswer } from "../../src/core/wire.ts";
import { FAREWELL_BYTES, REQUEST_TIMEOUT_MS } from "./limits.ts";

/** `status` 0: no answer at all. */
export type Reply = {
  status: number;
  answer?: IngestAnswer | undefined;
  retryAfterMs?: number | undefined;
};

/** What fetch is told, in words that every runtime's types have. */
export type Request = {
  method: "POST";
  body: string;
  headers: Record<string, string>;
  keepalive: boolean;
};

export type Post = (body: string) => Promise<Reply>;

export function postTo(url: string, key: string | undefined): Post {
  return async (body) => {
    try {
      const response = await fetch(`${url}/api/ingest`, {
        ...request(body, key),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const text = await response.text();
      const retryAfterMs = Number(response.headers.get("retry-after")) * 1_000 || undefined;
      // The server's own shape; anything else (a proxy's page) fails to parse or has no results.
      const answer = response.ok ? (JSON.parse(text) as IngestAnswer) : undefined;
      return { status: response.status, answer, retryAfterMs };
    } catch {
      return { status: 0 };
    }
  };
}

/** Small requests outlive the page that makes them. */
export function request(body: string, key: string | undefined): Request {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key) headers["authorization"] = `Bearer ${key}`;
  return { method: "POST", body, headers, keepalive: body.length <= FAREWELL_BYTES };
}
