/** Pages that watch a session, over hibernating sockets: they are told that something changed, at most every LIVE_MS, and ask for what they show. */
import type { Change } from "../core/answers.ts";
import { LIVE_MS } from "../core/limits.ts";

type Kind = Change["kinds"][number];

export class Watchers {
  readonly #context: DurableObjectState;
  readonly #news: (kinds: Kind[]) => Change;
  #kinds = new Set<Kind>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #toldAt = 0;

  /** `news`: what to say of the session now; it exists as long as someone watches. */
  constructor(context: DurableObjectState, news: (kinds: Kind[]) => Change) {
    this.#context = context;
    this.#news = news;
  }

  get isAnyone(): boolean {
    return this.#context.getWebSockets().length > 0;
  }

  /** Answers an upgrade, and tells the newcomer where the session is. */
  welcome(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server);
    server.send(JSON.stringify(this.#news([])));
    return new Response(null, { status: 101, webSocket: client });
  }

  tell(kinds: Iterable<Kind>): void {
    if (!this.isAnyone) return;
    for (const kind of kinds) this.#kinds.add(kind);
    if (this.#kinds.size === 0 || this.#timer !== null) return;
    const wait = this.#toldAt + LIVE_MS - Date.now();
    if (wait <= 0) this.#broadcast();
    else this.#timer = setTimeout(() => this.#broadcast(), wait);
  }

  dismiss(why: string): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const socket of this.#context.getWebSockets()) socket.close(1000, why);
  }

  #broadcast(): void {
    const news = JSON.stringify(this.#news([...this.#kinds]));
    this.#kinds.clear();
    this.#timer = null;
    this.#toldAt = Date.now();
    for (const socket of this.#context.getWebSockets()) {
      try {
        socket.send(news);
      } catch {
        // It is closing; the program's batch must not suffer from that.
      }
    }
  }
}
