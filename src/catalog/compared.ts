/**
 * Metrics in all sessions that pass, to be compared: the figures of each series, and how the values of those are divided that a chart or
 * a quantile needs it of. core/comparison combines them. Of the newest MAX_DISTRIBUTED_SESSIONS the distributions are read, of the newest
 * MAX_COMPARED_SESSIONS what is over time; what a comparison does not have, it counts.
 */
import type { Grouping } from "../core/comparison/grouping.ts";
import { dividedItems, type OverTimeQuery } from "../core/comparison/over-time.ts";
import type { MetricType } from "../core/vocabulary.ts";
import { EVERY, type Query } from "../core/query/tree.ts";
import { type FiguredSeries, type SessionFigures, sessionFigures } from "./figures.ts";
import {
  MAX_ASKED,
  MAX_COMPARED_SESSIONS,
  MAX_DISTRIBUTED_SESSIONS,
  SCAN_SESSIONS,
} from "./limits.ts";
import { type DividedSeries, dividedSeries, unitOf } from "./metrics.ts";
import { heldQuery, type SessionFilter } from "./search/filter.ts";
import type { Held } from "./search/sessions.ts";

/** One metric in all sessions that pass and have it, the newest session first. */
export type ComparedMetric = {
  name: string;
  type: MetricType;
  unit: string;
  items: FiguredSeries[];
};

export type Compared = {
  /** In the order in which they were asked for; without items where no session has it. */
  metrics: ComparedMetric[];
  /** How many sessions have any of them, and how many of these may or may not pass. */
  sessions: number;
  unsure: number;
  /** Ids of sessions that may have them in a series that the catalog does not list. */
  unlisted: string[];
  /** There are more, or some that are not certain. */
  partial: boolean;
  /** Where older ones begin. */
  next: string | null;
  searched_to: number | null;
  published_to: number | null;
};

type Asked = {
  names: string[];
  by?: Grouping;
  /** The chart, if there is one. */
  overTime?: OverTimeQuery | undefined;
  /** Whether the chart is of quantiles. */
  quantiles?: boolean;
  type?: MetricType;
  /** Series that carry all of these. */
  tags?: string[];
  cursor?: string;
};

/** With `held`, the objects of the first sessions that may or may not pass, or have the metrics, are asked. */
export async function compareMetrics(
  db: D1Database,
  filter: SessionFilter,
  asked: Asked,
  held?: Held,
): Promise<Compared> {
  const { names, by = "none", cursor } = asked;
  const figures = await sessionFigures(db, filter, { names, limit: SCAN_SESSIONS, by, cursor });
  const { items: all, unlisted } = held ? await passing(figures, filter, names, held) : figures;
  const unsure = sessionsOf(all.filter(({ session }) => session.unsure));
  const items = all.filter((item) => isAsked(item, asked));
  const metrics = await Promise.all(
    names.map(async (name) => {
      const own = items.filter((item) => item.name === name);
      return {
        name,
        type: own[0]?.type ?? ("gauge" as const),
        unit: unitOf(own),
        items: await divided(db, name, own, asked),
      };
    }),
  );
  return {
    metrics,
    sessions: sessionsOf(items),
    unsure,
    unlisted,
    partial: figures.next !== null || unlisted.length > 0 || unsure > 0,
    next: figures.next,
    searched_to: figures.searched_to,
    published_to: figures.published_to,
  };
}

/** The series of a session follow each other. */
function sessionsOf(items: FiguredSeries[]): number {
  return items.reduce(
    (count, { session }, index) => count + Number(session !== items[index - 1]?.session),
    0,
  );
}

function isAsked(item: FiguredSeries, { type, tags = [] }: Asked): boolean {
  return (type === undefined || item.type === type) && tags.every((tag) => item.tags.includes(tag));
}

/** Without the sessions whose objects answer that they do not pass, or that they have none of the metrics. */
async function passing(
  { items, unlisted }: Found,
  filter: SessionFilter,
  names: string[],
  held: Held,
): Promise<Found> {
  const { query = EVERY } = filter;
  const having = { ...filter, query: { kind: "and" as const, of: [query, anyMetric(names)] } };
  const unsure = [...new Set(items.flatMap(({ session }) => (session.unsure ? [session.id] : [])))];
  const ids = [...unsure, ...unlisted].slice(0, MAX_ASKED);
  const answers = await Promise.allSettled(
    ids.map((id, place) => held(id, heldQuery(place < unsure.length ? filter : having))),
  );
  const answerOf = new Map(
    ids.map((id, place) => {
      const answer = answers[place];
      return [id, answer?.status === "fulfilled" ? answer.value : null];
    }),
  );
  return {
    items: items.filter(({ session }) => {
      const answer = answerOf.get(session.id) ?? null;
      if (answer) delete session.unsure;
      return answer !== false;
    }),
    unlisted: unlisted.filter((id) => answerOf.get(id) !== false),
  };
}

type Found = Pick<SessionFigures, "items" | "unlisted">;

function anyMetric(names: string[]): Query {
  const any = names.map((text) => ({ kind: "is" as const, text, isQuoted: true }));
  return {
    kind: "term",
    field: { kind: "plain", name: "metric" },
    any,
    isNot: false,
    span: { from: 0, to: 0 },
  };
}

/** The series with what is read of how their values are divided. */
async function divided(
  db: D1Database,
  name: string,
  items: FiguredSeries[],
  { overTime, quantiles = false }: Asked,
): Promise<FiguredSeries[]> {
  const inSteps = overTime ? dividedItems(items, overTime) : [];
  const drawn = newestKeys(inSteps, MAX_COMPARED_SESSIONS);
  const distributed = newestKeys(
    items.filter(({ type }) => type !== "counter"),
    MAX_DISTRIBUTED_SESSIONS,
  );
  const others = [...distributed].filter((key) => !drawn.has(key));
  const overSteps = quantiles ? (["rollup", "quantile_steps"] as const) : (["rollup"] as const);
  const [ofDrawn, ofOthers] = await Promise.all([
    byKey(db, [...drawn], name, ["distribution", ...overSteps]),
    byKey(db, others, name, ["distribution"]),
  ]);
  return items.map((item) => {
    const { key } = item.session;
    const own = (ofDrawn.get(key) ?? ofOthers.get(key))?.get(item.series);
    return own ? { ...item, ...own } : item;
  });
}

/** Of the first sessions among the items. */
function newestKeys(items: FiguredSeries[], limit: number): Set<number> {
  const keys = new Set<number>();
  for (const { session } of items) {
    if (keys.size >= limit) break;
    keys.add(session.key);
  }
  return keys;
}

async function byKey(
  db: D1Database,
  keys: number[],
  name: string,
  columns: (keyof DividedSeries)[],
): Promise<Map<number, Map<number, DividedSeries>>> {
  const found = await dividedSeries(db, keys, name, columns);
  return new Map([...found].map(([place, series]) => [keys[place] ?? 0, series]));
}
