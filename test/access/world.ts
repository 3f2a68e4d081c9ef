/** A deployed server with an admin secret, keys for it, and one request of each kind that needs a key. */
import { expect } from "vitest";
import { post, server, type Server } from "../api/server.ts";

export const SECRET = "correct horse battery staple";
export const HOME = "https://datacat.example.org";
export const deployed = server({ ADMIN_SECRET: SECRET }, HOME);
export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

export async function code(response: Response): Promise<string> {
  if (response.ok) return "ok";
  const { error } = (await response.json()) as { error: { code: string } };
  return error.code;
}

export async function newKey(body: object): Promise<{ id: string; key: string }> {
  const response = await deployed("/api/keys", post(body, bearer(SECRET)));
  expect(response.status).toBe(200);
  return response.json();
}

/** Signs in; what the browser keeps, and the header that made it. */
export async function signIn(
  ask: Server = deployed,
  secret = SECRET,
  headers: Record<string, string> = {},
): Promise<{ cookie: string; header: string }> {
  const response = await ask("/login", {
    method: "POST",
    body: new URLSearchParams({ secret }),
    headers: { origin: HOME, ...headers },
    redirect: "manual",
  });
  const header = response.headers.get("set-cookie") ?? "";
  return { cookie: header.split(";")[0] ?? "", header };
}

/** One request of each kind that there is. */
export const REQUESTS: [what: "read" | "ingest" | "admin", path: string, init: RequestInit][] = [
  ["read", "/api/sessions", {}],
  ["read", "/api/data/sessions", {}],
  ["read", "/api/products", {}],
  ["read", "/api/metrics", {}],
  ["read", "/api/exceptions", {}],
  ["read", "/api/tables/sessions", {}],
  ["ingest", "/api/sessions", post({ product: "game" })],
  ["ingest", "/api/ingest", post({ batches: [{}] })],
  ["admin", "/api/keys", {}],
  ["admin", "/api/reindex", post({ sessions: [] })],
];

export const may = (kind: string, what: string) => kind === "admin" || kind === what;
