/**
 * The pages that watch a session, over hibernating sockets. Each gets a Change after ops were applied, at most every LIVE_MS, and fetches
 * what it shows. With the first message after LIVE_ACCESS_MS the socket is closed, and the page connects again: whether it may is checked again.
 */
import type { Change } from "../../core/answers/change.ts";
import { LIVE_MS } from "../../core/limits.ts";
import { LIVE_ACCESS_MS } from "../limits.ts";

/** "Service restart": the page connects again after half a second (RFC 6455 §7.4.1, IANA's registry). */
const CONNECT_AGAIN = 1012;

type Kind = Change["kinds"][number];

export class Watchers {
  readonly #context: DurableObjectState;
  readonly #changeOf: (kinds: Kind[]) => Change;
  /** Kinds of op since the last message. */
  #kinds = new Set<Kind>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #sentAt = 0;

  /** `changeOf` describes the session as it is now. It is called only while a page watches, so the session exists. */
  constructor(context: DurableObjectState, changeOf: (kinds: Kind[]) => Change) {
    this.#context = context;
    this.#changeOf = changeOf;
  }

  get arePresent(): boolean {
    return this.#context.getWebSockets().length > 0;
  }

  /** Answers an upgrade, and sends the new watcher the session's revision. */
  accept(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server);
    server.serializeAttachment(Date.now() + LIVE_ACCESS_MS); // kept while the object rests
    server.send(JSON.stringify(this.#changeOf([])));
    return new Response(null, { status: 101, webSocket: client });
  }

  notify(kinds: Iterable<Kind>): void {
    if (!this.arePresent) return;
    for (const kind of kinds) this.#kinds.add(kind);
    if (this.#kinds.size === 0 || this.#timer !== null) return;
    const wait = this.#sentAt + LIVE_MS - Date.now();
    if (wait <= 0) this.#broadcast();
    else this.#timer = setTimeout(() => this.#broadcast(), wait);
  }

  close(reason: string): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const socket of this.#context.getWebSockets()) socket.close(1000, reason);
  }

  #broadcast(): void {
    const message = JSON.stringify(this.#changeOf([...this.#kinds]));
    this.#kinds.clear();
    this.#timer = null;
    this.#sentAt = Date.now();
    for (const socket of this.#context.getWebSockets()) {
      try {
        socket.send(message);
        if (Date.now() >= Number(socket.deserializeAttachment()))
          socket.close(CONNECT_AGAIN, "Connect again");
      } catch {
        // It is closing. The batch that is being applied must not fail because of that.
      }
    }
  }
}
