/**
 * `/health`: whether the server records, and whether each part of it answers. As in 1.x it takes any method and no key, even where all else
 * is locked, and its status is 200 as long as the server records: 1.x's daemon asks it before it sends.
 */
import type { Context } from "hono";
import { fullDisk, hasMetDamage } from "../catalog/outage.ts";
import { isEmptyCatalog, readRebuild } from "../catalog/rebuild.ts";
import { parseOwnRules } from "../core/secrets/own.ts";
import { VERSION } from "../core/version.ts";
import type { Env } from "../env.ts";
import { rosterIds } from "../registry/roster.ts";
import { HEALTH_CHECK_MS } from "./limits.ts";

type Part = "ok" | "rebuilding" | "damaged" | "unavailable";
export type Parts = {
  catalog: Part;
  registry: Part;
  disk: "ok" | "full";
  /** "wrong": a setting is not used. */
  settings: "ok" | "wrong";
};

/** The last check of an isolate, so that not every request asks the databases. */
let last: { at: number; parts: Parts } | undefined;

export async function health(c: Context): Promise<Response> {
  const parts = await healthOf(c.env as Env, Date.now()); // Hono's default Context knows no bindings
  const isHealthy = Object.values(parts).every((part) => part === "ok");
  const service = { service: "datacat-server", version: VERSION };
  if (isHealthy) return c.json({ ...service, status: "healthy" });
  return c.json(
    { ...service, status: "degraded", ...parts, problems: problemsOf(parts) },
    parts.disk === "full" ? 507 : 200,
  );
}

/** Whether each part works; as checked at most HEALTH_CHECK_MS ago. */
export async function healthOf(env: Env, now: number): Promise<Parts> {
  if (!last || now - last.at > HEALTH_CHECK_MS) last = { at: now, parts: await check(env, now) };
  return last.parts;
}

async function check(env: Env, now: number): Promise<Parts> {
  const [rebuild, rows, roster, full] = await Promise.allSettled([
    readRebuild(env.CATALOG),
    isEmptyCatalog(env.CATALOG),
    rosterIds(env.REGISTRY, "", 1),
    fullDisk(env.DISK),
  ]);
  const answers = rebuild.status === "fulfilled" && rows.status === "fulfilled";
  const isRebuilding = rebuild.status === "fulfilled" && rebuild.value !== undefined;
  return {
    catalog: !answers
      ? "unavailable"
      : isRebuilding
        ? "rebuilding"
        : hasMetDamage(now)
          ? "damaged"
          : "ok",
    registry: roster.status === "fulfilled" ? "ok" : "unavailable",
    disk: full.status === "fulfilled" && full.value ? "full" : "ok",
    settings: parseOwnRules(env.DATACAT_REDACT).problem === undefined ? "ok" : "wrong",
  };
}

const CATALOG_PROBLEMS: Partial<Record<Part, string>> = {
  rebuilding: "The catalog is being rebuilt: lists are not complete yet. Recording continues.",
  damaged:
    "The catalog could not be read a short time ago and may be damaged: lists may fail. npm start rebuilds it by itself; on Cloudflare: datacat reindex. Recording continues.",
  unavailable:
    "The catalog does not answer: there are no lists. npm start rebuilds a damaged one by itself; on Cloudflare: npm run deploy, then datacat reindex. Recording continues.",
};

function problemsOf({ catalog, registry, disk, settings }: Parts): string[] {
  // While the disk is full, the databases fail because of that.
  if (disk === "full") return ["The disk is full: nothing is recorded until there is room again."];
  return [
    CATALOG_PROBLEMS[catalog],
    registry === "ok"
      ? undefined
      : "The registry does not answer: keys cannot be checked, and views and decisions are not shown.",
    // What is wrong is on the Settings page: anyone may read this.
    settings === "ok"
      ? undefined
      : "The setting DATACAT_REDACT is wrong, so only the built-in rules of redaction are used. The Settings page states why.",
  ].filter((problem) => problem !== undefined);
}
