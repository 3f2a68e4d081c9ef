/**
 * What distinguishes a session from the last good ones of its product, or the sessions that a filter finds from the others. At most
 * COMPARED_RUNS of each are compared, with what the catalog lists of them: the rows read do not depend on how many sessions there are.
 */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SessionRow, Summary } from "../core/answers.ts";
import {
  type Comparison,
  type Distinction,
  distinguishGroups,
  distinguishRun,
  type Figure,
  type Held as HeldValue,
  type Run,
  valueAttribute,
} from "../core/comparison/distinctions.ts";
import { MAX_PAGE, MAX_VALUE_LENGTH } from "../core/limits.ts";
import { perSecond } from "../core/metrics/rate.ts";
import { meanOf } from "../core/metrics/moments.ts";
import { writePath } from "../core/state/path.ts";
import { ANY_VALUE, askedTexts, MEMBERS } from "../core/state/values.ts";
import {
  EVENT_CRASHED,
  EVENT_EXCEPTION,
  EVENT_FATAL,
  EVENT_HUNG,
  EVENT_RECOVERED,
  type MetricType,
} from "../core/vocabulary.ts";
import { LEFT_OUT_BITS, type SessionFilter, UNPUBLISHED } from "./filter.ts";
import { COMPARED_RUNS, OTHERS_LOOKED_AT } from "./limits.ts";
import type { MergedGroup } from "./merged.ts";
import { type Held, listSessions } from "./sessions.ts";

/** Sessions of one side: how many, and the starts of the first and the last of them. */
type Side = { sessions: number; from: number | null; to: number | null };

export type Distinctions = Comparison & {
  these: Side;
  others: Side;
  /** Not every session that belongs to a side was looked at: the newest are compared. */
  partial: boolean;
};

/** What differs from the last good sessions of the product that started before it. */
export async function changesOf(
  db: D1Database,
  session: Pick<Summary, "id" | "product" | "created_at" | "revision">,
  merged: MergedGroup[] = [],
): Promise<Distinctions> {
  const row = await listed(db, session);
  // It has not been published yet.
  if (!row)
    return {
      ...distinguishGroups([], []),
      these: sideOf([]),
      others: sideOf([]),
      partial: true,
    };
  const good = await listSessions(db, {
    product: session.product,
    status: ["succeeded"],
    to: row.created_at,
    limit: COMPARED_RUNS,
  });
  // Until the newest ops are published, its lists may lack what it has had, as those of a damaged session may.
  const isStale = row.revision < session.revision;
  const own = isStale ? { ...row, damaged: 1 } : row;
  const [run, ...others] = await runsOf(db, [own, ...good.items], merged);
  if (!run) throw new Error("a run for each row"); // runsOf answers one for each
  return {
    ...distinguishRun(run, others),
    these: sideOf([row]),
    others: sideOf(good.items),
    partial: good.partial,
  };
}

/** What distinguishes the sessions of a filter from the others of the same product, if it names one, and of the same time. */
export async function distinctionsOf(
  db: D1Database,
  filter: SessionFilter,
  held?: Held,
  merged: MergedGroup[] = [],
): Promise<Distinctions> {
  const { product, from, to } = filter;
  const [matching, newest] = await Promise.all([
    listSessions(db, { ...filter, limit: OTHERS_LOOKED_AT }, held),
    listSessions(db, { product, from, to, limit: OTHERS_LOOKED_AT }),
  ]);
  const found = new Set(matching.items.map(({ id }) => id));
  const these = matching.items.filter(({ unsure }) => !unsure).slice(0, COMPARED_RUNS);
  // Of sessions up to this start it is not known whether they match.
  const since =
    matching.next === null ? -1 : (matching.searched_to ?? matching.items.at(-1)?.created_at ?? 0);
  const others = newest.items
    .filter(({ id, created_at }) => !found.has(id) && created_at > since)
    .slice(0, COMPARED_RUNS);
  const runs = await runsOf(db, [...these, ...others], merged);
  const isAsked = asked(filter);
  return {
    ...distinguishGroups(runs.slice(0, these.length), runs.slice(these.length), isAsked),
    these: sideOf(these),
    others: sideOf(others),
    partial: matching.partial || newest.partial || these.length < matching.items.length,
  };
}

function sideOf(rows: SessionRow[]): Side {
  return {
    sessions: rows.length,
    from: rows.at(-1)?.created_at ?? null,
    to: rows[0]?.created_at ?? null,
  };
}

/** The session as the catalog has it. */
async function listed(
  db: D1Database,
  { id, product, created_at }: { id: string; product: string; created_at: number },
): Promise<SessionRow | undefined> {
  const from = Math.round(created_at);
  const same = await listSessions(db, { product, from, to: from + 1, limit: MAX_PAGE });
  return same.items.find((row) => row.id === id);
}

