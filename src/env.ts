import type { Session } from "./session/session.ts";
import type { SourceMaps } from "./sourcemaps/object.ts";

/** What wrangler.toml binds, and the settings that a deployment may add. */
export type Env = {
  SESSIONS: DurableObjectNamespace<Session>;
  SOURCE_MAPS: DurableObjectNamespace<SourceMaps>;
  CATALOG: D1Database;
  REGISTRY: D1Database;
  ASSETS: Fetcher;
  /** A secret (`wrangler secret put ADMIN_SECRET`): opens the pages, and signs their cookie. A deployed Worker without it is locked. */
  ADMIN_SECRET?: string;
  /** With Cloudflare Access in front: its application audience tag, to let in only who came through that application. */
  ACCESS_AUDIENCE?: string;
  /**
   * On `npm start` only. "1": the user who started it asks, and needs no key. "others": any user of this machine may ask, so a key is
   * needed: ADMIN_SECRET is the token of the data folder. Both answer on loopback only, with a checked Host.
   */
  LOCAL?: string;
  /** On `npm start` only: takes objects, by their own ids, out of memory when they have no request. */
  EVICTOR?: { evict(objectIds: string[]): Promise<void> };
  /** On `npm start` only: answers how much room the disk has (DiskRoom of catalog/outage.ts). */
  DISK?: Fetcher;
  /** "1" on `npm run dev` only: pages may run the inline script with which wrangler reloads them. */
  DEV?: string;
  /** Days after its last activity when a session that is not running is deleted. Default 365; "0" keeps everything. */
  DATACAT_RETENTION_DAYS?: string;
  /** Rules of redaction beside the built-in ones, as JSON (`core/secrets/own.ts`). */
  DATACAT_REDACT?: string;
  /** The limits of attachments: MiB of each, MiB of all of a session, and their number. Default "10,50,200"; "0,0,0" takes none. */
  DATACAT_ATTACHMENTS?: string;
  /** A rate limit on wrong secrets and keys; without the binding there is none. */
  WRONG_KEYS?: RateLimit;
};

/** Whether this is `npm start` or `npm run dev`. */
export function isLocal({ LOCAL }: Env): boolean {
  return LOCAL === "1" || LOCAL === "others";
}
