/** `datacat tail`: a session's last events, and those that follow. */
import type { Command } from "commander";
import type { EventPage, EventRow, Summary } from "../../../src/core/answers.ts";
import { MAX_PAGE } from "../../../src/core/limits.ts";
import { FOLLOW_MS } from "../limits.ts";
import { count, JSON_OPTION, SESSION_ID, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { clock, dim, print, printJson, outcomeLine } from "../terminal.ts";
import { eventLine } from "./event-line.ts";

type TailOptions = { lines: number; follow?: boolean; json?: boolean };

export function addTail(program: Command): void {
  program
    .command("tail")
    .description("Print a session's last events.")
    .argument("<id>", SESSION_ID)
    .argument(
      "[query...]",
      "Print only events that pass this query, as in the page's search box: 'level:>=warning data.door:3 -name:tick'.",
    )
    .option("-n, --lines <count>", "Print the last N events.", count, 20)
    .option("-f, --follow", "Print further events as they arrive, until the session ends.")
    .option(...JSON_OPTION)
    .action((id: string, query: string[], options: TailOptions) =>
      withServer(async (server) =>
        tail(server, await server.findSession(id), query.join(" "), options),
      ),
    );
}

async function tail(
  server: Server,
  id: string,
  query: string,
  options: TailOptions,
): Promise<void> {
  const at = `/api/sessions/${encodeURIComponent(id)}`;
  const events = new Events(server, `${at}/events`, query === "" ? undefined : query);
  for (const event of await events.newest(options.lines)) show(event, options);
  if (!options.follow) return;

  // While a socket is open, the daemon sends every 250 ms instead of every 5 s.
  const stopWatching = await watch(server, id);
  for (;;) {
    const summary = await server.get<Summary>(`${at}/summary`);
    const { verdict } = summary;
    for (const event of await events.further()) show(event, options);
    // The events were read after the status, so none is missed.
    if (verdict.status === "ended" || verdict.status === "crashed") {
      if (!options.json)
        print(
          `${dim(clock(verdict.since))}  ${outcomeLine({ ...summary, status: verdict.status }, verdict.headline)}`,
        );
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
  }
  stopWatching();
}

/** The events of a session that pass a query, in their order. */
class Events {
  readonly #server: Server;
  readonly #path: string;
  readonly #q: string | undefined;
  /** The sequence up to which all were read. */
  #seen = 0;

  constructor(server: Server, path: string, q: string | undefined) {
    this.#server = server;
    this.#path = path;
    this.#q = q;
  }

  /** The last ones. */
  async newest(count: number): Promise<EventRow[]> {
    if (this.#q !== undefined || count === 0) this.#seen = await this.#end();
    return (await this.#read({ order: "desc" }, count)).reverse();
  }

  /** Those that arrived since. */
  async further(): Promise<EventRow[]> {
    const cursor = String(this.#seen);
    if (this.#q !== undefined) this.#seen = Math.max(this.#seen, await this.#end());
    return this.#read({ order: "asc", cursor }, Infinity);
  }

  /** The sequence of the newest event, which may not pass the query. */
  async #end(): Promise<number> {
    const { items } = await this.#server.get<EventPage>(this.#path, { order: "desc", limit: 1 });
    return items[0]?.seq ?? 0;
  }

  async #read(query: { order: string; cursor?: string }, count: number): Promise<EventRow[]> {
    const found: EventRow[] = [];
    let next: string | undefined = query.cursor;
    do {
      const limit = Math.min(MAX_PAGE, count - found.length);
      if (limit === 0) break;
      const asked = { ...query, q: this.#q, limit, cursor: next };
      const page = await this.#server.get<EventPage>(this.#path, asked);
      found.push(...page.items);
      next = page.next ?? undefined;
    } while (next !== undefined);
    this.#seen = found.reduce((seen, { seq }) => Math.max(seen, seq), this.#seen);
    return found;
  }
}

function show(event: EventRow, { json }: TailOptions): void {
  if (json) printJson(event, 0);
  else print(`${dim(clock(event.at))}  ${eventLine(event)}`);
}

async function watch(server: Server, id: string): Promise<() => void> {
  const { WebSocket } = await import("undici");
  const url = `${server.url.replace(/^http/, "ws")}/api/sessions/${encodeURIComponent(id)}/live`;
  const headers = server.key === undefined ? {} : { authorization: `Bearer ${server.key}` };
  const socket = new WebSocket(url, { headers });
  socket.addEventListener("error", () => {}); // without the socket, events only arrive later
  return () => socket.close();
}
