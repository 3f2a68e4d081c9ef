/** `datacat sessions`, `show` and `export`: what the server has. */
import { writeFileSync } from "node:fs";
import type {
  EventCount,
  Page,
  SeriesSummary,
  StateAt,
  Summary,
} from "../../../src/core/answers.ts";
import { formatBytes, formatDuration } from "../../../src/core/format.ts";
import type { Server, SessionRow } from "../server.ts";
import {
  bold,
  category,
  dim,
  moment,
  print,
  printJson,
  printTable,
  progress,
  status,
} from "../terminal.ts";

export type ListOptions = {
  product?: string;
  label?: string;
  status?: string;
  text?: string;
  limit: number;
  json?: boolean;
};

export async function listSessions(server: Server, options: ListOptions): Promise<void> {
  const { product, label, status: statuses, text, limit } = options;
  const page = await server.get<Page<SessionRow>>("/api/sessions", {
    product,
    version: label,
    status: statuses,
    text,
    limit,
  });
  if (options.json) return printJson(page);
  if (page.items.length === 0) return print("No sessions.");
  printTable(
    ["id", "product", "version", "began", "lasted", "status", ""],
    page.items.map((row) => [
      row.id,
      row.product,
      row.version,
      moment(row.created_at),
      formatDuration((row.ended_at ?? row.updated_at) - row.created_at),
      status(row.status),
      row.status === "active" ? "" : row.headline,
    ]),
  );
  if (page.next !== null) print(dim(`More: --limit ${options.limit * 2}`));
}

export async function showSession(server: Server, id: string, json?: boolean): Promise<void> {
  const at = `/api/sessions/${encodeURIComponent(id)}`;
  const [summary, state, series, counts] = await Promise.all([
    server.get<Summary>(`${at}/summary`),
    server.get<StateAt>(`${at}/state`),
    server.get<SeriesSummary[]>(`${at}/metrics`),
    server.get<EventCount[]>(`${at}/events/counts`),
  ]);
  if (json) return printJson({ summary, state: state.state, series, event_counts: counts });

  printHead(server, summary);
  print();
  print(bold("State"));
  print(JSON.stringify(state.state, null, 2));
  if (series.length > 0) {
    print();
    printTable(
      ["metric", "type", "unit", "points", "min", "mean", "max", "last"],
      series.map((one) => [
        [one.name, ...one.tags.map((tag) => dim(`[${tag}]`))].join(" "),
        one.type,
        one.unit,
        String(one.points),
        ...[one.min, one.mean, one.max, one.last].map((value) =>
          String(Number(value.toPrecision(5))),
        ),
      ]),
    );
  }
  if (counts.length > 0) {
    print();
    printTable(
      ["event", "category", "times", "last"],
      counts.map((one) => [
        one.name,
        category(one.category),
        String(one.count),
        moment(one.last_at),
      ]),
    );
  }
}

/** Who, when, how it stands. */
export function printHead(server: Server, summary: Summary): void {
  const { product, version, verdict, created_at, ended_at, updated_at, hostname } = summary;
  const until = ended_at ?? updated_at;
  print(`${bold([product, version].filter(Boolean).join(" ") || "session")}  ${dim(summary.id)}`);
  print(`${status(verdict.status)}  ${verdict.headline}`);
  print(
    `${moment(created_at)} to ${moment(until)}, ${formatDuration(until - created_at)}${hostname ? `, on ${hostname}` : ""}`,
  );
  print(dim(`${server.url}/sessions/${summary.id}`));
}

export async function exportSession(server: Server, id: string, file?: string): Promise<void> {
  progress("asking…");
  const path = `/api/sessions/${encodeURIComponent(id)}/export`;
  const text = await server.getText(path, {}, EXPORT_TIMEOUT_MS);
  progress("");
  if (file === undefined) {
    await new Promise((resolve) => process.stdout.write(text, resolve));
    return;
  }
  writeFileSync(file, text);
  const lines = text.split("\n").length - 1;
  print(`${file}: ${lines} lines, ${formatBytes(Buffer.byteLength(text))}`);
}

/** A long session is many megabytes, and connections may be slow. */
const EXPORT_TIMEOUT_MS = 60 * 60_000;
