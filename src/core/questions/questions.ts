/** What a session can be asked. Each question is written once here, with its query and the type of its answer; the client is derived from it. */
import type { AttachmentRow } from "../answers/attachments.ts";
import type { Chart, SeriesSummary } from "../answers/metrics.ts";
import type { DamagedPart } from "../answers/damage.ts";
import type { EventCount, EventPage } from "../answers/events.ts";
import { held, type HeldQuery } from "./held.ts";
import type { Page } from "../answers/page.ts";
import type { PathChange, StateAt, StateChange, StateCharts, StateDiff } from "../answers/state.ts";
import type { StackRow } from "../answers/stacks.ts";
import type { Summary } from "../answers/summary.ts";
import type { TestAccount, TestList, TestReport } from "../answers/tests.ts";
import { listTests, reportOf, suitesOf, type TestsQuery, type TestTable } from "../tests/table.ts";
import type { Timeline } from "../answers/timeline.ts";
import { seriesPassing } from "../metrics/fields.ts";
import type { Query } from "../query/tree.ts";
import { lastMomentOf } from "../session/duration.ts";
import {
  type ExceptionCount,
  type SessionIndex,
  summaryOf,
  timesOf,
} from "../session/session-index.ts";
import type { JsonObject } from "../wire.ts";
import { attachmentRows } from "./attachments.ts";
import { type EventsQuery, eventPage } from "./events.ts";
import {
  type HistoryQuery,
  type Moment,
  pathChanges,
  stateAt,
  stateChanges,
  stateDiff,
} from "./history.ts";
import { DEFAULT_TIMELINE_BUCKETS, MAX_TEST_ACCOUNTS } from "./limits.ts";
import { addRefused } from "./refused.ts";
import { extentOf } from "../metrics/extent.ts";
import { DEFAULT_POINTS } from "../limits.ts";
import { type ChartQuery, charts, type Rollups, timeline } from "./metrics.ts";
import { stacksOf } from "./stacks.ts";
import { stateCharts, type StateChartsQuery } from "./state-charts.ts";
import type { Segments } from "../segments/segments.ts";
import { accountsOf } from "./tests.ts";

/** A session as its object has it loaded. */
export type Source = {
  store: Segments;
  index: SessionIndex;
  state: JsonObject;
  /** Built when first needed. */
  rollups: () => Rollups;
  tests: () => TestTable;
  now: number;
};

