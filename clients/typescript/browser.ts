/** Datacat for pages. Ops are sent in batches; while the server cannot be reached they wait in IndexedDB. */
import { CLIENT } from "./version.ts";
import { Session } from "./session/session.ts";
import { newQueue } from "./direct/queue.ts";
import { findQueues, keeper } from "./direct/store.ts";
import { newId } from "./id.ts";
import { post } from "./direct/post.ts";
import { startSender } from "./direct/sender.ts";
import { plainOp } from "./encode/ops.ts";
import { useRules } from "./encode/redactor.ts";
import type { OpenOptions } from "./settings.ts";

export * from "./public.ts";

/** A page has neither environment variables nor a daemon. */
export type PageOptions = Omit<OpenOptions, "direct" | "disabled">;

/**
 * Opens a session that lasts as long as the page.
 * @param options All optional, but `url`, the Datacat server, is needed unless it is http://localhost:8080.
 */
export function open(options: PageOptions = {}): Session {
  const { url = "http://localhost:8080", key, session: joined } = options;
  useRules(options.redact);
  const queue = newQueue(joined ?? newId(), url, {
    program: location.origin + location.pathname, // without the query, which may hold secrets
    language: navigator.userAgent.slice(0, 256),
    client: CLIENT,
  });
  const sender = startSender(queue, key, keeper);
  const session = new Session(queue.session, url, options, sender, !!joined);
  session.key = key;
  // What earlier pages could not send. Each sender tries again until it succeeds.
  void findQueues().then((found) => {
    for (const each of found) {
      void startSender(each, each.url === url ? key : "", keeper).flush(); // never rejects
    }
  });

  // The browser may keep a page that is left, and show it again. So the session is not finished: a later start continues it.
  let isLeft = false;
  const write = (op: "end" | "start") =>
    joined || session.hasEnded || sender.write(op, Date.now(), plainOp(op));
  // This stays after the session has ended, because it may have unsent ops when the page is left.
  addEventListener("pagehide", () => {
    isLeft = true;
    write("end");
    const body = sender.finalBody();
    if (body) void post(url, key, body); // outlives the page; never rejects
  });
  addEventListener("pageshow", ({ persisted }) => {
    isLeft = false;
    if (persisted) write("start");
  });
  // On phones a hidden page may be ended without any further event. A page that is shown again sends what waits. One that is left
  // has sent all that it can.
  addEventListener("visibilitychange", () => isLeft || session.hasEnded || session.flush());

  if (options.captureExceptions) {
    // An error, or a rejection.
    const record = ({ error, message, reason }: Partial<ErrorEvent & PromiseRejectionEvent>) =>
      session.logException(error ?? reason ?? message, { handled: false });
    addEventListener("error", record);
    addEventListener("unhandledrejection", record);
  }
  return session;
}
