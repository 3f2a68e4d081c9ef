/** Old sessions go: by their last activity, never while they run. Once an hour, a part at a time. */
import { expiredSessions, sweep } from "../catalog/expired.ts";
import { forget } from "../catalog/publish.ts";
import { refusalOf } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { call } from "../session/call.ts";

const DEFAULT_DAYS = 365;
const DAY_MS = 86_400_000;
/** Deleted at the same time; each is a subrequest or two. */
const AT_ONCE = 10;
/** In one run: what is left waits an hour. */
const MAX_RUN = 1_000;

/** Deletes sessions without activity for longer than the setting says; answers how many. */
export async function retain(env: Env, now: number): Promise<number> {
  await sweep(env.CATALOG);
  const days = daysOf(env.DATACAT_RETENTION_DAYS);
  if (days === 0) return 0;
  let deleted = 0;
  while (deleted < MAX_RUN) {
    const ids = await expiredSessions(env.CATALOG, now - days * DAY_MS, AT_ONCE);
    const gone = await Promise.all(ids.map((id) => remove(env, id)));
    deleted += gone.filter(Boolean).length;
    // One that cannot be deleted now would come again and again; and what fails may be a limit of the plan.
    if (ids.length === 0 || gone.includes(false)) return deleted;
  }
  return deleted;
}

function daysOf(setting: string | undefined): number {
  const days = Number(setting ?? DEFAULT_DAYS);
  if (Number.isFinite(days) && days >= 0) return days;
  console.error(
    `DATACAT_RETENTION_DAYS is "${setting}", which is no number of days; keeping ${DEFAULT_DAYS}.`,
  );
  return DEFAULT_DAYS;
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