export const ANSWERS = {
  summary: ({ store, index, now }: Source): Summary => {
    const damaged = store.damagedParts();
    return summaryOf(index, now, {
      segments: store.segmentCount,
      damaged_segments: new Set(damaged.map(({ segment }) => segment)).size,
      damaged: damaged.length > 0 ? damaged : undefined,
      bytes: store.bytes,
      rows_written: index.rowsWritten,
    });
  },

  state: ({ store, index, state }: Source, moment: Moment = {}): StateAt =>
    moment.at === undefined && moment.seq === undefined
      ? { seq: index.seq, at: index.clockAt || null, state }
      : stateAt(store, moment),

  diff: (source: Source, { from, to }: { from: Moment; to?: Moment }): StateDiff =>
    stateDiff(ANSWERS.state(source, from), ANSWERS.state(source, to)),

  history: ({ store }: Source, query: HistoryQuery = {}): Page<StateChange> =>
    stateChanges(store, query),

  pathHistory: ({ store }: Source, query: HistoryQuery & { path: string[] }): Page<PathChange> =>
    pathChanges(store, query),

  /** Parts that cannot be read, for answers that are lists. */
  damage: ({ store }: Source): DamagedPart[] => store.damagedParts(),

  /** Whether it ever had something; null: not known. */
  held: (source: Source, query: HeldQuery): boolean | null => held(source, query),

  events: ({ store, index, now }: Source, query: EventsQuery = {}): EventPage =>
    eventPage(store, query, {
      from: index.createdAt,
      to: lastMomentOf(timesOf(index, now), now),
    }),

  /** One entry per fingerprint, the newest occurrence first. */
  exceptions: ({ index }: Source): ExceptionCount[] =>
    [...index.exceptions].sort((a, b) => b.lastAt - a.lastAt),

  attachments: ({ store, index }: Source): { items: AttachmentRow[]; next: null } => ({
    items: attachmentRows(store, index.attachments),
    next: null,
  }),

  stacks: ({ store, index }: Source): Page<StackRow> => ({
    items: stacksOf(store, index.observations),
    next: null,
  }),

  eventCounts: ({ index }: Source): EventCount[] => index.names,

  /** `query`: of core/metrics/fields.ts. */
  series: (
    { index, rollups }: Source,
    { query }: { query?: Query | undefined } = {},
  ): SeriesSummary[] =>
    seriesPassing(
      index.series.filter(({ points }) => points > 0).map((series) => rollups().summary(series)),
      query,
    ),

  /** Every series that matches, over one range, in one pass. */
  charts: ({ store, index, rollups }: Source, query: ChartQuery = {}): Chart[] => {
    const { points = DEFAULT_POINTS } = query;
    const found = charts(store, rollups(), index.series, query);
    // One point is a value at a moment, not a chart.
    if (index.dropped["not_finite"] && points > 1) addRefused(store, found, points);
    return found;
  },

  /** The tests that match, a page of them. */
  tests: ({ index, tests }: Source, query: TestsQuery = {}): TestList =>
    listTests(tests(), query, index.observations.tests?.runner ?? ""),

  testReport: ({ index, tests }: Source, { limit }: { limit: number }): TestReport =>
    reportOf(tests(), index.observations.tests?.runner ?? "", limit),

  /** The files, suites or tests whose id continues a prefix. */
  testSuites: ({ tests }: Source, { prefix = [] }: { prefix?: string[] } = {}) =>
    suitesOf(tests(), prefix),

  /** Every event of some tests; those that are unknown are left out. */
  testAccounts: ({ store, index, tests }: Source, { keys }: { keys: string[] }): TestAccount[] => {
    const runner = index.observations.tests?.runner ?? "";
    const table = tests();
    const items = keys.slice(0, MAX_TEST_ACCOUNTS).flatMap((key) => table.item(key, runner) ?? []);
    return accountsOf(store, table, items);
  },

  timeline: (source: Source, query: TimelineQuery = {}): Timeline => {
    const extent = wholeOf(source);
    const { from = extent.from, to = extent.to, buckets = DEFAULT_TIMELINE_BUCKETS } = query;
    return timeline(source.store, from, to, buckets);
  },

  /** Values of the state over the same range as the timeline. */
  stateCharts: (source: Source, query: StateChartsQuery): StateCharts => {
    const { store, index, now } = source;
    const whole = wholeOf(source);
    const { from = whole.from, to = whole.to } = query;
    const until = lastMomentOf(timesOf(index, now), now);
    return stateCharts(store, index, { ...query, from, to }, until);
  },
};

/** The range of time that is drawn of a session. */
function wholeOf({ index, now }: Source): { from: number; to: number } {
  const last = Math.max(index.updatedAt, lastMomentOf(timesOf(index, now), now));
  const { from, to } = extentOf(
    { from: index.createdAt, to: Math.max(last, index.createdAt + 1) },
    index.series
      .filter(({ points }) => points > 0)
      .map(({ firstAt, lastAt }) => ({ from: firstAt, to: lastAt })),
  );
  return { from, to };
}

type TimelineQuery = { from?: number; to?: number; buckets?: number };

type Answers = typeof ANSWERS;
export type QuestionName = keyof Answers;
export type AnswerOf<Name extends QuestionName> = ReturnType<Answers[Name]>;
/** The arguments of a question: one query or none. */
export type QueryOf<Name extends QuestionName> = Answers[Name] extends (
  source: Source,
  ...query: infer Query
) => unknown
  ? Query
  : never;
/** A question as it crosses RPC. */
export type Question = {
  [Name in QuestionName]: [name: Name, ...query: QueryOf<Name>];
}[QuestionName];

/** An answer that is an object names the damage of the storage. */
export function answer(source: Source, [name, ...query]: Question): AnswerOf<QuestionName> {
  const answerTo = ANSWERS[name] as (source: Source, ...query: unknown[]) => AnswerOf<QuestionName>; // Question pairs them
  const result = answerTo(source, ...query);
  if (typeof result !== "object" || result === null || Array.isArray(result)) return result;
  const damaged = source.store.damagedParts();
  return damaged.length > 0 ? { ...result, damaged } : result;
}

/** What was removed with a session. */
export type Receipt = {
  id: string;
  segments: number;
  catalog_rows: number;
  bytes: number;
  states: number;
  events: number;
  points: number;
  /** The id of its object, if that could not be opened, so that its storage is left: under `npm start` the file of this name. */
  storage_left?: string;
};
