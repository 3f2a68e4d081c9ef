/** Publishes the session to the catalog by its schedule, and counts the rows that this and the session's own log cost. */
import { UNPUBLISHED } from "../../catalog/search/filter.ts";
import { rowTokens } from "../../catalog/tables/posting.ts";
import { hash } from "../../core/hash.ts";
import type { BatchOutcome, Projection } from "../../core/session/projection.ts";
import { isEmpty } from "../../core/segments/contents.ts";
import { UNUSED, type Used } from "../../core/access/budget.ts";
import { POSTING_MS, PUBLISH_MS } from "../../core/limits.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { TestTable } from "../../core/tests/table.ts";
import { entriesOf } from "../../core/state/values.ts";
import type { Env } from "../../env.ts";
import { plus } from "../../registry/usage.ts";
import { MAX_SERIES_TOGETHER } from "../limits.ts";
import type { Rollups } from "../../core/questions/metrics.ts";
import { publicationOf, roomForTests, rowOf, sessionRow } from "./publication.ts";
import { testPublication } from "./test-publication.ts";
import { type Entry, type Write, writeEntries, type Written } from "./publication-batch.ts";
import {
  isOver,
  NEW_SCHEDULE,
  nextPublication,
  type Plan,
  type Schedule,
  withChange,
  withFailure,
  withRowDue,
  withStarted,
  withSuccess,
} from "./schedule.ts";

/** What is published. */
export type Published = {
  projection: Projection;
  rollups: () => Rollups;
  tests: () => TestTable;
  bytes: number;
  damaged: number;
};

export class Publisher {
  readonly #env: Env;
  #schedule = NEW_SCHEDULE;
  /** What was last published with the lists; null: not known since the object woke up. */
  #published: { found: string; entries: string; leftOut: number } | null = null;
  /** Written and not yet added to the day's usage. */
  #uncounted: Used = UNUSED;
  /** When it was added last, or the session's start was published; null: not since the object woke up. */
  #countedAt: number | null = null;
  /** Written since the last request was answered. */
  #cost: Used = UNUSED;
  /** The key with which this session was written last; undefined: not known since the object woke up. */
  #payer: string | undefined;
  #reportedBoot = "";

  constructor(env: Env) {
    this.#env = env;
  }

  get schedule(): Schedule {
    return this.#schedule;
  }

  get isFailing(): boolean {
    return this.#schedule.failures > 0;
  }

  /** After ops were applied. */
  noteOutcome({ contents, urgent }: BatchOutcome, now: number): void {
    if (urgent || !isEmpty(contents)) this.#schedule = withChange(this.#schedule, urgent, now);
  }

  /** After the object wrote a row of its own. */
  countRow(): void {
    this.#count({ ...UNUSED, object_rows: 1 });
  }

  /** After a request with this key opened the session or added to it: `listed` rows are to be added to the catalog. */
  noteCost(payer: string, { isNew, listed }: { isNew: boolean; listed: number }): void {
    this.#payer = payer;
    if (isNew) this.#count({ ...UNUSED, sessions: 1 });
    this.#cost = plus(this.#cost, { ...UNUSED, d1_rows: listed });
  }

  /** After a request with this key stored parts of attachments, or of a session that is imported. */
  noteStored(payer: string, { rows, bytes }: { rows: number; bytes: number }): void {
    this.#payer = payer;
    this.#count({ ...UNUSED, object_rows: rows, attachment_bytes: bytes });
  }

  /** What the requests since the last call cost, with the rows that are still to be published for them. */
  takeCost(): Used {
    const cost = this.#cost;
    this.#cost = UNUSED;
    return cost;
  }

