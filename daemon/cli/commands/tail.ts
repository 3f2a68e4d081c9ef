/** `datacat tail`: a session's last events, and those that follow. */
import type { Command } from "commander";
import type { EventRow } from "../../../src/core/answers/events.ts";
import { MAX_PAGE } from "../../../src/core/limits.ts";
import { FOLLOW_MS } from "../limits.ts";
import { count, JSON_OPTION, SESSION_ID } from "../options.ts";
import { withSession } from "../session/named.ts";
import type { Session } from "../session/session.ts";
import { clock, dim, print, printJson, outcomeLine } from "../terminal.ts";
import { Trouble } from "../trouble.ts";
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
      withSession(id, (session) => tail(session, query.join(" "), options)),
    );
}

async function tail(session: Session, query: string, options: TailOptions): Promise<void> {
  const events = new Events(session, query === "" ? undefined : query);
  const newest = await events.newest(options.lines);
  for (const event of newest) show(event, options);
  if (!options.follow) {
    if (newest.length === 0 && !options.json)
      print(query === "" ? "No events." : "No events pass this query.");
    return;
  }

  if (!session.watch)
    throw new Trouble("usage", "Nothing follows in a session file: leave -f out.");
  const stopWatching = await session.watch();
  for (;;) {
    const summary = await session.ask("summary");
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
  readonly #session: Session;
  readonly #q: string | undefined;
  /** The sequence up to which all were read. */
  #seen = 0;

  constructor(session: Session, q: string | undefined) {
    this.#session = session;
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
    const { items } = await this.#session.ask("events", { order: "desc", limit: 1 });
    return items[0]?.seq ?? 0;
  }

  async #read(
    query: { order: "asc" | "desc"; cursor?: string },
    count: number,
  ): Promise<EventRow[]> {
    const found: EventRow[] = [];
    let next: string | undefined = query.cursor;
    do {
      const limit = Math.min(MAX_PAGE, count - found.length);
      if (limit === 0) break;
      const asked = { ...query, q: this.#q, limit, cursor: next };
      const page = await this.#session.ask("events", asked);
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
