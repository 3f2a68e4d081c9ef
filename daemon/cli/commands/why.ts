/** `datacat why`: a session's status with its evidence, and its last state changes and events. */
import { isUnreadable } from "../../../src/core/session/incomplete.ts";
import type { Command } from "commander";
import type { StackRow } from "../../../src/core/answers/stacks.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";
import {
  attachmentTexts,
  causeText,
  isCompleteRecord,
  lossesOf,
  recordedOf,
} from "../../../src/core/session/completeness.ts";
import { formatCount, formatDuration, formatNumber } from "../../../src/core/text/format.ts";
import { shownEvidence } from "../../../src/core/status/evidence.ts";
import { MAX_PAGE } from "../../../src/core/limits.ts";
import { shownThreads } from "../../../src/core/status/stacks.ts";
import { isGood } from "../../../src/core/status/outcome.ts";
import { DATACAT } from "../invocation.ts";
import { CHANGES, STACK_EVENTS, STACK_LINES } from "../limits.ts";
import { count, JSON_OPTION, SESSION_ID } from "../options.ts";
import { withSession } from "../session/named.ts";
import type { Changes, Session } from "../session/session.ts";
import { eventLine } from "./event-line.ts";
import { printAttachments } from "./attachments.ts";
import { isPrinted, printLastException } from "./exception-text.ts";
import { printGaps, printSummary } from "./summary.ts";
import { bold, clock, dim, print, printJson } from "../terminal.ts";

export function addWhy(program: Command): void {
  program
    .command("why")
    .description("Explain a session's status: the evidence, and its last state changes and events.")
    .argument("<id>", SESSION_ID)
    .option("-n, --count <count>", "Print this many state changes and events.", count, 10)
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      `\nExamples:\n  ${DATACAT} why last\n  ${DATACAT} why 0198f3c1 -n 50\n  ${DATACAT} why crash.datacat`,
    )
    .action((id: string, options: { count: number; json?: boolean }) =>
      withSession(id, (session) => explainSession(session, options)),
    );
}

async function explainSession(
  session: Session,
  options: { count: number; json?: boolean },
): Promise<void> {
  const last = { order: "desc", limit: options.count } as const;
  // Those that the exception repeats are left out.
  const lastEvents = { ...last, limit: Math.min(options.count + STACK_EVENTS, MAX_PAGE) };
  const [summary, states, events, exceptions, stacks, changes, { items: attachments }] =
    await Promise.all([
      session.ask("summary"),
      session.ask("history", last),
      session.ask("events", lastEvents),
      session.ask("events", { exceptions: true, order: "desc", limit: 1 }),
      session.ask("stacks"),
      session.changes(),
      session.ask("attachments"),
    ]);
  const [sample] = stacks.items;
  const [exception] = exceptions.items;
  const states_before = states.items.reverse();
  const events_before = events.items
    .filter((event) => options.json || !exception || !isPrinted(event, exception))
    .slice(0, options.count)
    .reverse();
  if (options.json) {
    const { verdict, transitions, ledger, damaged, left_out } = summary;
    printJson({
      id: session.id,
      verdict,
      transitions,
      ledger,
      damaged,
      left_out,
      exception,
      stacks: stacks.items,
      changes,
      states_before,
      events_before,
      attachments,
    });
    return;
  }

  printSummary(session, summary);
  printVerdict(summary);
  if (changes && !isGood(summary)) printChanges(changes);
  if (sample) printStacks(sample, summary);
  if (exception) printLastException(exception, before(exception.at, summary));
  if (states_before.length > 0) {
    print(`\n${bold("Last state changes")}`);
    for (const change of states_before) {
      print(`${before(change.at, summary)}  ${JSON.stringify(change.patch)}`);
    }
  }
  if (events_before.length > 0) {
    print(`\n${bold("Last events")}`);
    for (const event of events_before) print(`${before(event.at, summary)}  ${eventLine(event)}`);
  }
  if (attachments.length > 0) {
    print();
    printAttachments(attachments);
  }
  printLosses(summary);
  printGaps(summary);
}

function printVerdict({ verdict, transitions }: Summary): void {
  print(`\n${bold("Why")}`);
  if (verdict.evidence.length === 0) print("There is no evidence yet.");
  for (const { text, confidence } of shownEvidence(verdict)) {
    print(`- ${text}${confidence === "certain" ? "" : dim(` (${confidence})`)}`);
  }
  if (verdict.confidence !== "certain") print(`The status is ${verdict.confidence}.`);
  if (transitions.length > 2) {
    print(`\n${bold("Earlier statuses")}`);
    for (const { at, headline } of transitions) print(`${dim(clock(at))}  ${headline}`);
  }
}

/** What differs most from the last good runs. */
function printChanges({ items, others }: Changes): void {
  if (items.length === 0) return;
  const runs = formatCount(others.sessions, "good run");
  print(`\n${bold("What changed")}  ${dim(`against the last ${runs}`)}`);
  for (const { text } of items.slice(0, CHANGES)) print(`- ${text}`);
  if (items.length > CHANGES)
    print(dim(`  … and ${formatCount(items.length - CHANGES, "further difference")}`));
}

/** The innermost frames of the main thread, or of the one that caused the end. */
function printStacks(row: StackRow, summary: Summary): void {
  const [first, ...others] = shownThreads(row);
  if (!first) return;
  print(`\n${bold(first.name ?? "Stack")}  ${before(row.at, summary)}`);
  for (const frame of first.frames.slice(0, STACK_LINES)) print(dim(`  ${frame}`));
  const left = first.frames.length - STACK_LINES;
  if (left > 0) print(dim(`  … ${formatCount(left, "outer frame")}`));
  if (others.length > 0) print(dim(`  and ${formatCount(others.length, "other thread")}`));
}

function printLosses(summary: Summary): void {
  const { ledger, damaged_segments, damaged = [] } = summary;
  print();
  if (isCompleteRecord(ledger) && damaged_segments === 0) {
    print(dim(`Complete: ${recordedOf(ledger)}.`));
    return;
  }
  print(bold("Missing records"));
  print(isUnreadable(summary) ? "How many ops there were is not known." : `${recordedOf(ledger)}.`);
  for (const { cause, count, times } of lossesOf(ledger)) {
    const isUnknown = times?.at_least === true;
    const number = isUnknown && count === 0 ? "An unknown number" : formatNumber(count);
    const period = times ? ` from ${clock(times.from)} to ${clock(times.to)}` : "";
    const more = isUnknown && count > 0 ? " or more" : "";
    const when = isUnknown ? ", when the program ended" : "";
    print(`- ${number}${more} ${causeText(cause)}${period}${when}`);
  }
  for (const text of attachmentTexts(ledger)) print(`- ${text}`);
  const parts = damaged.filter(({ part }) => part !== "attachment");
  const segments = new Set(parts.map(({ segment }) => segment)).size;
  if (segments > 0) print(`- ${formatCount(segments, "segment")} cannot be read`);
  const contents = damaged.length - parts.length;
  if (contents > 0) print(`- Parts of ${formatCount(contents, "attachment")} cannot be read`);
}

/** How long before the session's end. */
function before(at: number, { last_at }: Summary): string {
  const ms = Math.max(0, last_at - at);
  return dim(`${ms > 0 ? "-" : ""}${formatDuration(ms)}`.padStart(12));
}
