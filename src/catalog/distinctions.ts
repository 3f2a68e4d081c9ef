/**
 * What distinguishes a session from the last good ones of its product, or the sessions that a filter finds from the others. At most
 * COMPARED_RUNS of each are compared, with what the catalog lists of them: the rows read do not depend on how many sessions there are.
 */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SessionRow } from "../core/answers/session-row.ts";
import type { Summary } from "../core/answers/summary.ts";
import type { Comparison, Distinction } from "../core/comparison/distinctions.ts";
import { distinguishGroups } from "../core/comparison/two-groups.ts";
import { distinguishRun } from "../core/comparison/one-run.ts";
import {
  type Figure,
  type Held as HeldValue,
  type Run,
  valueAttribute,
} from "../core/comparison/run.ts";
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
} from "../core/vocabulary.ts";
import { type Row, unpackedAll } from "./tables/details.ts";
import { LEFT_OUT_BITS, type SessionFilter, UNPUBLISHED } from "./search/filter.ts";
import { COMPARED_RUNS, OTHERS_LOOKED_AT } from "./limits.ts";
import type { MergedGroup } from "./merged.ts";
import { type Held, type KeyedList, keyedSessions } from "./search/sessions.ts";

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
  const listing = await listed(db, session);
  // It has not been published yet.
  if (!listing)
    return {
      ...distinguishGroups([], []),
      these: sideOf([]),
      others: sideOf([]),
      partial: true,
    };
  const { row } = listing;
  const good = await keyedSessions(db, {
    product: session.product,
    status: ["succeeded"],
    to: row.created_at,
    limit: COMPARED_RUNS,
  });
  // Until the newest ops are published, its lists may lack what it has had, as those of a damaged session may.
  const isStale = row.revision < session.revision;
  const own = isStale ? { ...row, damaged: 1 } : row;
  const keys = [listing.key, ...good.keys];
  const [run, ...others] = await runsOf(db, [own, ...good.items], keys, merged);
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
    keyedSessions(db, { ...filter, limit: OTHERS_LOOKED_AT }, held),
    keyedSessions(db, { product, from, to, limit: OTHERS_LOOKED_AT }),
  ]);
  const found = new Set(matching.items.map(({ id }) => id));
  const these = listings(matching)
    .filter(({ row }) => !row.unsure)
    .slice(0, COMPARED_RUNS);
  // Of sessions up to this start it is not known whether they match.
  const since =
    matching.next === null ? -1 : (matching.searched_to ?? matching.items.at(-1)?.created_at ?? 0);
  const others = listings(newest)
    .filter(({ row: { id, created_at } }) => !found.has(id) && created_at > since)
    .slice(0, COMPARED_RUNS);
  const both = [...these, ...others];
  const runs = await runsOf(
    db,
    rowsOf(both),
    both.map(({ key }) => key),
    merged,
  );
  const isAsked = asked(filter);
  return {
    ...distinguishGroups(runs.slice(0, these.length), runs.slice(these.length), isAsked),
    these: sideOf(rowsOf(these)),
    others: sideOf(rowsOf(others)),
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

/** A session as the catalog has it, and its key there. */
type Listing = { row: SessionRow; key: number };

function listings({ items, keys }: KeyedList): Listing[] {
  return items.flatMap((row, index) => {
    const key = keys[index];
    return key === undefined ? [] : [{ row, key }];
  });
}

function rowsOf(some: Listing[]): SessionRow[] {
  return some.map(({ row }) => row);
}

/** The session as the catalog has it. */
async function listed(
  db: D1Database,
  { id, product, created_at }: { id: string; product: string; created_at: number },
): Promise<Listing | undefined> {
  const from = Math.round(created_at);
  const same = await keyedSessions(db, { product, from, to: from + 1, limit: MAX_PAGE });
  return listings(same).find(({ row }) => row.id === id);
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

/** What is listed of each session, in the same order. `keys`: those of the rows. */
async function runsOf(
  db: D1Database,
  rows: SessionRow[],
  keys: number[],
  merged: MergedGroup[],
): Promise<Run[]> {
  const lists = await drizzle(db).all<Lists>(
    sql`SELECT k.key AS run, s.os, s.language, json(d.events) AS events, json(d.exceptions) AS exceptions, json(d.state) AS state, json(d.figures) AS figures
        FROM json_each(${JSON.stringify(keys)}) AS k CROSS JOIN sessions AS s ON s.key = k.value LEFT JOIN details AS d ON d.key = s.key`,
  );
  const drafts = rows.map((row) => new Draft(row));
  const wholes = new Map(
    merged.flatMap(({ product, members }) =>
      members.map((member) => [JSON.stringify([product, member]), members[0] ?? member]),
    ),
  );
  for (const { run, os, language, ...of } of lists) {
    const draft = drafts[run];
    if (!draft) continue;
    draft.addWriter(os, language);
    for (const each of firstEvents(unpackedAll("events", of.events)))
      if (!OF_VERDICT.includes(each.value)) draft.add("event", each);
    const exceptions = unpackedAll("exceptions", of.exceptions);
    // The first one of a merged group last, because its time is kept.
    for (const each of exceptions.toSorted((a, b) => b.first_at - a.first_at)) {
      const { fingerprint, type, message, first_at, first_seq } = each;
      const whole = wholes.get(JSON.stringify([rows[run]?.product, fingerprint]));
      const label = Array.from(`${type}: ${message}`).slice(0, MAX_VALUE_LENGTH).join("");
      draft.add("exception", { value: whole ?? fingerprint, at: first_at, seq: first_seq, label });
    }
    for (const each of unpackedAll("state", of.state)) draft.addState(each);
    for (const each of unpackedAll("figures", of.figures)) draft.addSeries(each);
  }
  return drafts.map((draft) => draft.run());
}

/** The lists of one session as JSON; null without any. `run`: the session's place in the list. */
type Lists = {
  run: number;
  os: string;
  language: string;
  events: string | null;
  exceptions: string | null;
  state: string | null;
  figures: string | null;
};

type Occurrence = { value: string; at: number; seq?: number; label?: string };

/** When each event occurred first, in any category. */
function firstEvents(counts: Row<"events">[]): Occurrence[] {
  const first = new Map<string, number>();
  for (const { name, first_at } of counts)
    first.set(name, Math.min(first.get(name) ?? Infinity, first_at));
  return [...first].map(([value, at]) => ({ value, at }));
}

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

  addState({ path, value, first_at: at }: Row<"state">): void {
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

  addSeries({ name, tags, unit, type, ...series }: Row<"figures">): void {
    this.#put("metric", name, { after: this.#after(series.first_at) });
    const figure = (statistic: Figure["statistic"], value: number) =>
      this.#figure([name, JSON.stringify(tags)], {
        name,
        tags,
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
