/** The Worker as a test asks it: with settings of its own, and everything that it left to do afterwards awaited. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../src/index.ts";
import type { Env } from "../../src/env.ts";

export type Server = (path: string, init?: RequestInit) => Promise<Response>;

/** `origin` is that of the address bar. Without settings the Worker runs as under `npm start`. */
export function server(
  settings: Partial<Env> = { LOCAL: "1" },
  origin = "http://localhost:8080",
): Server {
  return async (path, init) => {
    const context = createExecutionContext();
    const request = new Request(`${origin}${path}`, init) as Parameters<typeof worker.fetch>[0];
    const response = await worker.fetch(request, { ...env, ...settings }, context);
    // Work goes on while an answer is being streamed, so a test that reads the answer waits for it.
    if (!response.body || response.headers.has("content-length"))
      await waitOnExecutionContext(context);
    return response;
  };
}

export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers };
}

export async function gzip(text: string): Promise<Uint8Array> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Opens a session by 1.x's route. */
export async function open(
  ask: Server,
  body: object = { product: "game", version: "1.0" },
): Promise<string> {
  const response = await ask("/api/sessions", post(body));
  const { session_id } = (await response.json()) as { session_id: string };
  return session_id;
}

/** The same request, with a key. */
export function withKey(key: string, init: RequestInit = {}): RequestInit {
  return { ...init, headers: [...new Headers(init.headers), ["authorization", `Bearer ${key}`]] };
}
