/** Publishes the session to the catalog by its schedule, and counts the rows that this and the session's own log cost. */
import { publish } from "../catalog/publish.ts";
import type { BatchOutcome, Projection } from "../core/projection.ts";
import { isEmpty } from "../core/segment.ts";
import { addToRoster } from "../registry/roster.ts";
import { addUsage } from "../registry/usage.ts";
import type { Rollups } from "./metrics.ts";
import { publicationOf } from "./publication.ts";
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
export type Published = { projection: Projection; rollups: () => Rollups; bytes: number };

export class Publisher {
  readonly #catalog: D1Database;
  readonly #registry: D1Database;
  #schedule = NEW_SCHEDULE;
  /** Series with points since they were last published; null: not known since the object woke up, so all. */
  #changed: Set<number> | null = null;
  /** Rows written and not yet added to the day's usage. */
  #uncounted = { object_rows: 0, d1_rows: 0 };

  constructor(catalog: D1Database, registry: D1Database) {
    this.#catalog = catalog;
    this.#registry = registry;
  }

  get schedule(): Schedule {
    return this.#schedule;
  }

  get isFailing(): boolean {
    return this.#schedule.failures > 0;
  }

  /** After ops were applied. */
  noteOutcome({ contents, urgent }: BatchOutcome, now: number): void {
    for (const id of contents.series.keys()) this.#changed?.add(id);
    if (urgent || !isEmpty(contents)) this.#schedule = withChange(this.#schedule, urgent, now);
  }

  /** After the object wrote a row of its own. */
  countRow(): void {
    this.#uncounted.object_rows++;
  }

  /** Publishes by this time, because of a change that `noteOutcome` did not report. */
  expect(at: number): void {
    this.#schedule = withRowDue(this.#schedule, at);
  }

  /** Publishes nothing any more until the next change. */
  stop(): void {
    this.#schedule = NEW_SCHEDULE;
  }

  /** True if it was due. */
  async publishIfDue(published: Published, now: number): Promise<boolean> {
    const { observations } = published.projection.index;
    const plan = nextPublication({ schedule: this.#schedule, observations }, now);
    if (!plan || plan.at > now) return false;
    await this.#publish(published, plan, now);
    return true;
  }

  /** Publishes everything, also what has not changed. */
  async publishAll(published: Published, now: number): Promise<boolean> {
    this.#changed = null;
    await this.#publish(published, { scope: "all", addsToRoster: true }, now);
    return true;
  }

  /** Never throws: the catalog can be rebuilt, and is brought up to date when it answers again. */
  async #publish(
    { projection: { index }, rollups, bytes }: Published,
    { scope, addsToRoster }: Omit<Plan, "at">,
    now: number,
  ): Promise<void> {
    const publication = publicationOf(index, rollups(), this.#changed, bytes, now);
    // Before the request: changes during it need another publication.
    this.#schedule = withStarted(this.#schedule, scope);
    if (scope === "all") this.#changed = new Set();
    try {
      const { id, product, created_at } = publication.session;
      const added = addsToRoster
        ? await addToRoster(this.#registry, { id, product, first_at: created_at })
        : 0;
      const withoutDetails = { ...publication, metrics: [], event_counts: [], state_values: [] };
      const rows = await publish(this.#catalog, scope === "all" ? publication : withoutDetails);
      this.#uncounted.d1_rows += added + rows;
      this.#schedule = withSuccess(this.#schedule, { scope, rows, now });
      // Usage costs a row itself, so the first publication leaves it to the next one.
      const isFirst = added > 0 && !isOver(index.observations);
      if (scope === "all" && !isFirst) await this.#addUsage(now);
    } catch (error) {
      this.#changed = null;
      this.#schedule = withFailure(this.#schedule, now);
      if (this.#schedule.failures === 1)
        console.error(`Session ${index.id}: the catalog does not answer, will retry:`, error);
    }
  }

  /** Not in the publication's transaction, since only its result gives the number of rows. */
  async #addUsage(now: number): Promise<void> {
    const rows = this.#uncounted;
    if (rows.object_rows + rows.d1_rows === 0) return;
    this.#uncounted = { object_rows: 0, d1_rows: 0 };
    try {
      await addUsage(this.#registry, rows, now);
    } catch {
      // Added with the next publication, which logs an error if the catalog still does not answer.
      this.#uncounted.object_rows += rows.object_rows;
      this.#uncounted.d1_rows += rows.d1_rows;
    }
  }
}
