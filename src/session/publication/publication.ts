/** A session as the catalog's rows. */
import type { Publication } from "../../catalog/publish.ts";
import { formatDuration } from "../../core/text/format.ts";
import { LEFT_OUT_BITS } from "../../catalog/filter.ts";
import { fold } from "../../core/text/fold.ts";
import { hasFailed } from "../../core/status/outcome.ts";
import {
  MAX_LISTED_EVENT_NAMES,
  MAX_LISTED_EXCEPTIONS,
  MAX_LISTED_SERIES,
  MAX_SESSION_ROWS,
} from "../../core/limits.ts";
import { type SessionIndex, unlistedOf } from "../../core/session/session-index.ts";
import { type Series, unitOf } from "../../core/metrics/series.ts";
import { verdict } from "../../core/status/status.ts";
import { MIN_PART_TESTS } from "../../core/tests/limits.ts";
import { failedTests } from "../../core/tests/verdict.ts";
import { ANY_VALUE, entriesOf, MEMBERS, type PathValues } from "../../core/state/values.ts";
import { EVENT_RECOVERED } from "../../core/vocabulary.ts";
import type { Rollups } from "../../core/questions/metrics.ts";
import { NO_TESTS, type TestPublication } from "./test-publication.ts";

type Stored = { bytes: number; damaged: number; tests?: TestPublication };

export function publicationOf(
  index: SessionIndex,
  rollups: Rollups,
  changed: ReadonlySet<number> | null,
  { bytes, damaged, tests = NO_TESTS }: Stored,
  now: number,
): Publication {
  const { parts, mark, ...rows } = tests;
  return {
    session: { ...sessionRow(index, bytes, now), damaged, test_parts: parts, test_mark: mark },
    ...rows,
    metrics: listedSeries(index)
      .filter((series) => series.points > 0 && (!changed || changed.has(series.id)))
      .map((series) => metricRow(series, rollups)),
    event_counts: index.names.slice(0, MAX_LISTED_EVENT_NAMES),
    exceptions: index.exceptions
      .slice(0, MAX_LISTED_EXCEPTIONS)
      .map(
        ({ fingerprint, type, message, place, count, unhandled, firstAt, lastAt, firstSeq }) => ({
          fingerprint,
          type,
          message,
          place,
          search: fold(`${type} ${message} ${place} ${fingerprint}`),
          count,
          unhandled,
          first_at: firstAt,
          last_at: lastAt,
          first_seq: firstSeq,
        }),
      ),
    state_values: index.values.flatMap(valueRows),
  };
}

function listedSeries({ series }: SessionIndex): Series[] {
  return series.slice(0, MAX_LISTED_SERIES);
}

/** Rows of a session itself, with its indexes and counts. */
const OWN_ROWS = 30;

/** Rows that the tests of a session may have beside its entries. */
export function roomForTests(index: SessionIndex): number {
  return Math.max(0, MAX_SESSION_ROWS - OWN_ROWS - entryRows(index));
}

/** Rows that the entries and the tests of a session take in the catalog, with their indexes and counts. */
export function catalogRows(index: SessionIndex): number {
  const { tests } = index.observations;
  if (!tests) return entryRows(index);
  const { totals, running } = tests;
  const named = failedTests(tests) + totals.flaky + running.length;
  const rows = Math.ceil(totals.tests / MIN_PART_TESTS) + named;
  return entryRows(index) + Math.min(rows, roomForTests(index));
}

function entryRows({ series, names, exceptions, values }: SessionIndex): number {
  return (
    2 * Math.min(series.length, MAX_LISTED_SERIES) +
    2 * Math.min(names.length, MAX_LISTED_EVENT_NAMES) +
    4 * Math.min(exceptions.length, MAX_LISTED_EXCEPTIONS) +
    2 * entriesOf(values)
  );
}

function sessionRow(
  index: SessionIndex,
  bytes: number,
  now: number,
): Omit<Publication["session"], "damaged" | "test_parts" | "test_mark"> {
  const { observations, counts } = index;
  const current = verdict(observations, now);
  const isOver = current.status === "ended" || current.status === "crashed";
  const headline = isOver ? current.headline : headlineOf(index, current.headline);
  const { id, product, version, hostname, machineId, tags } = index;
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
    left_out: leftOutBits(index),
    search: fold([id, product, version, hostname, machineId, headline, ...tags].join(" ")),
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
    headline,
    verdict: JSON.stringify(current),
    states: counts.states,
    events: counts.events,
    exceptions: counts.exceptions,
    points: counts.points,
    series: index.series.length,
    attachments: index.attachments.filter(({ refused }) => refused === undefined).length,
    revision: index.seq,
    bytes,
  };
}

function leftOutBits(index: SessionIndex): number {
  const { event_names, exceptions, state_paths, tags } = index.leftOut;
  const { catalog_event_names, catalog_exceptions, catalog_series } = unlistedOf(index);
  const counts = {
    event_names: event_names ?? catalog_event_names,
    exceptions: exceptions ?? catalog_exceptions,
    state_paths,
    tags,
    series: catalog_series,
  } satisfies { [what in keyof typeof LEFT_OUT_BITS]: unknown };
  return Object.entries(LEFT_OUT_BITS).reduce(
    (bits, [what, bit]) => (counts[what as keyof typeof LEFT_OUT_BITS] ? bits | bit : bits), // as: an entry of it
    0,
  );
}

function headlineOf({ observations }: SessionIndex, headline: string): string {
  return observations.paused
    ? `${headline}, heartbeats paused (due every ${formatDuration(observations.heartbeatTimeoutMs)})`
    : headline;
}

function metricRow(series: Series, rollups: Rollups): Publication["metrics"][number] {
  const builder = rollups.of(series.id);
  const distribution = builder?.distribution();
  const quantiles = distribution?.quantiles();
  const json = (value: object | null | undefined) => (value ? JSON.stringify(value) : null);
  return {
    name: series.name,
    series: series.id,
    type: series.type,
    unit: unitOf(series),
    tags: JSON.stringify(series.tags),
    points: series.points,
    count: series.moments.count,
    sum: series.moments.sum,
    sum_low: series.moments.low,
    sum_scale: series.moments.scale,
    deviation: series.type === "histogram" ? null : series.moments.deviation,
    increase: series.increase ?? 0,
    p50: quantiles?.p50 ?? null,
    p95: quantiles?.p95 ?? null,
    p99: quantiles?.p99 ?? null,
    min: series.min,
    max: series.max,
    first: series.first,
    last: series.last,
    first_at: Math.round(series.firstAt),
    last_at: Math.round(series.lastAt),
    distribution: json(distribution?.pack()),
    rollup: json(builder?.rollup),
    quantile_steps: json(builder?.quantileSteps()),
  };
}

function valueRows(entry: PathValues): Publication["state_values"] {
  const { path, over, values, hasMembers } = entry;
  const mark = (value: string) => ({ path, value, first_at: 0, last_at: null });
  const rows = values.map(({ text, since, until }) => ({
    path,
    value: text,
    first_at: Math.round(since),
    last_at: until === null ? null : Math.round(until),
  }));
  return [...(over ? [mark(ANY_VALUE)] : rows), ...(hasMembers ? [mark(MEMBERS)] : [])];
}
