/** `datacat show`: a session's status, state, metrics, events and last exception. */
import { nameLabel } from "../../../src/core/text/recorded-text.ts";
import type { Command } from "commander";
import type { SeriesSummary } from "../../../src/core/answers/metrics.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";
import { formatNumber } from "../../../src/core/text/format.ts";
import { endStep } from "../../../src/core/text/scale.ts";
import { markQuantile } from "../../../src/core/vocabulary.ts";
import { DATACAT } from "../invocation.ts";
import { MOMENT_EVENTS, TIMELINE_COLUMNS } from "../limits.ts";
import { JSON_OPTION, SESSION_ID } from "../options.ts";
import { withSession } from "../session/named.ts";
import type { Session } from "../session/session.ts";
import { bold, category, clock, dim, moment, print, printJson, printTable } from "../terminal.ts";
import { printAttachments } from "./attachments.ts";
import { eventLine } from "./event-line.ts";
import { printLastException } from "./exception-text.ts";
import { momentOption } from "./moment.ts";
import { printGaps, printSummary, printTests } from "./summary.ts";
import { printTimeline } from "./timeline.ts";

type Options = { at?: (summary: Summary) => number; json?: boolean };

export function addShow(program: Command): void {
  program
    .command("show")
    .description("Print a session's status, state, metrics, event counts and last exception.")
    .argument("<id>", SESSION_ID)
    .option(
      "--at <time>",
      "Print the state and the last events at this time: a date, epoch milliseconds, or -5s, before the end.",
      momentOption,
    )
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      `\nExamples:\n  ${DATACAT} show last\n  ${DATACAT} show crash.datacat --at -5s`,
    )
    .action((id: string, options: Options) =>
      withSession(id, (session) => showSession(session, options)),
    );
}

async function showSession(session: Session, { at, json }: Options): Promise<void> {
  const summary = await session.ask("summary");
  if (at) return showMoment(session, summary, at(summary), json);
  const [state, series, counts, exceptions, { items: attachments }, timeline] = await Promise.all([
    session.ask("state"),
    session.ask("series"),
    session.ask("eventCounts"),
    session.ask("events", { exceptions: true, order: "desc", limit: 1 }),
    session.ask("attachments"),
    session.ask("timeline", { buckets: TIMELINE_COLUMNS }),
  ]);
  const [exception] = exceptions.items;
  if (json)
    return printJson({
      summary,
      state: state.state,
      series,
      event_counts: counts,
      exception,
      attachments,
    });

  printSummary(session, summary);
  printTests(summary);
  printGaps(summary);
  printTimeline(timeline);
  print();
  print(bold("State"));
  print(JSON.stringify(state.state, null, 2));
  if (series.length > 0) {
    print();
    printTable(
      ["metric", "type", "unit", "points", "min", "mean", "max", "p50", "p95", "p99", "last"],
      series.map((one) => [
        [nameLabel(one.name), ...one.tags.map((tag) => dim(`[${nameLabel(tag)}]`))].join(" "),
        one.type,
        one.unit,
        String(one.points),
        ...(one.type === "counter" ? rateOf(one) : valuesOf(one)),
        formatNumber(one.last, endStep(one.min, one.max, "")),
      ]),
    );
  }
  if (counts.length > 0) {
    print();
    printTable(
      ["event", "category", "times", "last"],
      counts.map((one) => [
        nameLabel(one.name),
        category(one.category),
        String(one.count),
        moment(one.last_at),
      ]),
    );
  }
  if (attachments.length > 0) {
    print();
    printAttachments(attachments);
  }
  if (exception) printLastException(exception, moment(exception.at));
}

/** The state at a moment, and what happened before it. */
async function showMoment(
  session: Session,
  summary: Summary,
  at: number,
  json?: boolean,
): Promise<void> {
  const [{ state, seq }, { items }] = await Promise.all([
    session.ask("state", { at }),
    session.ask("events", { to: at, order: "desc", limit: MOMENT_EVENTS }),
  ]);
  const events = items.reverse();
  if (json) return printJson({ id: session.id, at, seq, state, events });
  printSummary(session, summary);
  print(`\n${bold("State")}  ${dim(`at ${moment(at)}`)}`);
  print(JSON.stringify(state, null, 2));
  if (events.length > 0) print(`\n${bold("Last events before")}`);
  for (const event of events) print(`${dim(clock(event.at))}  ${eventLine(event)}`);
}

/** The mean of a counter's running total has no meaning, so its rate stands there. */
function rateOf({ rate }: SeriesSummary): string[] {
  return ["", rate === undefined ? "" : `${formatNumber(rate)}/s`, "", "", "", ""];
}

function valuesOf({ min, mean, max, quantiles }: SeriesSummary): string[] {
  const shown = quantiles ? [quantiles.p50, quantiles.p95, quantiles.p99] : [];
  const step = endStep(min, max, "");
  return [
    ...[min, mean, max].map((value) => formatNumber(value, step)),
    ...(quantiles
      ? shown.map((value) => markQuantile(formatNumber(value, step), quantiles))
      : ["", "", ""]),
  ];
}
