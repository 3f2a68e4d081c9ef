/**
 * Datacat for Workers and other runtimes without files and without timers between requests. Ops wait in memory and are sent by `flush`,
 * or a second later while the request lasts.
 */
import { WorkerSession } from "./attach/worker-session.ts";
import { openDirect } from "./direct/sender.ts";
import { useRules } from "./encode/redactor.ts";
import { settingsFrom, type Environment, type OpenOptions } from "./settings.ts";
import { silent } from "./session/silent.ts";
import { CLIENT } from "./version.ts";

export * from "./public.ts";
export type { AttachOptions } from "./attach/attachment.ts";
export { WorkerSession as Session };

export type WorkerOptions = OpenOptions & {
  /** The object with the `DATACAT_…` variables: a Worker's `env`. Default: `process.env`. */
  env?: object | undefined;
};

/**
 * Opens a session. Call `ctx.waitUntil(session.flush())` before the request is answered, or use `record`.
 * @param options All optional.
 */
export function open(options: WorkerOptions = {}): WorkerSession {
  const { env = globalThis.process?.env ?? {}, ...rest } = options;
  const settings = settingsFrom(rest, textsOf(env));
  if (settings.disabled) return silent(WorkerSession, settings.url, settings.session);
  useRules(settings.redact);
  const language = globalThis.navigator?.userAgent ?? "javascript";
  return openDirect(WorkerSession, settings, { language, client: CLIENT }).session;
}

/**
 * Records one piece of work, usually a request, as a session of its own, and sends it before the Worker stops.
 * @param context The request's context: its `waitUntil` keeps the Worker running until everything is sent.
 * @param options Those of `open`.
 * @param work Receives the session. Its result is returned; what it throws is recorded and thrown again.
 */
export async function record<Result>(
  context: { waitUntil(promise: Promise<unknown>): void },
  options: WorkerOptions,
  work: (session: WorkerSession) => Promise<Result> | Result,
): Promise<Result> {
  const session = open(options);
  try {
    const result = await work(session);
    session.end();
    return result;
  } catch (thrown) {
    session.crash(thrown);
    throw thrown; // the caller handles it
  } finally {
    context.waitUntil(session.flush());
  }
}

function textsOf(env: object): Environment {
  const entries = Object.entries(env).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(entries) as Environment; // only strings are left
}
