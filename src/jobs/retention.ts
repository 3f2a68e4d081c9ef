/** Retention: deletes old sessions by their last activity, never while they run, once an hour, some at a time. */
import { expiredSessions, sweep } from "../catalog/expired.ts";
import { removeSession } from "../catalog/publication/remove.ts";
import { SERVER } from "../core/access/authority.ts";
import { DAY_MS } from "../core/limits.ts";
import { refusalOf } from "../core/refusal.ts";
import { retentionOf } from "../core/retention.ts";
import type { Env } from "../env.ts";
import { RETENTION_AT_ONCE, RETENTION_PER_RUN } from "./limits.ts";
import { sessionOf } from "../session/client.ts";

/** Deletes sessions without activity for as long as the setting; returns how many. */
export async function retain(env: Env, now: number): Promise<number> {
  await sweep(env.CATALOG);
  const days = daysOf(env.DATACAT_RETENTION_DAYS);
  if (days === 0) return 0;
  const before = now - days * DAY_MS;
  let deleted = 0;
  while (deleted < RETENTION_PER_RUN) {
    const ids = await expiredSessions(env.CATALOG, before, RETENTION_AT_ONCE);
    const outcomes = await Promise.all(ids.map((id) => retire(env, id, before)));
    deleted += outcomes.filter((outcome) => outcome === "deleted").length;
    // A session that fails would be found again at once, and the failure may be a limit of the plan.
    if (!outcomes.includes("deleted") || outcomes.includes("failed")) return deleted;
  }
  return deleted;
}

function daysOf(setting: string | undefined): number {
  const { days, isValid } = retentionOf(setting);
  if (!isValid)
    console.error(
      `DATACAT_RETENTION_DAYS is "${setting}", which is no number of days; keeping ${days}.`,
    );
  return days;
}

type Outcome = "deleted" | "kept" | "failed";

async function retire(env: Env, id: string, before: number): Promise<Outcome> {
  const session = sessionOf(env, SERVER, id);
  try {
    // The catalog may be older (restored from a backup): the session's own times decide.
    const { verdict, updated_at } = await session.ask("summary");
    if (verdict.status === "active" || verdict.status === "hung" || updated_at >= before) {
      await session.publish();
      return "kept";
    }
    await session.erase();
  } catch (error) {
    // A session whose object has nothing is in the catalog only.
    const code = refusalOf(error)?.code;
    if (code !== "not_found" && code !== "gone") {
      console.error(`Session ${id} is too old, but could not be deleted:`, error);
      return "failed";
    }
  }
  await removeSession(env.CATALOG, id);
  return "deleted";
}
