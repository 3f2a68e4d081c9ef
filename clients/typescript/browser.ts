/** Datacat for pages: ops are sent in batches, wait in IndexedDB while the server is out of reach, and leave with the page. */
import { newQueue } from "./direct/queue.ts";
import { newId } from "./id.ts";
import { post } from "./direct/post.ts";
import { startSender } from "./direct/sender.ts";
import { Session } from "./session/session.ts";
import type { OpenOptions } from "./settings.ts";
import { findQueues, keeper } from "./direct/store.ts";
import { CLIENT } from "./version.ts";

export * from "./public.ts";

/** In a page there is no environment, and no daemon. */
export type PageOptions = Omit<OpenOptions, "direct" | "disabled">;

/** Opens a session that lasts as long as the page. Say at least `url`: the Datacat server. */
export function open(options: PageOptions = {}): Session {
  const { url = "http://localhost:8080", key, session: joined } = options;
  const queue = newQueue(joined ?? newId(), url, {
    program: location.origin + location.pathname, // the query may hold anything
    language: navigator.userAgent.slice(0, 256),
    client: CLIENT,
  });
  const sender = startSender(queue, key, keeper);
  const session = new Session(queue.session, url, options, sender, joined !== undefined);
  // What earlier pages could not send. Each sender tries again until it succeeds.
  void findQueues().then((found) => {
    for (const each of found) void startSender(each, key, keeper).flush(); // never rejects
  });

  // For as long as the page: what an ended session could not send yet leaves with it, too.
  addEventListener("pagehide", (event) => {
    if (!event.persisted) session.end(); // else the page may come back
    const body = sender.finalBody();
    if (body) void post(url, key, body); // outlives the page; never rejects
  });
  // On phones a page that is put away may never hear of its end. One that comes back has something to say, too.
  addEventListener("visibilitychange", () => session.hasEnded || void session.flush());

  if (options.captureExceptions) {
    // An error, or a rejection.
    const record = ({ error, message, reason }: Partial<ErrorEvent & PromiseRejectionEvent>) =>
      session.logException(error ?? reason ?? message, { handled: false });
    addEventListener("error", record);
    addEventListener("unhandledrejection", record);
  }
  return session;
}
