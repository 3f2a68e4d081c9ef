/**
 * The session's log: the stored segments and, in memory, the newest segment with its index and state. The memory can be read again from
 * that segment's row; it is discarded when a batch is refused after some of its ops were applied.
 */
import type { AttachmentLimits } from "../../core/attachments/attachments.ts";
import { type Access, openerOf } from "../../core/access/authority.ts";
import { type BatchOutcome, Projection } from "../../core/session/projection.ts";
import type { Redactor } from "../../core/secrets/redact.ts";
import { Refusal } from "../../core/refusal.ts";
import { restore } from "../../core/segments/restore.ts";
import { isEmpty, newContents } from "../../core/segments/contents.ts";
import { newIndex } from "../../core/session/session-index.ts";
import { TestTable } from "../../core/tests/table.ts";
import type { Arrival } from "../../core/session/times.ts";
import type { Source } from "../../core/questions/questions.ts";
import { completeRestored } from "../attachments/upload.ts";
import { Rollups } from "../../core/questions/metrics.ts";
import { type Newest, newSegment } from "./newest.ts";
import { Store } from "./store.ts";
import { Tests } from "../../core/questions/tests.ts";

/** A session in memory: its projection, and the segment that the next batch goes to. */
export type Loaded = {
  projection: Projection;
  newest: Newest;
  /** Nothing of what is stored can be read. */
  isLost: boolean;
};

export class Log {
  readonly store: Store;
  readonly id: string;
  readonly #redactor: Redactor;
  readonly attachmentLimits: AttachmentLimits;
  #loaded: Loaded | undefined;
  #rollups: Rollups | undefined;
  #tests: Tests | undefined;

  constructor(sql: SqlStorage, id: string, redactor: Redactor, attachmentLimits: AttachmentLimits) {
    this.store = new Store(sql);
    this.id = id;
    this.#redactor = redactor;
    this.attachmentLimits = attachmentLimits;
  }

  /** The log in memory; undefined if it was not read since the object woke up. */
  get loaded(): Loaded | undefined {
    return this.#loaded;
  }

  /** Reads the newest segment if it is not in memory. Undefined if the session does not exist. */
  load(now = Date.now()): Loaded | undefined {
    if (this.#loaded) return this.#loaded;
    const stored = this.store.load();
    if (!stored) return undefined;
    const { newest, state, later } = stored;
    const index = stored.index ?? newIndex(this.id, now, now);
    for (const { contents, lastSeq } of later) restore(index, state, contents, lastSeq);
    if (later.length > 0 || !stored.index) completeRestored(this.store.chunks, index.attachments);
    const projection = new Projection(index, state, this.#redactor, this.attachmentLimits);
    // Which records of which lanes were in the segments without an index is not known.
    if (later.length > 0 || !stored.index) projection.loseTail();
    const isLost = !stored.index && later.every(({ contents }) => isEmpty(contents));
    return (this.#loaded = { projection, newest, isLost });
  }

  /** Like `load`. Throws `gone` for a deleted session, `not_found` for an unknown one. */
  need(): Loaded {
    const loaded = this.load();
    if (loaded) return loaded;
    this.checkNotErased();
    throw new Refusal("not_found", `Session not found: ${this.id}`);
  }

  checkNotErased(): void {
    if (this.store.erasedAt() !== null)
      throw new Refusal(
        "gone",
        `Session ${this.id} was deleted; nothing is recorded for it any more.`,
      );
  }

  /** A new session. It is stored with its first commit. `at` is the time of its first op. */
  open(at: number, arrival: Arrival, access: Access): Loaded {
    // A program records the session that was being imported.
    this.store.staging.drop();
    const id = this.store.nextId();
    const projection = Projection.open(this.id, at, arrival, this.#redactor, this.attachmentLimits);
    projection.index.product = access.product ?? "";
    projection.index.opener = openerOf(access);
    const newest = newSegment({ id, fromAt: 0, firstSeq: 1, keyframe: "{}" });
    return { projection, newest, isLost: false };
  }

  /** Applies ops and stores the result in one row. After a refusal nothing of them remains, in memory or on disk. */
  commit(loaded: Loaded, apply: (projection: Projection) => BatchOutcome): BatchOutcome {
    const { projection } = loaded;
    const segment = this.#nextSegment(loaded);
    try {
      const outcome = apply(projection);
      projection.index.rowsWritten++;
      if (isEmpty(outcome.contents) && loaded.newest.stored && !loaded.newest.closed)
        this.store.rewriteIndex(loaded.newest, projection.index);
      else loaded.newest = this.store.append(segment, outcome.contents, projection.index);
      loaded.isLost = false;
      this.#loaded = loaded;
      this.#rollups?.keepUp(outcome.contents, projection.index.series);
      return outcome;
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
  }

  /** Stores the index again after it changed without an op. */
  commitIndex(loaded: Loaded): void {
    const { index } = loaded.projection;
    index.rowsWritten++;
    // The index of a damaged segment stays as it is: what follows is stored after it.
    if (loaded.newest.closed)
      loaded.newest = this.store.append(this.#nextSegment(loaded), newContents(), index);
    else this.store.rewriteIndex(loaded.newest, index);
  }

  /** The segment for the next batch: the open one, or a new one that starts with the current state. */
  #nextSegment({ projection, newest }: Loaded): Newest {
    if (!newest.sealed && !newest.closed) return newest;
    const { index, state } = projection;
    return newSegment({
      id: this.store.nextId(),
      fromAt: index.clockAt,
      firstSeq: index.seq + 1,
      keyframe: JSON.stringify(state),
    });
  }

  source({ projection: { index, state } }: Loaded, now: number): Source {
    const [rollups, tests] = [() => this.rollups(), () => this.tests()];
    return { store: this.store.segments, index, state, now, rollups, tests };
  }

  /** Built when first needed, and updated with each batch from then on. */
  rollups(): Rollups {
    return (this.#rollups ??= new Rollups(
      this.store.segments,
      this.need().projection.index.series,
    ));
  }

  /** Built when first needed, and again when it was asked after a change. */
  tests(): TestTable {
    const { observations, seq } = this.need().projection.index;
    if (!observations.tests) return NO_TESTS;
    return (this.#tests ??= new Tests(this.store.segments)).table(seq);
  }

  /** After the object's storage was deleted: leaves a tombstone. */
  erase(now: number): void {
    this.store.markErased(now);
    this.#loaded = undefined;
    this.#rollups = undefined;
    this.#tests = undefined;
  }
}

const NO_TESTS = new TestTable();
