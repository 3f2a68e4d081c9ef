/**
 * What is refused before the key is checked: every request to a locked Worker, requests to a local server under a foreign name (DNS
 * rebinding), and unsafe requests of other sites' pages, to which the browser adds cookies by itself.
 */
import type { Context, MiddlewareHandler } from "hono";
import { Refusal } from "../core/refusal.ts";
import { isLocal } from "../env.ts";
import { type AccessEnv, keyInAddress, lockedBecause } from "./access.ts";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** What a page of another origin sends to record. */
const RECORDING = /^\/api\/(ingest|sessions\/[^/]+\/attachments\/[^/]+\/chunks\/\d+)$/;

/** First of all middleware, in the API and in the pages. */
export const guard: MiddlewareHandler<AccessEnv> = async (c, next) => {
  const { hostname } = new URL(c.req.url);
  if (isLocal(c.env) && !LOOPBACK.has(hostname)) {
    throw new Refusal(
      "foreign_host",
      `This server answers only this machine, under the name localhost, not "${hostname}". Use http://localhost.`,
    );
  }
  const locked = lockedBecause(c);
  if (locked !== undefined) {
    throw new Refusal(
      "locked",
      `${locked}, so it refuses every request. Set one that openssl rand -base64 24 makes: npx wrangler secret put ADMIN_SECRET`,
    );
  }
  if (isForeign(c)) {
    throw new Refusal(
      "forbidden",
      "A page of another site sent this, and only this server's own pages may.",
    );
  }
  await next();
};

/** Whether another site's page sends an unsafe request. A bearer token is never added by the browser itself, so with one any site may. */
function isForeign(c: Context<AccessEnv>): boolean {
  const upgrades = c.req.header("upgrade")?.toLowerCase() === "websocket"; // no CORS holds for sockets
  if (SAFE.has(c.req.method) && !upgrades) return false;
  const hasKey = c.req.header("authorization") !== undefined || keyInAddress(c) !== undefined;
  if (c.env.LOCAL !== "1" && hasKey) return false;
  const origin = c.req.header("origin");
  if (origin === undefined) {
    const site = c.req.header("sec-fetch-site");
    return site !== undefined && site !== "same-origin" && site !== "none";
  }
  if (origin === new URL(c.req.url).origin) return false;
  // A page under development on another port of this machine records here.
  return !(c.env.LOCAL === "1" && RECORDING.test(c.req.path) && isLoopback(origin));
}

/** Whether it is the origin of a page of this machine. */
export function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.has(new URL(origin).hostname);
}
