/** `datacat show`: a session's status, state, metrics, events and last exception. */
import { nameLabel } from "../../../src/core/text/recorded-text.ts";
import type { Command } from "commander";
import type {
  EventCount,
  EventRow,
  Page,
  SeriesSummary,
  StateAt,
  Summary,
} from "../../../src/core/answers.ts";
import { formatNumber } from "../../../src/core/text/format.ts";
import { endStep } from "../../../src/core/text/scale.ts";
import { markQuantile } from "../../../src/core/vocabulary.ts";
import { JSON_OPTION, SESSION_ID, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { bold, category, dim, moment, print, printJson, printTable } from "../terminal.ts";
import { attachmentsOf, printAttachments } from "./attachments.ts";
import { printLastException } from "./exception-text.ts";
import { printGaps, printSummary, printTests } from "./summary.ts";

export function addShow(program: Command): void {
  program
    .command("show")
    .description("Print a session's status, state, metrics, event counts and last exception.")
    .argument("<id>", SESSION_ID)
    .option(...JSON_OPTION)
    .action((id: string, { json }) =>
      withServer(async (server) => showSession(server, await server.findSession(id), json)),
    );
}

async function showSession(server: Server, id: string, json?: boolean): Promise<void> {
  const at = `/api/sessions/${encodeURIComponent(id)}`;
  const [summary, state, series, counts, exceptions, { items: attachments }] = await Promise.all([
    server.get<Summary>(`${at}/summary`),
    server.get<StateAt>(`${at}/state`),
    server.get<SeriesSummary[]>(`${at}/metrics`),
    server.get<EventCount[]>(`${at}/events/counts`),
    server.get<Page<EventRow>>(`${at}/events`, { exceptions: true, order: "desc", limit: 1 }),
    attachmentsOf(server, id),
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

  printSummary(server, summary);
  printTests(summary);
  printGaps(summary);
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
