/** What the catalog is told of a session: its head, as rows. */
import type { Publication } from "../catalog/publish.ts";
import { duration } from "../core/words.ts";
import type { Head } from "../core/head.ts";
import type { Series } from "../core/series.ts";
import { packSketch } from "../core/sketch.ts";
import { verdict } from "../core/status.ts";
import { ANY_VALUE, type PathValues } from "../core/values.ts";
import { EVENT_RECOVERED } from "../core/vocabulary.ts";
import type { JsonObject } from "../core/wire.ts";
import type { Rollups } from "./metrics.ts";

/** Characters of a state that a list may show; a larger one is asked of its session. */
const MAX_LISTED_STATE = 16_384;

export function publicationOf(
  head: Head,
  state: JsonObject,
  rollups: Rollups,
  changed: ReadonlySet<number> | null,
  bytes: number,
  now: number,
): Publication {
  return {
    session: sessionRow(head, state, bytes, now),
    metrics: head.series
      .filter((series) => series.points > 0 && (!changed || changed.has(series.id)))
      .map((series) => metricRow(series, rollups)),
    event_counts: head.names.map(({ examples, ...count }) => ({
      ...count,
      examples: JSON.stringify(examples),
    })),
    exceptions: head.failures.map(
      ({ fingerprint, type, message, count, firstAt, lastAt, firstSeq }) => ({
        fingerprint,
        type,
        message,
        count,
        first_at: firstAt,
        last_at: lastAt,
        first_seq: firstSeq,
      }),
    ),
    state_values: head.values.flatMap(valueRows),
  };
}

function sessionRow(
  head: Head,
  state: JsonObject,
  bytes: number,
  now: number,
): Publication["session"] {
  const { facts, counts } = head;
  const judged = verdict(facts, now);
  const stateText = JSON.stringify(state);
  const isOver = judged.status === "ended" || judged.status === "crashed";
  return {
    id: head.id,
    product: head.product,
    version: head.version,
    tags: JSON.stringify(head.tags),
    machine_id: head.machineId,
    boot_id: head.bootId,
    hostname: head.hostname,
    created_at: Math.round(head.createdAt),
    updated_at: Math.round(head.updatedAt),
    ended_at: isOver ? Math.round(judged.since) : null,
    last_heartbeat_at: facts.lastHeartbeatAt === null ? null : Math.round(facts.lastHeartbeatAt),
    status: judged.status,
    is_open: !isOver,
    ever_hung: facts.everHung,
    recovered: head.names.some(({ name }) => name === EVENT_RECOVERED) && facts.hang === null,
    headline: isOver ? judged.headline : headlineOf(head, judged.headline),
    verdict: JSON.stringify(judged),
    states: counts.states,
    events: counts.events,
    exceptions: counts.exceptions,
    points: counts.points,
    series: head.series.length,
    exit_code: facts.end?.exit_code ?? facts.crash?.exit_code ?? null,
    signal: facts.end?.signal ?? facts.crash?.signal ?? null,
    revision: head.seq,
    bytes,
    state: stateText.length <= MAX_LISTED_STATE ? stateText : null,
  };
}

function headlineOf({ facts }: Head, headline: string): string {
  return facts.paused
    ? `${headline}, heartbeats paused (due every ${duration(facts.heartbeatTimeoutMs)})`
    : headline;
}

function metricRow(series: Series, rollups: Rollups): Publication["metrics"][number] {
  const rollup = rollups.of(series.id);
  return {
    name: series.name,
    series: series.id,
    type: series.type,
    unit: series.unit,
    tags: JSON.stringify(series.tags),
    points: series.points,
    count: series.samples,
    sum: series.sum,
    sum_squares: series.squares,
    min: series.min,
    max: series.max,
    first: series.first,
    last: series.last,
    first_at: Math.round(series.firstAt),
    last_at: Math.round(series.lastAt),
    sketch: rollup && rollup.sketch.count > 0 ? JSON.stringify(packSketch(rollup.sketch)) : null,
    strip: rollup?.strip ? JSON.stringify(rollup.strip) : null,
  };
}

function valueRows({ path, over, values }: PathValues): Publication["state_values"] {
  if (over) return [{ path, value: ANY_VALUE, first_at: 0, last_at: null }];
  return values.map(({ text, since, until }) => ({
    path,
    value: text,
    first_at: Math.round(since),
    last_at: until === null ? null : Math.round(until),
  }));
}
