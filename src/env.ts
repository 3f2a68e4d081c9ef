import type { Session } from "./session/session.ts";

/** What wrangler.toml binds, and the settings that a deployment may add. */
export type Env = {
  SESSIONS: DurableObjectNamespace<Session>;
  CATALOG: D1Database;
  REGISTRY: D1Database;
  ASSETS: Fetcher;
  /** A secret (`wrangler secret put ADMIN_SECRET`): opens the pages, and signs their cookie. A deployed Worker without it is locked. */
  ADMIN_SECRET?: string;
  /** With Cloudflare Access in front: its application audience tag, to let in only who came through that application. */
  ACCESS_AUDIENCE?: string;
  /** "1" on `npm start` only: no keys, because only this machine can ask (loopback, checked Host). */
  LOCAL?: string;
  /** "1" on `npm run dev` only: pages may run the inline script with which wrangler reloads them. */
  DEV?: string;
  /** Days after its last activity when a session that is not running is deleted. Default 365; "0" keeps everything. */
  DATACAT_RETENTION_DAYS?: string;
  /** A rate limit on wrong secrets and keys; without the binding there is none. */
  WRONG_KEYS?: RateLimit;
};
