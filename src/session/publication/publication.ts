/** A session as the catalog's rows. */
import type { Publication } from "../../catalog/tables/publication.ts";
import { LEFT_OUT_BITS } from "../../catalog/search/filter.ts";
import {
  MAX_ATTACHMENTS,
  MAX_LISTED_EVENT_NAMES,
  MAX_LISTED_EXCEPTIONS,
  MAX_LISTED_SERIES,
  MAX_SESSION_ROWS,
} from "../../core/limits.ts";
import { ownRow } from "../../core/session/own-row.ts";
import { type SessionIndex, unlistedOf } from "../../core/session/session-index.ts";
import { type Series, unitOf } from "../../core/metrics/series.ts";
import { ownTexts, searchedOf } from "../../core/session/searched.ts";
import { MIN_PART_TESTS } from "../../core/tests/limits.ts";
import { listedTests } from "../../core/tests/listed.ts";
import type { TestTable } from "../../core/tests/table.ts";
import { failedTests } from "../../core/tests/verdict.ts";
import { ANY_VALUE, MEMBERS, type PathValues } from "../../core/state/values.ts";
import type { Rollups } from "../../core/questions/metrics.ts";
import { USUAL_NAMES } from "../limits.ts";
import { NO_TESTS, type TestPublication } from "./test-publication.ts";

type Stored = { bytes: number; damaged: number; tests?: TestPublication };

/** The session's row alone. */
type SessionRow = Publication["session"];

/** A publication of the session's row, without its lists. */
export function rowOf(session: SessionRow): Publication {
  return {
    session,
    scope: "row",
    metrics: [],
    event_counts: [],
    exceptions: [],
    state_values: [],
    attachments: [],
    tests: [],
    texts: [],
    searched: "",
    test_parts: [],
    failed_tests: [],
  };
}

/** `session`: its row, from sessionRow. `table`: the tests of a run that is over. */
export function publicationOf(
  index: SessionIndex,
  session: SessionRow,
  rollups: Rollups,
  { tests = NO_TESTS, table }: { tests?: TestPublication; table?: TestTable | undefined } = {},
): Publication {
  const { test_parts, failed_tests } = tests;
  const listed = listedTests(index, table);
  const lists = {
    event_counts: index.names.slice(0, MAX_LISTED_EVENT_NAMES),
    exceptions: index.exceptions.slice(0, MAX_LISTED_EXCEPTIONS).map(exceptionRow),
    state_values: index.values.flatMap(valueRows),
    attachments: attachmentsOf(index).slice(0, MAX_ATTACHMENTS),
    tests: listed.items,
  };
  const { searched, isWhole } = searchedOf({ ...lists, texts: index.texts });
  const isCut = OF_SEARCH.some((bit) => session.left_out & LEFT_OUT_BITS[bit]);
  const left_out =
    session.left_out |
    (listed.isComplete ? 0 : LEFT_OUT_BITS.tests) |
    (isWhole && !isCut && listed.isComplete ? 0 : LEFT_OUT_BITS.searched);
  return {
    session: { ...session, left_out },
    scope: "all",
    ...lists,
    metrics: index.series
      .slice(0, MAX_LISTED_SERIES)
      .filter((series) => series.points > 0)
      .map((series) => metricRow(series, rollups)),
    texts: [
      ...index.texts.messages.map((text) => ({ kind: "message" as const, name: null, ...text })),
      ...index.texts.output.map((text) => ({ kind: "output" as const, name: null, ...text })),
      ...index.texts.data.map((text) => ({ kind: "data" as const, ...text })),
    ],
    searched,
    test_parts,
    failed_tests,
  };
}

/** Lists that a text search looks through. */
const OF_SEARCH = ["event_names", "exceptions", "attachments"] as const;

function attachmentsOf({ attachments }: SessionIndex): Publication["attachments"] {
  return attachments
    .filter(({ refused }) => refused === undefined)
    .map(({ name, at }) => ({ name, at: Math.round(at) }));
}

/** Rows of a session itself, with its indexes and counts. */
const OWN_ROWS = 40;

/** Rows that the tests of a session may have beside its entries. */
export function roomForTests(index: SessionIndex): number {
  return Math.max(0, MAX_SESSION_ROWS - OWN_ROWS - kindsOf(index) - namesOf(index));
}

/**
 * Rows that the entries and the tests of a session take in the catalog. A name is a row when no session of the product had it
 * before: those of a session with few are there as a rule.
 */
export function catalogRows(index: SessionIndex): number {
  const own = kindsOf(index) + Math.max(0, namesOf(index) - USUAL_NAMES);
  const { tests } = index.observations;
  if (!tests) return own;
  const { totals, running } = tests;
  const named = failedTests(tests) + totals.flaky + running.length;
  const rows = Math.ceil(totals.tests / MIN_PART_TESTS) + named;
  return own + Math.min(rows, roomForTests(index));
}

/** Kinds of exceptions: each is a row of its group. */
function kindsOf({ exceptions }: SessionIndex): number {
  return Math.min(exceptions.length, MAX_LISTED_EXCEPTIONS);
}

function namesOf({ series, names, values, tags }: SessionIndex): number {
  return (
    Math.min(series.length, MAX_LISTED_SERIES) +
    Math.min(names.length, MAX_LISTED_EVENT_NAMES) +
    values.length +
    tags.length
  );
}

/** Its bits of what is left out are those of what the index itself has too much of: publicationOf adds those of its lists. */
export function sessionRow(
  index: SessionIndex,
  { bytes, damaged, tests = NO_TESTS }: Stored,
  now: number,
): SessionRow {
  const row = ownRow(index, now);
  return {
    ...row,
    left_out: leftOutBits(index),
    search: ownTexts({ ...row, tags: index.tags }).join("\n"),
    bytes,
    damaged,
    test_parts: tests.parts,
    test_mark: tests.mark,
  };
}

function leftOutBits(index: SessionIndex): number {
  const { event_names, exceptions, state_paths, tags, attachments } = index.leftOut;
  const { catalog_event_names, catalog_exceptions, catalog_series } = unlistedOf(index);
  const counts: { [what: string]: unknown } = {
    event_names: event_names ?? catalog_event_names,
    exceptions: exceptions ?? catalog_exceptions,
    state_paths,
    tags,
    series: catalog_series,
    attachments: attachments ?? attachmentsOf(index).length > MAX_ATTACHMENTS,
  };
  return Object.entries(LEFT_OUT_BITS).reduce(
    (bits, [what, bit]) => (counts[what] ? bits | bit : bits),
    0,
  );
}

function exceptionRow({
  fingerprint,
  type,
  message,
  place,
  calls,
  count,
  unhandled,
  firstAt,
  lastAt,
  firstSeq,
}: SessionIndex["exceptions"][number]): Publication["exceptions"][number] {
  return {
    fingerprint,
    type,
    message,
    place,
    calls,
    count,
    unhandled,
    first_at: firstAt,
    last_at: lastAt,
    first_seq: firstSeq,
  };
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