/** What the filter asks for: all of these have it, by definition. */
function asked({
  version,
  machine,
  hostname,
  tag,
  event,
  exception,
  merged = [],
  metric,
  state,
}: SessionFilter) {
  const texts = state?.value === undefined ? undefined : askedTexts(state.value, state.type);
  const path = state && writePath(state.path);
  return ({ kind, name, value }: Pick<Distinction, "kind" | "name" | "value">): boolean => {
    switch (kind) {
      case "version":
        return version !== undefined;
      case "machine":
        return machine !== undefined || hostname !== undefined;
      case "tag":
        return name === tag;
      case "event":
        return name === event;
      case "exception":
        return name === exception || merged.some(({ fingerprint }) => fingerprint === name);
      case "metric":
        return name === metric;
      case "state_path":
        return name === path;
      case "state_value":
        return name === path && (texts === undefined || texts.includes(value ?? ""));
      default:
        return false;
    }
  };
}

/** Events by which the server and the daemon record the verdict itself, and those of exceptions, which are compared by fingerprint. */
const OF_VERDICT = [EVENT_HUNG, EVENT_RECOVERED, EVENT_CRASHED, EVENT_FATAL, EVENT_EXCEPTION];

/** What is listed of each session, in the same order. */
async function runsOf(db: D1Database, rows: SessionRow[], merged: MergedGroup[]): Promise<Run[]> {
  const ids = JSON.stringify(rows.map(({ id }) => id));
  const of = (table: string) => sql.raw(`AS s CROSS JOIN ${table} AS t ON t.session_id = s.value`);
  const all = drizzle(db);
  const [writers, events, exceptions, values, series] = await Promise.all([
    all.all<Writer>(
      sql`SELECT s.key AS run, t.os, t.language FROM json_each(${ids}) AS s CROSS JOIN sessions AS t ON t.id = s.value`,
    ),
    all.all<Occurrence>(
      sql`SELECT s.key AS run, t.name AS value, min(t.first_at) AS at FROM json_each(${ids}) ${of("event_counts")} GROUP BY s.key, t.name`,
    ),
    all.all<Occurrence>(
      sql`SELECT s.key AS run, t.fingerprint AS value, t.first_at AS at, t.first_seq AS seq, substr(t.type || ': ' || t.message, 1, ${MAX_VALUE_LENGTH}) AS label
            FROM json_each(${ids}) ${of("exceptions")}`,
    ),
    all.all<Occurrence & { path: string }>(
      sql`SELECT s.key AS run, t.path, t.value, t.first_at AS at FROM json_each(${ids}) ${of("state_values")}`,
    ),
    all.all<Series>(
      sql`SELECT s.key AS run, ${SERIES_COLUMNS} FROM json_each(${ids}) ${of("metrics")}`,
    ),
  ]);
  const drafts = rows.map((row) => new Draft(row));
  for (const { run, os, language } of writers) drafts[run]?.addWriter(os, language);
  for (const each of events) {
    if (!OF_VERDICT.includes(each.value)) drafts[each.run]?.add("event", each);
  }
  const wholes = new Map(
    merged.flatMap(({ product, members }) =>
      members.map((member) => [JSON.stringify([product, member]), members[0] ?? member]),
    ),
  );
  // The first one of a merged group last, because its time is kept.
  for (const each of exceptions.toSorted((a, b) => b.at - a.at)) {
    const key = JSON.stringify([rows[each.run]?.product, each.value]);
    drafts[each.run]?.add("exception", { ...each, value: wholes.get(key) ?? each.value });
  }
  for (const each of values) drafts[each.run]?.addState(each);
  for (const each of series) drafts[each.run]?.addSeries(each);
  return drafts.map((draft) => draft.run());
}

/** `run`: the session's place in the list. */
type Occurrence = { run: number; value: string; at: number; seq?: number; label?: string };
type Writer = { run: number; os: string; language: string };
type Series = {
  run: number;
  name: string;
  tags: string;
  unit: string;
  type: MetricType;
  count: number;
  sum: number;
  sum_low: number;
  sum_scale: number;
  increase: number;
  min: number;
  max: number;
  first_at: number;
  last_at: number;
};
const SERIES_COLUMNS = sql.raw(
  `t.name, t.tags, t.unit, t.type, t.count, t.sum, t.sum_low, t.sum_scale, t.increase, t.min, t.max, t.first_at, t.last_at`,
);

