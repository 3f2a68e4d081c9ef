/** `datacat why`: what became of a session, in plain words, with what it was doing last. */
import type { EventRow, Page, StateChange, Summary } from "../../../src/core/answers.ts";
import { formatDuration } from "../../../src/core/format.ts";
import type { Server } from "../server.ts";
import { printHead } from "./sessions.ts";
import { bold, category, clock, dim, print, printJson } from "../terminal.ts";

export async function explainSession(
  server: Server,
  id: string,
  options: { count: number; json?: boolean },
): Promise<void> {
  const at = `/api/sessions/${encodeURIComponent(id)}`;
  const last = { order: "desc", limit: options.count };
  const [summary, states, events, exceptions] = await Promise.all([
    server.get<Summary>(`${at}/summary`),
    server.get<Page<StateChange>>(`${at}/state/history`, last),
    server.get<Page<EventRow>>(`${at}/events`, last),
    server.get<Page<EventRow>>(`${at}/events`, { exceptions: true, order: "desc", limit: 1 }),
  ]);
  const [exception] = exceptions.items;
  const states_before = states.items.reverse();
  const events_before = events.items.reverse();
  if (options.json) {
    const { verdict, transitions, ledger } = summary;
    printJson({ id, verdict, transitions, ledger, exception, states_before, events_before });
    return;
  }

  printHead(server, summary);
  printVerdict(summary);
  if (exception) printException(exception, summary);
  if (states_before.length > 0) {
    print(`\n${bold("Its last state changes")}`);
    for (const change of states_before) {
      print(`${before(change.at, summary)}  ${JSON.stringify(change.patch)}`);
    }
  }
  if (events_before.length > 0) {
    print(`\n${bold("Its last events")}`);
    for (const event of events_before) print(`${before(event.at, summary)}  ${eventLine(event)}`);
  }
  printLosses(summary);
}

function printVerdict({ verdict, transitions }: Summary): void {
  print(`\n${bold("Why")}`);
  if (verdict.evidence.length === 0) print("Nothing speaks for or against it yet.");
  for (const { text, confidence } of verdict.evidence) {
    print(`- ${text}${confidence === "certain" ? "" : dim(` (${confidence})`)}`);
  }
  if (verdict.confidence !== "certain") print(`All in all this is ${verdict.confidence}.`);
  if (transitions.length > 2) {
    print(`\n${bold("Before")}`);
    for (const { at, headline } of transitions) print(`${dim(clock(at))}  ${headline}`);
  }
}

function printException(exception: EventRow, summary: Summary): void {
  const { exception_type = "exception", exception_msg = "", stacktrace = [], handled } = exception;
  print(`\n${bold("Its last exception")}  ${before(exception.at, summary)}`);
  print(`${exception_type}: ${exception_msg}`);
  for (const frame of stacktrace.slice(-12)) print(dim(`  ${frame.trimEnd()}`));
  if (handled === false) print("Nothing caught it.");
}

function printLosses({ ledger, damaged_segments }: Summary): void {
  const dropped = Object.entries(ledger.dropped);
  print();
  if (dropped.length === 0 && damaged_segments === 0) {
    print(dim(`Complete: ${ledger.stored} of ${ledger.accepted} records are here.`));
    return;
  }
  print(bold("What is missing"));
  for (const [cause, count] of dropped) print(`- ${count} records: ${cause.replaceAll("_", " ")}`);
  if (damaged_segments > 0) print(`- ${damaged_segments} damaged segments of storage`);
}

/** How long before the session's end: what counts in the last moments. */
function before(at: number, { ended_at, updated_at }: Summary): string {
  const ms = Math.max(0, (ended_at ?? updated_at) - at);
  return dim(`${ms > 0 ? "-" : ""}${formatDuration(ms)}`.padStart(12));
}

/** An event on one line. */
export function eventLine(event: EventRow): string {
  const { name, group, message, data, exception_type, exception_msg } = event;
  if (name === "output") return `${dim(group ?? "")}  ${message ?? ""}`;
  const what = exception_type ? `${exception_type}: ${exception_msg ?? ""}` : message;
  const rest = data && Object.keys(data).length > 0 ? dim(JSON.stringify(data)) : "";
  return [category(event.category), bold(name), group, what, rest].filter(Boolean).join("  ");
}
