/** One session's answers, typed. Its object answers in JSON text; this is the one place where the pages parse it. */
import type {
  Chart,
  EventCount,
  EventRow,
  Page,
  PathChange,
  SeriesSummary,
  StateAt,
  StateChange,
  StateDiff,
  Summary,
  Timeline,
} from "../../core/answers.ts";
import type { Env } from "../../env.ts";
import type { ChartQuery, EventsQuery, HistoryQuery, Moment } from "../../session/session.ts";

export type Recording = ReturnType<typeof recordingOf>;

/** A query as pages put it together: what nobody asked for may be there as undefined. */
type Loose<Query> = { [Key in keyof Query]: Query[Key] | undefined };
type Range = { from?: number; to?: number; buckets?: number };

/* oxlint-disable typescript/no-unsafe-type-assertion -- the object is ours and writes exactly these shapes (core/answers.ts) */
export function recordingOf(env: Env, id: string) {
  const object = env.SESSIONS.get(env.SESSIONS.idFromName(id));
  return {
    id,
    summary: async () => JSON.parse(await object.summary()) as Summary,
    /** Without a time: as it is now. */
    state: async (at?: number) => JSON.parse(await object.state(momentOf(at))) as StateAt,
    diff: async (from: Moment, to: Moment) => JSON.parse(await object.diff(from, to)) as StateDiff,
    changes: async (query: Loose<Omit<HistoryQuery, "path">>) =>
      JSON.parse(await object.history(said(query))) as Page<StateChange>,
    valueHistory: async (query: Loose<HistoryQuery> & { path: string[] }) =>
      JSON.parse(await object.history(said(query))) as Page<PathChange>,
    events: async (query: Loose<EventsQuery>) =>
      JSON.parse(await object.events(said(query))) as Page<EventRow>,
    eventCounts: async () => JSON.parse(await object.eventCounts()) as EventCount[],
    series: async () => JSON.parse(await object.series()) as SeriesSummary[],
    charts: async (query: Loose<ChartQuery>) =>
      JSON.parse(await object.charts(said(query))) as Chart[],
    timeline: async (query: Loose<Range>) =>
      JSON.parse(await object.timeline(said(query))) as Timeline,
  };
}

function momentOf(at: number | undefined): Moment {
  return at === undefined ? {} : { at };
}

function said<Query extends object>(query: Loose<Query>): Query {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined),
  ) as Query;
}
