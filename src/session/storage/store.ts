/**
 * The session's segments on disk: one row for each, of which only the newest is rewritten. A row is complete by itself: the state
 * it starts with (keyframe), the ops that followed (body), and the index at its end. So an object that wakes up reads one row, and
 * damage costs only the part of a row that it is in (row.ts).
 */
import type { DamagedPart } from "../../core/answers/damage.ts";
import { MAX_BATCH_BYTES, MAX_ROW_BYTES, SEGMENT_BYTES } from "../../core/limits.ts";
import { merge } from "../../core/state/merge.ts";
import {
  append,
  type Contents,
  newContents,
  packContents,
  sealContents,
} from "../../core/segments/segment.ts";
import { type SegmentSummary, summariseSegment } from "../../core/segments/segment-summary.ts";
import type { Segment, SegmentInfo, Segments } from "../../core/segments/segments.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { JsonObject } from "../../core/wire.ts";
import { Chunks } from "../attachments/chunks.ts";
import { Damage } from "./damage.ts";
import { Database } from "./database.ts";
import {
  CODEC,
  type Numbers,
  numbersOf,
  packText,
  readBody,
  readerOf,
  readJson,
  readText,
  type Row,
} from "./row.ts";
import type { StoredSegment } from "../../core/session-file/write.ts";
import type { StagedSegment } from "./staged.ts";
import { MAX_KEPT_SEGMENTS } from "../limits.ts";
import { Rows } from "./rows.ts";

/** The newest segment, kept in memory by the object while it records. */
export type Newest = {
  id: number;
  stored: boolean;
  sealed: boolean;
  /** It or newer ones are damaged, so the next batch opens a segment after those. */
  closed: boolean;
  fromAt: number;
  firstSeq: number;
  lastSeq: number;
  keyframe: string;
  body: Uint8Array;
  /** The body's contents, for sealing; null until they are read after the object woke up. */
  contents: Contents | null;
};

/** A segment that starts with this state. It is stored with its first ops. */
export function newSegment(start: Pick<Newest, "id" | "fromAt" | "firstSeq" | "keyframe">): Newest {
  return {
    ...start,
    stored: false,
    sealed: false,
    closed: false,
    lastSeq: start.firstSeq - 1,
    body: new Uint8Array(),
    contents: newContents(),
  };
}

/** The store of a session of which nothing can be read. */
export const EMPTY_STORE: Segments = {
  segmentCount: 0,
  bytes: 0,
  list: () => [],
  open: () => null,
  find: () => null,
  damagedParts: () => [{ part: "storage", segment: null }],
  chunks: { lengths: () => new Map(), received: () => [], read: () => undefined },
};

/** What is loaded of a session. `index` is null if no segment has a readable one. */
type Stored = {
  index: SessionIndex | null;
  newest: Newest;
  state: JsonObject;
  /** The segments after that of the index, oldest first: their own indexes are damaged. */
  later: { contents: Contents; lastSeq: number }[];
};

export class Store implements Segments {
  readonly #database: Database;
  readonly #rows: Rows;
  readonly damage: Damage;
  /** The contents of attachments. */
  readonly chunks: Chunks;
  #exists: boolean;
  #wasErased: boolean;
  /** What is stored is of an import that is not finished. */
  #isStaged: boolean;
  /** Sealed segments do not change, so they are listed once. */
  #sealed: SegmentInfo[] = [];
  #kept: Map<number, Segment> | undefined;

