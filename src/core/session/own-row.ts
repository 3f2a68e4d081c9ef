/** What of a session stands in its own row of the catalog, from its index: what lists show, sort by and search without its lists. */
import { hasFailed } from "../status/outcome.ts";
import { verdict } from "../status/status.ts";
import { failedTests } from "../tests/verdict.ts";
import { formatDuration } from "../text/format.ts";
import { EVENT_RECOVERED } from "../vocabulary.ts";
import type { SessionIndex } from "./session-index.ts";

export type OwnRow = ReturnType<typeof ownRow>;

export function ownRow(index: SessionIndex, now: number) {
  const { observations, counts } = index;
  const current = verdict(observations, now);
  const isOver = current.status === "ended" || current.status === "crashed";
  // The daemon's lane names no language.
  const writer = index.lanes.find((lane) => lane.writer.language)?.writer;
  const outcome = {
    status: current.status,
    exit_code: observations.end?.exit_code ?? observations.crash?.exit_code ?? null,
    signal: observations.end?.signal ?? observations.crash?.signal ?? null,
    uncaught: observations.uncaught,
    failed_tests: failedTests(observations.tests),
  };
  return {
    id: index.id,
    product: index.product,
    version: index.version,
    tags: JSON.stringify(index.tags),
    machine_id: index.machineId,
    boot_id: index.bootId,
    hostname: index.hostname,
    browser: index.browser,
    os: writer?.os ?? "",
    language: writer?.language ?? "",
    created_at: Math.round(index.createdAt),
    updated_at: Math.round(index.updatedAt),
    received_at: index.receivedAt,
    status_since: Math.round(current.since),
    ended_at: isOver ? Math.round(current.since) : null,
    last_heartbeat_at:
      observations.lastHeartbeatAt === null ? null : Math.round(observations.lastHeartbeatAt),
    ...outcome,
    tests: observations.tests?.totals.tests ?? 0,
    is_open: !isOver,
    failed: hasFailed(outcome),
    ever_hung: observations.everHung,
    recovered:
      observations.hang === null &&
      (observations.pastHang !== undefined ||
        index.names.some(({ name }) => name === EVENT_RECOVERED)),
    headline: isOver ? current.headline : headlineOf(index, current.headline),
    verdict: JSON.stringify(current),
    states: counts.states,
    events: counts.events,
    exceptions: counts.exceptions,
    points: counts.points,
    series: index.series.length,
    attachments: index.attachments.filter(({ refused }) => refused === undefined).length,
    revision: index.seq,
  };
}

function headlineOf({ observations }: SessionIndex, headline: string): string {
  return observations.paused
    ? `${headline}, heartbeats paused (due every ${formatDuration(observations.heartbeatTimeoutMs)})`
    : headline;
}
