/** Datacat for pages: ops are sent in batches, wait in IndexedDB while the server is out of reach, and leave with the page. */
import type { Writer } from "../../src/core/wire.ts";
import { openDirect, startSender } from "./direct.ts";
import { postTo, request } from "./post.ts";
import type { Session } from "./session.ts";
import type { OpenOptions } from "./settings.ts";
import { findLanes, keeperFor } from "./store.ts";
import { CLIENT } from "./version.ts";

export * from "./public.ts";

/** In a page there is no environment, and no daemon. */
export type PageOptions = Omit<OpenOptions, "direct" | "disabled">;

/** Opens a session that lasts as long as the page. Say at least `url`: the Datacat server. */
export function open(options: PageOptions = {}): Session {
  const { url = "http://localhost:8080", key } = options;
  const { session, sender } = openDirect({ ...options, url }, writer(), keeperFor);
  void sendLeftovers(key); // never rejects

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
      if (key) void fetch(`${url}/api/ingest`, request(body, key)).catch(() => {});
      else navigator.sendBeacon(`${url}/api/ingest`, body);
    },
    { signal },
  );
  // On phones a page that is put away may never hear of its end.
  addEventListener("visibilitychange", () => document.hidden && void session.flush(), { signal });

  if (options.captureExceptions) {
    addEventListener(
      "error",
      (event) => session.exception(event.error ?? event.message, { handled: false }),
      { signal },
    );
    addEventListener(
      "unhandledrejection",
      (event) => session.exception(event.reason, { handled: false }),
      { signal },
    );
  }
  return session;
}

/** Sends what earlier pages could not. */
async function sendLeftovers(key: string | undefined): Promise<void> {
  for (const found of await findLanes()) {
    const { session, url } = found;
    const keeper = keeperFor(session, url);
    const options = { session, writer: writer(), post: postTo(url, key), keeper };
    void startSender({ ...options, found }).flush(); // goes on trying
  }
}

/** Without the page's query, which may hold anything. */
function writer(): Writer {
  return {
    program: location.origin + location.pathname,
    language: navigator.userAgent.slice(0, 256),
    client: CLIENT,
  };
}
