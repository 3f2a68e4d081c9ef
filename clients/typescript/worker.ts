/**
 * Datacat for Workers and other places without files, timers between requests, or pages: ops wait in memory and are sent when
 * you flush, or a moment after, while the request lasts.
 */
import { openDirect } from "./direct/sender.ts";
import type { Session } from "./session/session.ts";
import { settingsFrom, type Environment, type OpenOptions } from "./settings.ts";
import { silent } from "./session/silent.ts";
import { CLIENT } from "./version.ts";

export * from "./public.ts";

export type WorkerOptions = OpenOptions & {
  /** Where `DATACAT_…` variables are: a Worker's `env`. */
  env?: object | undefined;
};

/** Opens a session. Before the request is answered: `ctx.waitUntil(session.flush())`, or use `record`. */
export function open(options: WorkerOptions = {}): Session {
  const { env = globalThis.process?.env ?? {}, ...rest } = options;
  const settings = settingsFrom(rest, textsOf(env));
  if (settings.disabled) return silent(settings.url, settings.session);
  const language = globalThis.navigator?.userAgent ?? "javascript";
  return openDirect(settings, { language, client: CLIENT }).session;
}

/** Records one piece of work as a session of its own: its end, or the exception that it ends with, and sends it meanwhile. */
export async function record<Result>(
  context: { waitUntil(promise: Promise<unknown>): void },
  options: WorkerOptions,
  work: (session: Session) => Promise<Result> | Result,
): Promise<Result> {
  const session = open(options);
  try {
    const result = await work(session);
    session.end();
    return result;
  } catch (thrown) {
    session.crash(thrown);
    throw thrown; // the caller's own
  } finally {
    context.waitUntil(session.flush());
  }
}

function textsOf(env: object): Environment {
  const entries = Object.entries(env).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(entries) as Environment; // only texts are left
}
