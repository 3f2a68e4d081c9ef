/** Old sessions go: by their last activity, never while they run. Once an hour, a part at a time. */
import { DAY_MS } from "../catalog/counts.ts";
import { expiredSessions, sweep } from "../catalog/expired.ts";
import { forget } from "../catalog/publish.ts";
import { refusalOf } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { DEFAULT_RETENTION_DAYS, RETENTION_AT_ONCE, RETENTION_PER_RUN } from "./limits.ts";
import { call } from "../session/call.ts";

/** Deletes sessions without activity for longer than the setting says; answers how many. */
export async function retain(env: Env, now: number): Promise<number> {
  await sweep(env.CATALOG);
  const days = daysOf(env.DATACAT_RETENTION_DAYS);
  if (days === 0) return 0;
  let deleted = 0;
  while (deleted < RETENTION_PER_RUN) {
    const ids = await expiredSessions(env.CATALOG, now - days * DAY_MS, RETENTION_AT_ONCE);
    const gone = await Promise.all(ids.map((id) => remove(env, id)));
    deleted += gone.filter(Boolean).length;
    // One that cannot be deleted now would come again and again; and what fails may be a limit of the plan.
    if (ids.length === 0 || gone.includes(false)) return deleted;
  }
  return deleted;
}

function daysOf(setting: string | undefined): number {
  const days = Number(setting ?? DEFAULT_RETENTION_DAYS);
  if (Number.isFinite(days) && days >= 0) return days;
  console.error(
    `DATACAT_RETENTION_DAYS is "${setting}", which is no number of days; keeping ${DEFAULT_RETENTION_DAYS}.`,
  );
  return DEFAULT_RETENTION_DAYS;
}

async function remove(env: Env, id: string): Promise<boolean> {
  try {
    await call(env, id, (session) => session.erase());
  } catch (error) {
    // What its object does not know any more only stands in the catalog.
    const code = refusalOf(error)?.code;
    if (code !== "not_found" && code !== "gone") {
      console.error(`Session ${id} is too old, but could not be deleted:`, error);
      return false;
    }
  }
  await forget(env.CATALOG, id);
  return true;
}
