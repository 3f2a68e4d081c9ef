/** `datacat tail`: a session's last events, and those that follow. */
import type { Command } from "commander";
import type { EventRow, Page, Summary } from "../../../src/core/answers.ts";
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
    .option("-n, --lines <count>", "Print the last N events.", count, 20)
    .option("-f, --follow", "Print further events as they arrive, until the session ends.")
    .option(...JSON_OPTION)
    .action((id: string, options: TailOptions) =>
      withServer(async (server) => tail(server, await server.findSession(id), options)),
    );
}

async function tail(server: Server, id: string, options: TailOptions): Promise<void> {
  const at = `/api/sessions/${encodeURIComponent(id)}`;
  const newest = { order: "desc", limit: Math.max(1, options.lines) };
  const { items } = await server.get<Page<EventRow>>(`${at}/events`, newest);
  const shown = items.reverse();
  if (options.lines > 0) for (const event of shown) show(event, options);
  if (!options.follow) return;

  // While a socket is open, the daemon sends every 250 ms instead of every 5 s.
  const stopWatching = await watch(server, id);
  let last = shown.at(-1);
  for (;;) {
    const summary = await server.get<Summary>(`${at}/summary`);
    const { verdict } = summary;
    for (const event of await since(server, at, last)) {
      show(event, options);
      last = event;
    }
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

/** Events after `last`, oldest first. */
async function since(server: Server, at: string, last: EventRow | undefined): Promise<EventRow[]> {
  const found: EventRow[] = [];
  let cursor: string | undefined;
  do {
    const query = { order: "asc", limit: MAX_PAGE, from: last?.at, cursor };
    const page = await server.get<Page<EventRow>>(`${at}/events`, query);
    found.push(...page.items.filter(({ seq }) => seq > (last?.seq ?? -1)));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
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
