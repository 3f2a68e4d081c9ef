/** One session's answers, asked the way pages ask: with queries in which what nobody said may stand as undefined. */
import type { Env } from "../../env.ts";
import { ask } from "../../session/ask.ts";
import type { ChartQuery, EventsQuery, HistoryQuery, Moment } from "../../session/session.ts";

export type Recording = ReturnType<typeof recordingOf>;

/** A query as pages put it together: what nobody asked for may be there as undefined. */
type Loose<Query> = { [Key in keyof Query]: Query[Key] | undefined };
type Range = { from?: number; to?: number; buckets?: number };

export function recordingOf(env: Env, id: string) {
  const session = ask(env, id);
  return {
    id,
    summary: () => session.summary(),
    /** Without a time: as it is now. */
    state: (at?: number) => session.state(momentOf(at)),
    diff: (from: Moment, to: Moment) => session.diff(from, to),
    changes: (query: Loose<Omit<HistoryQuery, "path">>) => session.history(said(query)),
    valueHistory: ({ path, ...query }: Loose<HistoryQuery> & { path: string[] }) =>
      session.pathHistory(path, said(query)),
    events: (query: Loose<EventsQuery>) => session.events(said(query)),
    eventCounts: () => session.eventCounts(),
    series: () => session.series(),
    charts: (query: Loose<ChartQuery>) => session.charts(said(query)),
    timeline: (query: Loose<Range>) => session.timeline(said(query)),
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
