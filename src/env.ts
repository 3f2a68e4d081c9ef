import type { Session } from "./session/session.ts";

/** What wrangler.toml binds, and the settings that a deployment may add. */
export type Env = {
  SESSIONS: DurableObjectNamespace<Session>;
  CATALOG: D1Database;
  ASSETS: Fetcher;
  /** A secret: signs cookies and opens the pages. A deployed Worker without it is locked. */
  ADMIN_SECRET?: string;
  /** "1" on `npm start` only: no keys, because only this machine can ask (loopback, checked Host). */
  LOCAL?: string;
};