  #count(used: Used): void {
    this.#uncounted = plus(this.#uncounted, used);
    this.#cost = plus(this.#cost, used);
  }

  /** Publishes by this time, because of a change that `noteOutcome` did not report. */
  expect(at: number): void {
    this.#schedule = withRowDue(this.#schedule, at);
  }

  /** Publishes nothing any more until the next change. */
  stop(): void {
    this.#schedule = NEW_SCHEDULE;
  }

  /** Whether a publication is due, and small enough to be written with those of other sessions. */
  isDueTogether({ index }: Projection, now: number): boolean {
    const plan = nextPublication(
      { schedule: this.#schedule, observations: index.observations },
      now,
    );
    return plan !== null && plan.at <= now && index.series.length <= MAX_SERIES_TOGETHER;
  }

  /** True if it was due. */
  async publishIfDue(published: Published, now: number, write?: Write): Promise<boolean> {
    const { observations } = published.projection.index;
    const plan = nextPublication({ schedule: this.#schedule, observations }, now);
    if (!plan || plan.at > now) return false;
    await this.#publish(published, plan, now, write);
    return true;
  }

  /** Publishes everything, also what has not changed. A rebuild of the catalog is not counted for the keys of the sessions. */
  async publishAll(published: Published, now: number): Promise<boolean> {
    await this.#publish(published, { scope: "all", addsToRoster: true, isRebuild: true }, now);
    return true;
  }

  /** Never throws: the catalog can be rebuilt, and is brought up to date when it answers again. */
  async #publish(
    { projection: { index, state }, rollups, tests, bytes, damaged }: Published,
    { scope: planned, addsToRoster, isRebuild = false }: Omit<Plan, "at"> & { isRebuild?: boolean },
    now: number,
    write: Write = (entry) => this.#write(entry, now),
  ): Promise<void> {
    const hasEnded = isOver(index.observations);
    const ended = { isOver: hasEnded, room: roomForTests(index) };
    const stored = { bytes, damaged, tests: testPublication(index, state, tests, ended) };
    const row = sessionRow(index, stored, now);
    const found = hash(JSON.stringify([row.created_at, ...rowTokens(row)]));
    const entries = listedIn(index);
    const known = this.#published;
    const scope = planned === "row" && known?.found === found ? "row" : "all";
    const publication =
      scope === "all"
        ? publicationOf(index, row, rollups(), {
            tests: stored.tests,
            table: hasEnded ? tests() : undefined,
          })
        : rowOf(row);
    const { session } = publication;
    if (scope === "row" && known) {
      session.left_out |= known.leftOut;
      if (entries !== known.entries) session.left_out |= UNPUBLISHED;
    }
    const { machineId, bootId, product } = index;
    const key = isRebuild ? "" : (this.#payer ?? index.opener ?? "");
    const uncounted = isRebuild ? UNUSED : this.#uncounted;
    // Before the request: changes during it need another publication.
    this.#schedule = withStarted(this.#schedule, scope);
    if (!isRebuild) this.#uncounted = UNUSED;
    try {
      const { rows, isCounted, isBootReported } = await write({
        publication,
        addsToRoster,
        key,
        uncounted,
        countsUsage: isRebuild ? "yes" : this.#countsUsage(scope, uncounted, key, hasEnded, now),
        boot:
          bootId === "" || bootId === this.#reportedBoot
            ? null
            : { machineId, bootId, product, at: index.updatedAt },
      });
      this.#schedule = withSuccess(this.#schedule, { scope, now });
      if (scope === "all") this.#published = { found, entries, leftOut: session.left_out };
      if (isCounted || addsToRoster) this.#countedAt = now;
      if (!isCounted) this.#keepUncounted(uncounted, rows);
      if (isBootReported) this.#reportedBoot = bootId;
      else this.expect(Date.now() + PUBLISH_MS);
    } catch (error) {
      this.#published = null;
      this.#keepUncounted(uncounted, 0);
      this.#schedule = withFailure(this.#schedule, now);
      if (this.#schedule.failures === 1)
        console.error(`Session ${index.id}: the catalog does not answer, will retry:`, error);
    }
  }

  /**
   * A new session, and attachments, count at once for the budget of their key. Otherwise rows wait for the end or POSTING_MS,
   * because counting writes a row itself.
   */
  #countsUsage(
    scope: Plan["scope"],
    { sessions, attachment_bytes: bytes }: Used,
    key: string,
    hasEnded: boolean,
    now: number,
  ): Entry["countsUsage"] {
    if (key !== "" && (sessions > 0 || bytes > 0)) return "yes";
    if (hasEnded) return "yes";
    const waits = this.#countedAt !== null && now - this.#countedAt < POSTING_MS;
    return scope === "row" || waits ? "no" : "unless new";
  }

  /** Writes only this session's publication. */
  async #write(entry: Entry, now: number): Promise<Written> {
    const [written] = await writeEntries(this.#env, [entry], now);
    if (!written) throw new Error("A publication has no result.");
    return written;
  }

  #keepUncounted(uncounted: Used, rows: number): void {
    this.#uncounted = plus(plus(this.#uncounted, uncounted), { ...UNUSED, d1_rows: rows });
  }
}

/** Changes with each new entry of a list by which the session is found. */
function listedIn(index: SessionIndex): string {
  const { series, names, exceptions, values, attachments, texts, observations } = index;
  const lists = [series, names, exceptions, attachments, observations.tests?.failures ?? []];
  return [...lists.map(({ length }) => length), entriesOf(values), texts.added].join();
}
