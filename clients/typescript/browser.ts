/** Datacat for pages: ops are sent in batches, wait in IndexedDB while the server is out of reach, and leave with the page. */
import type { Writer } from "../../src/core/wire.ts";
import { startSender, type Sender } from "./direct.ts";
import { newId } from "./id.ts";
import { postTo } from "./post.ts";
import { Session } from "./session.ts";
import type { OpenOptions } from "./settings.ts";
import { findLanes, keeperFor, type Found } from "./store.ts";
import { CLIENT } from "./version.ts";

export * from "./public.ts";

/** In a page there is no environment, and no daemon. */
export type PageOptions = Omit<OpenOptions, "direct" | "disabled">;

/** Opens a session that lasts as long as the page. Say at least `url`: the Datacat server. */
export function open(options: PageOptions = {}): Session {
  const { url = "http://localhost:8080", key, session: joined } = options;
  const id = joined ?? newId(Date.now());
  const sender = senderFor(id, url, key);
  const session = new Session(id, url, options, sender, joined !== undefined);
  void findLanes().then((lanes) => {
    // What earlier pages could not send; it goes on trying.
    for (const found of lanes) void senderFor(found.session, found.url, key, found).flush();
  });

  const leaving = new AbortController();
  const { signal } = leaving;
  session.onEnd(() => leaving.abort());
  addEventListener(
    "pagehide",
    (event) => {
      if (!event.persisted) session.end(); // else the page may come back
      const body = sender.farewell();
      if (body === undefined) return;
      // A beacon cannot carry a key.
      if (key) void postTo(url, key)(body); // never rejects
      else navigator.sendBeacon(`${url}/api/ingest`, body);
    },
    { signal },
  );
  // On phones a page that is put away may never hear of its end.
  addEventListener("visibilitychange", () => document.hidden && void session.flush(), { signal });

  if (options.captureExceptions) {
    const caught = (thrown: unknown) => session.exception(thrown, { handled: false });
    addEventListener("error", (event) => caught(event.error ?? event.message), { signal });
    addEventListener("unhandledrejection", (event) => caught(event.reason), { signal });
  }
  return session;
}

function senderFor(session: string, url: string, key?: string, found?: Found): Sender {
  const keeper = keeperFor(session, url);
  const writer: Writer = {
    program: location.origin + location.pathname, // the query may hold anything
    language: navigator.userAgent.slice(0, 256),
    client: CLIENT,
  };
  return startSender({ session, writer, post: postTo(url, key), keeper, found });
}
