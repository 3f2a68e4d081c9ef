/** What the cron trigger runs: once an hour, and in `npm start` also a minute after its start. */
import type { Env } from "../env.ts";
import { continueRebuild } from "../session/publication/reindex.ts";
import { addToAudit, trimAudit } from "../registry/audit.ts";
import { retain } from "./retention.ts";
import { expireSourceMaps } from "./source-maps.ts";

/** A rebuild of the catalog comes first: until it is complete, retention would look for old sessions in a part of them. */
export async function runJobs(env: Env, now: number): Promise<void> {
  if (await continueRebuild(env)) return;
  const count = await retain(env, now);
  if (count > 0) {
    const names = { who: "retention", address: "this server", subject: "" };
    await addToAudit(env.REGISTRY, [{ action: "session_deleted", ...names, at: now, count }]);
  }
  const expired = await expireSourceMaps(env, now);
  if (expired > 0) {
    const names = { who: "retention", address: "this server", subject: "" };
    await addToAudit(env.REGISTRY, [
      { action: "source_maps_deleted", ...names, at: now, count: expired },
    ]);
  }
  await trimAudit(env.REGISTRY, now);
}