/** A run under construction, from the rows of the catalog. */
class Draft {
  readonly #row: SessionRow;
  readonly #attributes = new Map<string, Map<string, HeldValue>>();
  readonly #incomplete = new Set<string>();
  readonly #figures = new Map<string, Figure>();

  constructor(row: SessionRow) {
    this.#row = row;
    const { version, machine_id, hostname, browser, tags } = row;
    this.#put("version", version, { after: 0 });
    for (const tag of tags) this.#put("tag", tag, { after: 0 });
    this.#known("browser", browser);
    this.#known("machine", machine_id || hostname, hostname || machine_id);
  }

  addWriter(os: string, language: string): void {
    this.#known("os", os);
    this.#known("language", language);
  }

  add(attribute: string, { value, at, seq, label }: Occurrence): void {
    this.#put(attribute, value, { after: this.#after(at), seq, label });
  }

  addState({ path, value, at }: Occurrence & { path: string }): void {
    const attribute = valueAttribute(path);
    const isMarker = value === ANY_VALUE || value === MEMBERS;
    const held = this.#attributes.get("state_path")?.get(path);
    // The time of a marker is not known, so the path counts as there from the start.
    const after = Math.min(held?.after ?? Infinity, isMarker ? 0 : this.#after(at));
    this.#put("state_path", path, { after });
    // A cut text is that of several values.
    if (value === ANY_VALUE || value.length > MAX_VALUE_LENGTH) this.#incomplete.add(attribute);
    else if (!isMarker) this.#put(attribute, value, { after: this.#after(at) });
  }

  addSeries({ name, tags, unit, type, ...series }: Series): void {
    this.#put("metric", name, { after: this.#after(series.first_at) });
    const figure = (statistic: Figure["statistic"], value: number) =>
      this.#figure([name, tags], {
        name,
        tags: JSON.parse(tags) as string[], // written by publish
        unit,
        type,
        statistic,
        value,
      });
    if (type === "counter") {
      const ms = series.last_at - series.first_at;
      if (ms > 0) figure("rate", perSecond(series.increase, ms));
      return;
    }
    const { sum, sum_low, sum_scale, count } = series;
    figure("maximum", series.max);
    figure("minimum", series.min);
    figure("mean", meanOf({ sum, low: sum_low, scale: sum_scale }, count));
  }

  run(): Run {
    const { id, created_at, ran_ms, left_out, damaged } = this.#row;
    this.#addNumbers();
    const isLeftOut = (bits: number) => damaged > 0 || (left_out & bits) !== 0;
    const lists: { [attribute: string]: boolean } = {
      tag: isLeftOut(LEFT_OUT_BITS.tags),
      event: isLeftOut(LEFT_OUT_BITS.event_names | UNPUBLISHED),
      exception: isLeftOut(LEFT_OUT_BITS.exceptions),
      metric: isLeftOut(LEFT_OUT_BITS.series | UNPUBLISHED),
    };
    const isStateIncomplete = isLeftOut(LEFT_OUT_BITS.state_paths | UNPUBLISHED);
    return {
      id,
      createdAt: created_at,
      ranMs: ran_ms,
      attributes: this.#attributes,
      incomplete: (attribute) =>
        lists[attribute] ??
        (this.#incomplete.has(attribute) || (isStateIncomplete && attribute.startsWith("state_"))),
      figures: this.#figures,
    };
  }

  /** The numbers of paths that had one value only, such as a setting. */
  #addNumbers(): void {
    for (const path of this.#attributes.get("state_path")?.keys() ?? []) {
      const attribute = valueAttribute(path);
      const [text, ...further] = this.#attributes.get(attribute)?.keys() ?? [];
      if (text === undefined || further.length > 0 || this.#incomplete.has(attribute)) continue;
      const value = text.startsWith("=") ? Number(text.slice(1)) : NaN;
      if (!/^=-?\d/.test(text) || !Number.isFinite(value)) continue;
      this.#figure([attribute], {
        name: path,
        tags: [],
        unit: "",
        type: null,
        statistic: "value",
        value,
      });
    }
  }

  #figure(key: string[], figure: Figure): void {
    this.#figures.set(JSON.stringify([...key, figure.statistic]), figure);
  }

  /** A value that a client may not have named. */
  #known(attribute: string, value: string, label?: string): void {
    if (value === "") this.#incomplete.add(attribute);
    else this.#put(attribute, value, { after: 0, label });
  }

  #put(attribute: string, value: string, held: HeldValue): void {
    const values = this.#attributes.get(attribute);
    if (values) values.set(value, held);
    else this.#attributes.set(attribute, new Map([[value, held]]));
  }

  #after(at: number): number {
    return Math.max(0, at - this.#row.created_at);
  }
}
