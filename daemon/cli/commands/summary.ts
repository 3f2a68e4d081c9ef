/** The first lines about a session, for several commands. */
import type { Summary } from "../../../src/core/answers.ts";
import { formatDuration } from "../../../src/core/format.ts";
import type { Server } from "../server.ts";
import { bold, dim, moment, print, outcomeLine } from "../terminal.ts";

/** Product, version, status, times and the page of a session. */
export function printSummary(server: Server, summary: Summary): void {
  const { product, version, verdict, created_at, ended_at, updated_at, hostname } = summary;
  const until = ended_at ?? updated_at;
  print(`${bold([product, version].filter(Boolean).join(" ") || "session")}  ${dim(summary.id)}`);
  print(outcomeLine({ ...summary, status: verdict.status }, verdict.headline));
  print(
    `${moment(created_at)} to ${moment(until)}, ${formatDuration(until - created_at)}${hostname ? `, on ${hostname}` : ""}`,
  );
  print(dim(`${server.url}/sessions/${summary.id}`));
}
