/**
 * When the catalog is told of a session, and how much: at once what people wait for (start, end, crash, hang, a new exception), else its
 * row every PUBLISH_MS, and its many rows (series, counts, values) as seldom as PUBLISH_ROWS_PER_SECOND asks. All in memory:
 * a publication too many writes only rows that differ.
 */
import { publish } from "../catalog/publish.ts";
import {
  MAX_PUBLISH_DELAY_MS,
  PUBLISH_MS,
  PUBLISH_RETRY_MS,
  PUBLISH_ROWS_PER_SECOND,
} from "../core/limits.ts";
import type { Outcome, Projection } from "../core/projection.ts";
import { isEmpty } from "../core/segment.ts";
import { addToRoster } from "../registry/roster.ts";
import { addUsage } from "../registry/usage.ts";
import type { Rollups } from "./metrics.ts";
import { publicationOf } from "./publication.ts";

export class Publisher {
  readonly #catalog: D1Database;
  readonly #registry: D1Database;
  /** The roster has this session. */
  #isListed = false;
  /** Series with points since they were last published; null: not known since waking up, so all. */
  #changed: Set<number> | null = null;
  /** From when on the session's row may be published again; null: there is nothing new in it. */
  #rowAt: number | null = null;
  /** From when on the many rows may be… */
  #wholeAt = 0;
  /** …and some of them wait for it. */
  #wholeWaits = false;
  #failures = 0;
  /** Rows written since the day's usage was last told. */
  #untold = { object_rows: 0, d1_rows: 0 };

  constructor(catalog: D1Database, registry: D1Database) {
    this.#catalog = catalog;
    this.#registry = registry;
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** When to call `publish` next; Infinity for never. */
  get due(): number {
    return Math.min(this.#rowAt ?? Infinity, this.#wholeWaits ? this.#wholeAt : Infinity);
  }

  /** A batch was applied. */
  note({ contents, urgent }: Outcome, now: number): void {
    for (const id of contents.series.keys()) this.#changed?.add(id);
    if (urgent) this.#rowAt = now;
    else if (!isEmpty(contents)) this.#rowAt ??= now + PUBLISH_MS;
  }

  /** The object wrote a row of its own. */
  countRow(): void {
    this.#untold.object_rows++;
  }

  /** There may be news that this memory does not know of: publish by `at`. */
  expect(at: number): void {
    this.#rowAt = Math.min(this.#rowAt ?? Infinity, at);
  }

  /** Nothing is to be published any more. */
  forget(): void {
    this.#isListed = false;
    this.#rowAt = null;
    this.#wholeWaits = false;
  }

  /** Never throws: the catalog is a cache, and catches up when it answers again. `whole`: everything, whether due or not. */
  async publish(
    { index, state }: Projection,
    rollups: Rollups,
    bytes: number,
    now: number,
    whole: boolean,
  ): Promise<void> {
    const isOver = index.observations.end !== null || index.observations.crash !== null;
    const all = whole || isOver || this.#wholeAt <= now;
    const news = publicationOf(index, state, rollups, whole ? null : this.#changed, bytes, now);
    // Before the catalog is asked: what comes while it answers is news again.
    if (all) this.#changed = new Set();
    this.#rowAt = null;
    this.#wholeWaits = !all;
    try {
      const few = { ...news, metrics: [], event_counts: [], state_values: [] };
      // Before the catalog's row, so that a rebuild finds every session that the catalog ever had.
      const opens = await this.#enlist(news.session, whole);
      const rows = await publish(this.#catalog, all ? news : few);
      const rest = (rows / PUBLISH_ROWS_PER_SECOND) * 1_000;
      if (all) this.#wholeAt = now + Math.min(MAX_PUBLISH_DELAY_MS, rest);
      this.#failures = 0;
      this.#untold.d1_rows += rows;
      // The usage is a row too, so the first publication's rows are reported with the next one.
      if (all && !(opens && !isOver)) await this.#tellUsage(now);
    } catch (error) {
      this.#changed = null;
      this.#wholeAt = 0;
      this.expect(now + Math.min(MAX_PUBLISH_DELAY_MS, PUBLISH_RETRY_MS * 2 ** this.#failures++));
      if (this.#failures === 1) {
        console.error(`Session ${index.id}: the catalog does not answer, will retry:`, error);
      }
    }
  }

  /** Writes the session's row of the roster once; true if it was not there. */
  async #enlist(
    { id, product, created_at }: { id: string; product: string; created_at: number },
    again: boolean,
  ): Promise<boolean> {
    if (this.#isListed && !again) return false;
    const rows = await addToRoster(this.#registry, { id, product, first_at: created_at });
    this.#isListed = true;
    this.#untold.d1_rows += rows;
    return rows > 0;
  }

  /** Not in the publication's transaction, since only its answer says what it wrote. */
  async #tellUsage(now: number): Promise<void> {
    const told = this.#untold;
    if (told.object_rows + told.d1_rows === 0) return;
    this.#untold = { object_rows: 0, d1_rows: 0 };
    try {
      await addUsage(this.#registry, told, now);
    } catch {
      // Told with the next publication, which also says so if the catalog is away for longer.
      this.#untold.object_rows += told.object_rows;
      this.#untold.d1_rows += told.d1_rows;
    }
  }
}
