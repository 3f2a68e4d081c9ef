/**
 * The session's segments on disk: one row for each, of which only the newest is rewritten. A row is complete by itself: the state
 * it starts with (keyframe), the ops that followed (body), and the index at its end. So an object that wakes up reads one row, and
 * damage costs only the part of a row that it is in (row.ts).
 */
import type { Contents } from "../../core/segments/contents.ts";
import { UNKNOWN_SEQ } from "../../core/segments/damaged-parts.ts";
import { type SegmentSummary, summariseSegment } from "../../core/segments/segment-summary.ts";
import type { Segment } from "../../core/segments/segments.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import { merge } from "../../core/state/merge.ts";
import type { JsonObject } from "../../core/wire.ts";
import { Chunks } from "../attachments/chunks.ts";
import { Damage } from "./damage.ts";
import { Database } from "./database.ts";
import { type Newest, withOps } from "./newest.ts";
import { numbersOf, packText, readBody, readJson, type Row } from "./row.ts";
import { Rows } from "./rows.ts";
import { MARK, Staging } from "./staging.ts";
import { StoredSegments } from "./stored-segments.ts";

/** What is loaded of a session. `index` is null if no segment has a readable one. */
type Stored = {
  index: SessionIndex | null;
  newest: Newest;
  state: JsonObject;
  /** The segments after that of the index, oldest first: their own indexes are damaged. */
  later: { contents: Contents; lastSeq: number }[];
};

export class Store {
  readonly #database: Database;
  readonly #rows: Rows;
  readonly damage: Damage;
  /** The contents of attachments. */
  readonly chunks: Chunks;
  readonly segments: StoredSegments;
  readonly staging: Staging;
  #wasErased: boolean;

  constructor(sql: SqlStorage) {
    this.#database = new Database(sql);
    const tables = this.#database
      .rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .map(({ name }) => name);
    const isStaged = tables.includes(MARK);
    // A session that has nothing stored has an intact, empty file.
    const exist = (tables.includes("segments") && !isStaged) || this.#database.isDamaged;
    this.#rows = new Rows(this.#database, exist);
    this.#wasErased = tables.includes("tombstone");
    this.damage = new Damage(this.#database, tables.includes("damage"));
    this.chunks = new Chunks(this.#database, this.damage, tables.includes("chunks"));
    this.segments = new StoredSegments(this.#rows, this.damage, this.chunks);
    this.staging = new Staging(
      { database: this.#database, rows: this.#rows, damage: this.damage, chunks: this.chunks },
      isStaged,
    );
  }

  /** SQLite cannot read the file: nothing is written any more. */
  get isUnwritable(): boolean {
    return this.#database.isDamaged;
  }

  /** When the session was deleted; null if it was not. */
  erasedAt(): number | null {
    if (!this.#wasErased) return null;
    const [row] = this.#database.rows<{ erased_at: number }>("SELECT erased_at FROM tombstone");
    return row?.erased_at ?? 0;
  }

  /** After the object's storage was deleted. */
  markErased(at: number): void {
    this.#database.isDamaged = false;
    this.#rows.exist = false;
    this.#wasErased = true;
    this.segments.forget();
    this.damage.clear();
    this.chunks.clear();
    this.#database.write("CREATE TABLE tombstone (erased_at INTEGER NOT NULL)");
    this.#database.write("INSERT INTO tombstone VALUES (?)", at);
  }

  /** The newest segment with a readable index, and those after it. Usually that is one row. Null for an unknown session. */
  load(): Stored | null {
    if (!this.#rows.exist) return null;
    const later: { row: Row; segment: Segment }[] = [];
    let from: Row | undefined;
    let index: SessionIndex | null = null;
    for (let row = this.#rows.newestBelow(Infinity); row; row = this.#rows.newestBelow(row.id)) {
      index = readJson<SessionIndex>(row.session_index);
      if (index) {
        from = row;
        break;
      }
      this.damage.note(row.id, "index");
      later.unshift({ row, segment: this.segments.segmentOf(row) });
    }
    const [first] = later;
    const segment = from ? this.segments.segmentOf(from) : first?.segment;
    const state = segment?.keyframe() ?? {};
    // Before the patches are merged into it.
    const keyframe = JSON.stringify(state);
    if (from && segment) for (const { patch } of segment.reader.states()) merge(state, patch);
    const row = from ?? first?.row;
    const numbers = row && numbersOf(row);
    const isDamaged =
      row !== undefined && this.damage.list().some((part) => part.segment === row.id);
    return {
      index,
      state,
      newest: {
        id: row?.id ?? 0,
        stored: true,
        sealed: numbers?.isSealed ?? true,
        closed: later.length > 0 || index === null || isDamaged,
        fromAt: segment?.info.fromAt ?? 0,
        firstSeq: segment?.info.firstSeq ?? 1,
        lastSeq: segment?.info.lastSeq ?? 0,
        keyframe,
        body: readBody(row?.body),
        contents: null,
      },
      later: later.map(({ segment: { reader, info } }) => ({
        contents: reader.contents(),
        lastSeq: info.lastSeq === UNKNOWN_SEQ ? 0 : info.lastSeq,
      })),
    };
  }

  /** The id that the next new segment takes, after any damaged one. */
  nextId(): number {
    return this.segments.segmentCount + 1;
  }

  /** Appends to the newest segment, or stores it for the first time; seals it when it is full. Writes one row, and returns the segment. */
  append(segment: Newest, contents: Contents, index: SessionIndex): Newest {
    const indexText = JSON.stringify(index);
    const size = { lastSeq: index.seq, indexBytes: indexText.length };
    const { segment: next, whole } = withOps(segment, contents, size);
    const summary = next.sealed ? summariseSegment(whole, (id) => index.series[id]) : null;
    this.#write(next, !segment.stored, summary, indexText);
    return next;
  }

  /** Stores the index again after it changed without an op. */
  rewriteIndex({ id, sealed }: Pick<Newest, "id" | "sealed">, index: SessionIndex): void {
    const packed = packText(JSON.stringify(index), sealed);
    this.#rows.writeIndex(id, packed);
  }

  #write(segment: Newest, isNew: boolean, summary: SegmentSummary | null, indexText: string): void {
    const { id, sealed, fromAt, firstSeq, lastSeq, body } = segment;
    const parts = [
      summary && packText(JSON.stringify(summary), true),
      packText(indexText, sealed),
      packText(segment.keyframe, sealed),
      body,
    ];
    const numbers = { id, isSealed: sealed, fromAt, firstSeq, lastSeq, bodyBytes: body.length };
    this.#rows.write(numbers, parts, isNew);
    this.#rows.exist = true;
  }
}
