/** Datacat for pages: ops are sent in batches, wait in IndexedDB while the server is out of reach, and leave with the page. */
import { startSender, type Chunk, type Sender } from "./direct/sender.ts";
import { newId } from "./id.ts";
import { post } from "./direct/post.ts";
import { Session } from "./session/session.ts";
import type { OpenOptions } from "./settings.ts";
import { findLanes, keeper } from "./direct/store.ts";
import { CLIENT } from "./version.ts";

export * from "./public.ts";

/** In a page there is no environment, and no daemon. */
export type PageOptions = Omit<OpenOptions, "direct" | "disabled">;

/** Opens a session that lasts as long as the page. Say at least `url`: the Datacat server. */
export function open(options: PageOptions = {}): Session {
  const { url = "http://localhost:8080", key, session: joined } = options;
  const id = joined ?? newId();
  const sender = senderFor({ session: id, url }, key);
  const session = new Session(id, url, options, sender, joined !== undefined);
  void findLanes().then((lanes) => {
    // What earlier pages could not send; it goes on trying.
    for (const found of lanes) void senderFor(found, key).flush();
  });

  // For as long as the page: what an ended session could not send yet leaves with it, too.
  addEventListener("pagehide", (event) => {
    if (!event.persisted) session.end(); // else the page may come back
    const body = sender.farewell();
    if (body === undefined) return;
    // A beacon cannot carry a key.
    if (key) void post(url, key, body); // never rejects
    else navigator.sendBeacon(`${url}/api/ingest`, body);
  });
  // On phones a page that is put away may never hear of its end. One that comes back has something to say, too.
  addEventListener("visibilitychange", () => session.hasEnded || void session.flush());

  if (options.captureExceptions) {
    addEventListener("error", ({ error, message }) =>
      session.logException(error ?? message, { handled: false }),
    );
    addEventListener("unhandledrejection", ({ reason }) =>
      session.logException(reason, { handled: false }),
    );
  }
  return session;
}

function senderFor(work: Pick<Chunk, "session" | "url"> & Partial<Chunk>, key?: string): Sender {
  return startSender({
    ...work,
    key,
    keeper,
    writer: {
      program: location.origin + location.pathname, // the query may hold anything
      language: navigator.userAgent.slice(0, 256),
      client: CLIENT,
    },
  });
}