  constructor(sql: SqlStorage) {
    this.#database = new Database(sql);
    this.#rows = new Rows(this.#database);
    const tables = this.#database
      .rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .map(({ name }) => name);
    // A session that has nothing stored has an intact, empty file.
    this.#isStaged = tables.includes("importing");
    this.#exists = (tables.includes("segments") && !this.#isStaged) || this.#database.isDamaged;
    this.#wasErased = tables.includes("tombstone");
    this.damage = new Damage(this.#database, tables.includes("damage"));
    this.chunks = new Chunks(this.#database, this.damage, tables.includes("chunks"));
  }

  /** Whether anything is stored. For an unknown session there is not even a table. */
  get exists(): boolean {
    return this.#exists;
  }

  /** SQLite cannot read the file: nothing is written any more. */
  get isUnwritable(): boolean {
    return this.#database.isDamaged;
  }

  get bytes(): number {
    return this.#exists ? this.#database.size : 0;
  }

  get segmentCount(): number {
    return this.#exists ? (this.#rows.ids().at(-1) ?? 0) : 0;
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
    this.#exists = false;
    this.#wasErased = true;
    this.#sealed = [];
    this.damage.clear();
    this.chunks.clear();
    this.#database.write("CREATE TABLE tombstone (erased_at INTEGER NOT NULL)");
    this.#database.write("INSERT INTO tombstone VALUES (?)", at);
  }

  /** Ids of all segments, oldest first. */
  ids(): number[] {
    return this.#exists ? this.#rows.ids() : [];
  }

  /** A segment as it is stored, for a file. Notes what cannot be read. Null if there is nothing of it. */
  stored(id: number): StoredSegment | null {
    const row = this.#rows.read(id);
    const info = this.list().find((each) => each.id === id);
    if (!row || !info) {
      this.damage.note(id, "segment");
      return null;
    }
    this.#segment(row);
    const { fromAt, firstSeq, lastSeq } = info;
    const keyframe = readText(row.keyframe);
    if (keyframe === null) this.damage.note(id, "state");
    return {
      id,
      isSealed: numbersOf(row)?.isSealed ?? row.summary !== null,
      hasSummary: info.summary !== null,
      fromAt,
      firstSeq,
      lastSeq: lastSeq === UNKNOWN_SEQ ? firstSeq : lastSeq,
      index: readJson<SessionIndex>(row.session_index),
      keyframe,
      body: readBody(row.body),
    };
  }

  // Imports: what is staged counts as nothing until it is committed.

  get isStaged(): boolean {
    return this.#isStaged;
  }

  /** Throws a Refusal: storage_full. */
  beginStaging(): void {
    this.dropStaged();
    this.#database.write("CREATE TABLE importing (unused INTEGER)");
    this.#isStaged = true;
  }

  /** Removes what an import stored that did not finish. */
  dropStaged(): void {
    if (!this.#isStaged) return;
    for (const table of ["segments", "chunks", "damage", "importing"])
      this.#database.write(`DROP TABLE IF EXISTS ${table}`);
    this.chunks.clear();
    this.damage.clear();
    this.#isStaged = false;
  }

  /** Throws a Refusal: too_large, storage_full. */
  writeStaged(
    { id, isSealed, fromAt, firstSeq, lastSeq }: Omit<Numbers, "bodyBytes">,
    { keyframe, contents, index, series, hasSummary }: StagedSegment,
  ): void {
    const summary = isSealed ? summariseSegment(contents, (one) => series[one]) : null;
    const summaryText = summary && hasSummary ? JSON.stringify(summary) : null;
    const body = isSealed ? sealContents(contents, CODEC) : packContents(contents, CODEC);
    const textOf = (value: object | null) =>
      value ? packText(JSON.stringify(value), isSealed) : NOTHING;
    this.#rows.write(
      { id, isSealed, fromAt, firstSeq, lastSeq, bodyBytes: body.length },
      [
        summary && (summaryText === null ? NOTHING : packText(summaryText, true)),
        textOf(index),
        textOf(keyframe),
        body,
      ],
      true,
    );
  }

  /** What is staged is the session from now on. */
  commitStaged(): void {
    this.#database.write("DROP TABLE importing");
    this.#isStaged = false;
    this.#exists = true;
  }

  /** The newest segment with a readable index, and those after it. Usually that is one row. Null for an unknown session. */
  load(): Stored | null {
    if (!this.#exists) return null;
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
      later.unshift({ row, segment: this.#segment(row) });
    }
    const [first] = later;
    const segment = from ? this.#segment(from) : first?.segment;
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
    return this.segmentCount + 1;
  }

  /** Appends to the newest segment, or stores it for the first time; seals it when it is full. Writes one row, and returns the segment. */
  append(segment: Newest, contents: Contents, index: SessionIndex): Newest {
    const block = packContents(contents, CODEC);
    const body = new Uint8Array(segment.body.length + block.length);
    body.set(segment.body);
    body.set(block, segment.body.length);
    const whole = segment.contents ?? readerOf(segment.body).contents();
    append(whole, contents);

    const indexText = JSON.stringify(index);
    const lastSeq = index.seq;
    const rowBytes = body.length + indexText.length + segment.keyframe.length;
    // The index grows with the number of series and is stored with each segment, so a large index needs large segments.
    const isSmall = body.length < SEGMENT_BYTES + indexText.length * 2;
    // The row must keep room for the next batch.
    if (isSmall && rowBytes < MAX_ROW_BYTES - MAX_BATCH_BYTES) {
      const open = { ...segment, stored: true, lastSeq, body, contents: whole };
      this.#write(open, !segment.stored, null, indexText);
      return open;
    }

    const summary = summariseSegment(whole, (id) => index.series[id]);
    const sealed = {
      ...segment,
      stored: true,
      sealed: true,
      lastSeq,
      body: sealContents(whole, CODEC),
      contents: null,
    };
    this.#write(sealed, !segment.stored, summary, indexText);
    return sealed;
  }

  /** Stores the index again after it changed without an op. */
  rewriteIndex({ id, sealed }: Pick<Newest, "id" | "sealed">, index: SessionIndex): void {
    const packed = packText(JSON.stringify(index), sealed);
    this.#rows.writeIndex(id, packed);
  }

  /** All segments, oldest first, without reading their bodies. */
  list(): SegmentInfo[] {
    if (!this.#exists) return [];
    const known = this.#sealed.at(-1)?.id ?? 0;
    const open: SegmentInfo[] = [];
    for (const row of this.#rows.after(known)) {
      this.#noteMissing(row.id, (open.at(-1) ?? this.#sealed.at(-1))?.id ?? 0);
      const numbers = numbersOf(row);
      const info = numbers
        ? infoOf(numbers)
        : this.#repairedInfo(row.id, [...this.#sealed, ...open]);
      if (row.summary === null) {
        open.push(info);
        continue;
      }
      // A damaged summary is left out, and the segment is opened instead.
      const summary = readJson<SegmentSummary>(row.summary);
      if (!summary) this.damage.note(row.id, "summary");
      const sealed = { ...info, summary };
      if (open.length === 0) this.#sealed.push(sealed);
      else open.push(sealed);
    }
    return this.#withLastSeqs([...this.#sealed, ...open]);
  }

  /** Keeps the segments that are read until `release`, since several questions of one request read the same ones. */
  keep(): void {
    this.#kept ??= new Map();
  }

  release(): void {
    this.#kept = undefined;
  }

  /** Reads a segment; null if there is nothing of it. */
  open(info: Pick<SegmentInfo, "id" | "summary">): Segment | null {
    const kept = this.#kept?.get(info.id);
    if (kept) return kept;
    const segment = this.#open(info);
    if (segment && this.#kept && this.#kept.size < MAX_KEPT_SEGMENTS)
      this.#kept.set(info.id, segment);
    return segment;
  }

  #open({ id, summary }: Pick<SegmentInfo, "id" | "summary">): Segment | null {
    const row = this.#rows.read(id);
    if (!row) {
      this.damage.note(id, "segment");
      return null;
    }
    const segment = this.#segment(row);
    return { ...segment, info: { ...segment.info, summary } };
  }

  /** The segment in which the session's clock passed `at`, or that holds op `seq`. Null if that is before the first. */
  find({ at, seq }: { at?: number | undefined; seq?: number | undefined }): SegmentInfo | null {
    if (!this.#exists) return null;
    const [column, bound] =
      seq !== undefined ? (["first_seq", seq] as const) : (["from_at", at ?? Infinity] as const);
    const [row, after] = this.#rows.lastUpTo(column, bound);
    // A damaged number of this row, or of the next one, would lead to a wrong segment.
    const numbers = row && numbersOf(row);
    if (numbers && (!after || numbersOf(after)) && !this.damage.isFound) return infoOf(numbers);
    const infos = this.list();
    const found = infos.findLast(
      (info) => (seq !== undefined ? info.firstSeq : info.fromAt) <= bound,
    );
    return found ?? null;
  }

  /** Every damaged part, with what it cost. */
  damagedParts(): DamagedPart[] {
    if (!this.damage.isFound) return [];
    const infos = new Map(this.list().map((info) => [info.id, info]));
    return this.damage.list().map(({ segment, part }) => {
      if (segment === null) return { segment, part };
      if (part === "attachment")
        return { segment: null, part, first_seq: segment, last_seq: segment };
      const info = infos.get(segment);
      return {
        segment,
        part,
        first_seq: info?.firstSeq,
        last_seq: info && info.lastSeq < UNKNOWN_SEQ ? info.lastSeq : undefined,
        lost: part === "log" ? this.#lostIn(segment) : undefined,
      };
    });
  }

  /** Records of a segment that cannot be read: its index counted them, and its log does not have them. Undefined without both indexes. */
  #lostIn(id: number): number | undefined {
    const row = this.#rows.read(id);
    const counts = row && readJson<SessionIndex>(row.session_index)?.counts;
    const before = id === 1 ? ZERO : this.#indexOf(id - 1)?.counts;
    if (!row || !counts || !before) return undefined;
    const reader = readerOf(readBody(row.body));
    const points = reader
      .seriesIds()
      .reduce((sum, each) => sum + reader.columns(each).at.length, 0);
    const states = reader.states().filter(({ initial }) => !initial).length;
    const readable = states + reader.events().length + points + reader.heartbeats().length;
    const counted = (of: typeof ZERO) => of.states + of.events + of.points + of.heartbeats;
    // Starts, ends and the like are in no count, so none is not certain.
    return Math.max(0, counted(counts) - counted(before) - readable) || undefined;
  }

  #indexOf(id: number): SessionIndex | null {
    const row = this.#rows.read(id);
    return row ? readJson<SessionIndex>(row.session_index) : null;
  }

  /** What can be read of a row. Notes what cannot. */
  #segment(row: Row): Segment {
    const numbers = numbersOf(row);
    const body = readBody(row.body);
    const reader = readerOf(body);
    const isWhole = row.body instanceof ArrayBuffer && !reader.isDamaged;
    if (!isWhole || (numbers && numbers.bodyBytes !== body.length)) this.damage.note(row.id, "log");
    if (readText(row.session_index) === null) this.damage.note(row.id, "index");
    const info = numbers ? infoOf(numbers) : this.#repairedInfo(row.id, this.list());
    return { info, reader, keyframe: () => this.#keyframeOf(row) };
  }

  /** The state at the start of a segment; if that is damaged, at the end of the one before it. */
  #keyframeOf(row: Row): JsonObject {
    const state = readJson<JsonObject>(row.keyframe);
    if (state) return state;
    this.damage.note(row.id, "state");
    const before = this.#rows.read(row.id - 1);
    if (!before) return {};
    const { keyframe, reader } = this.#segment(before);
    const result = keyframe();
    for (const { patch } of reader.states()) merge(result, patch);
    return result;
  }

  /** A row with damaged numbers begins where the one before it ends. */
  #repairedInfo(id: number, infos: SegmentInfo[]): SegmentInfo {
    this.damage.note(id, "numbers");
    const known = infos.find((info) => info.id === id);
    if (known) return known;
    const before = infos.findLast((info) => info.id < id);
    const index = before && this.#indexOf(before.id);
    return {
      id,
      fromAt: index?.clockAt ?? before?.fromAt ?? 0,
      firstSeq: (index?.seq ?? 0) + 1,
      lastSeq: this.#indexOf(id)?.seq ?? UNKNOWN_SEQ,
      summary: null,
    };
  }

  /** The last op of a segment whose row does not have it: that before the next segment. */
  #withLastSeqs(infos: SegmentInfo[]): SegmentInfo[] {
    for (const [index, info] of infos.entries()) {
      const next = infos[index + 1];
      if (info.lastSeq === UNKNOWN_SEQ && next) info.lastSeq = next.firstSeq - 1;
    }
    return infos;
  }

  /** Ids are consecutive, so one that is left out was lost with a page of the file. */
  #noteMissing(id: number, before: number): void {
    for (let missing = before + 1; missing < id; missing++) this.damage.note(missing, "segment");
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
    this.#exists = true;
  }
}

/** `lastSeq` of a segment of which it is not known. */
const UNKNOWN_SEQ = Number.MAX_SAFE_INTEGER;
/** Stands for what the source of an import could not read. */
const NOTHING = new Uint8Array();
const ZERO = { states: 0, events: 0, points: 0, heartbeats: 0 };

function infoOf({ id, fromAt, firstSeq, lastSeq }: Numbers): SegmentInfo {
  return { id, fromAt, firstSeq, lastSeq, summary: null };
}
