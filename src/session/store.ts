/**
 * The session's segments on disk: one row for each, of which only the newest is rewritten. A row is complete by itself: the state
 * it starts with (keyframe), the ops that followed (body), and the index at its end. So an object that wakes up reads one row, and a
 * damaged row loses only its own ops.
 */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { type SegmentSummary, summariseSegment } from "../core/segment-summary.ts";
import { MAX_BATCH_BYTES, MAX_ROW_BYTES, SEGMENT_BYTES } from "../core/limits.ts";
import type { SessionIndex } from "../core/session-index.ts";
import { merge } from "../core/merge.ts";
import { Refusal } from "../core/refusal.ts";
import {
  append,
  type Contents,
  newContents,
  packContents,
  sealContents,
  SegmentReader,
} from "../core/segment.ts";
import type { JsonObject } from "../core/wire.ts";

/** A segment in a list, without its bytes. `fromAt` is the session's clock when it was opened. */
export type SegmentInfo = {
  id: number;
  fromAt: number;
  firstSeq: number;
  lastSeq: number;
  summary: SegmentSummary | null;
};

/** The newest segment, kept in memory by the object while it records. */
export type Newest = {
  id: number;
  stored: boolean;
  sealed: boolean;
  /** Newer segments are damaged, so the next batch opens a segment after those. */
  closed: boolean;
  fromAt: number;
  firstSeq: number;
  lastSeq: number;
  keyframe: string;
  body: Uint8Array;
  /** CRC-32 of the body. */
  bodyCrc: number;
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
    bodyCrc: 0,
    contents: newContents(),
  };
}

export type Segment = { info: SegmentInfo; keyframe: () => JsonObject; reader: SegmentReader };

/** Level 4 takes half the time of the usual 6 here, for 1.5 % more bytes. */
const deflate = (bytes: Uint8Array): Uint8Array => deflateRawSync(bytes, { level: 4 });
const inflate = (bytes: Uint8Array): Uint8Array => inflateRawSync(bytes);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Row = {
  id: number;
  sealed: number;
  from_at: number;
  first_seq: number;
  last_seq: number;
  crc: number;
  summary: ArrayBuffer | null;
  session_index: ArrayBuffer;
  keyframe: ArrayBuffer;
  body: ArrayBuffer;
};

type InfoRow = Pick<Row, "id" | "from_at" | "first_seq" | "last_seq">;

export class Store {
  readonly #sql: SqlStorage;
  #exists: boolean;
  /** Sealed segments do not change, so they are listed once. */
  #sealed: SegmentInfo[] = [];
  /** Ids of segments that were found damaged so far. */
  readonly damaged = new Set<number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exists = this.#table("segments");
  }

  get bytes(): number {
    return this.#exists ? this.#sql.databaseSize : 0;
  }

  get segmentCount(): number {
    return this.#exists
      ? Number(this.#sql.exec("SELECT max(id) AS n FROM segments").one()["n"] ?? 0)
      : 0;
  }

  /** When the session was deleted; null if it was not. For an unknown session nothing is stored, not even a table. */
  erasedAt(): number | null {
    if (this.#exists || !this.#table("tombstone")) return null;
    return Number(this.#sql.exec("SELECT erased_at FROM tombstone").one()["erased_at"]);
  }

  markErased(at: number): void {
    this.#sql.exec("CREATE TABLE tombstone (erased_at INTEGER NOT NULL)");
    this.#sql.exec("INSERT INTO tombstone VALUES (?)", at);
    this.#exists = false;
    this.#sealed = [];
    this.damaged.clear();
  }

  /** The newest segment that is not damaged, with its index and the state at its end: one row. Null for an unknown session. */
  load(): { index: SessionIndex; newest: Newest; state: JsonObject } | null {
    if (!this.#exists) return null;
    for (let below = Number.MAX_SAFE_INTEGER, closed = false; ; closed = true) {
      const [row] = this.#sql
        .exec<Row>("SELECT * FROM segments WHERE id < ? ORDER BY id DESC LIMIT 1", below)
        .toArray();
      if (!row) return null;
      below = row.id;
      if (!this.#isWhole(row)) continue;
      const body = new Uint8Array(row.body);
      const newest: Newest = {
        ...infoOf(row),
        stored: true,
        sealed: row.sealed === 1,
        closed,
        keyframe: text(row.keyframe, row.sealed),
        body,
        bodyCrc: crc32(body),
        contents: null,
      };
      const state = JSON.parse(newest.keyframe) as JsonObject;
      for (const { patch } of new SegmentReader(body, inflate).states()) merge(state, patch);
      return {
        index: JSON.parse(text(row.session_index, row.sealed)) as SessionIndex,
        newest,
        state,
      };
    }
  }

  /** The id that the next new segment takes, after any damaged one. */
  nextId(): number {
    return this.segmentCount + 1;
  }

  /** Appends to the newest segment, or stores it for the first time; seals it when it is full. Writes one row, and returns the segment. */
  append(segment: Newest, contents: Contents, index: SessionIndex): Newest {
    const block = packContents(contents);
    const body = new Uint8Array(segment.body.length + block.length);
    body.set(segment.body);
    body.set(block, segment.body.length);
    const whole = segment.contents ?? new SegmentReader(segment.body, inflate).contents();
    append(whole, contents);

    const indexText = JSON.stringify(index);
    const lastSeq = index.seq;
    const rowBytes = body.length + indexText.length + segment.keyframe.length;
    // The index grows with the number of series and is stored with each segment, so a large index needs large segments.
    const isSmall = body.length < SEGMENT_BYTES + indexText.length * 2;
    // The row must keep room for the next batch.
    if (isSmall && rowBytes < MAX_ROW_BYTES - MAX_BATCH_BYTES) {
      const bodyCrc = crc32(block, segment.bodyCrc);
      const open = { ...segment, stored: true, lastSeq, body, bodyCrc, contents: whole };
      const keyframe = encoder.encode(segment.keyframe);
      this.#write(open, !segment.stored, null, encoder.encode(indexText), keyframe);
      return open;
    }

    const summary = packSummary(summariseSegment(whole, (id) => index.series[id]));
    const sealedBody = sealContents(whole, deflate);
    const sealed = {
      ...segment,
      stored: true,
      sealed: true,
      lastSeq,
      body: sealedBody,
      bodyCrc: crc32(sealedBody),
      contents: null,
    };
    this.#write(sealed, !segment.stored, summary, pack(indexText), pack(segment.keyframe));
    return sealed;
  }

  /** Stores the index again after it changed without an op. */
  rewriteIndex(segment: Newest, index: SessionIndex): void {
    const indexText = JSON.stringify(index);
    const packed = segment.sealed ? pack(indexText) : encoder.encode(indexText);
    const keyframe = segment.sealed ? pack(segment.keyframe) : encoder.encode(segment.keyframe);
    const crc = checksum(segment, packed, keyframe);
    this.#sql.exec(
      "UPDATE segments SET session_index = ?, keyframe = ?, crc = ? WHERE id = ?",
      packed,
      keyframe,
      crc,
      segment.id,
    );
  }

  /** All segments, oldest first, without reading their bodies. */
  list(): SegmentInfo[] {
    if (!this.#exists) return [];
    const rows = this.#sql.exec<InfoRow & Pick<Row, "summary">>(
      "SELECT id, from_at, first_seq, last_seq, summary FROM segments WHERE id > ? ORDER BY id",
      this.#sealed.at(-1)?.id ?? 0,
    );
    const open: SegmentInfo[] = [];
    for (const { summary, ...row } of rows.toArray()) {
      const info = infoOf(row);
      // A damaged summary is left out, and the segment is opened instead.
      if (summary) this.#sealed.push({ ...info, summary: readSummary(new Uint8Array(summary)) });
      else open.push({ ...info, summary: null });
    }
    return [...this.#sealed, ...open];
  }

  /** Reads a segment; null if it is damaged. */
  open(info: SegmentInfo): Segment | null {
    const [row] = this.#sql.exec<Row>("SELECT * FROM segments WHERE id = ?", info.id).toArray();
    if (!row || !this.#isWhole(row)) return null;
    return {
      info,
      keyframe: () => JSON.parse(text(row.keyframe, row.sealed)) as JsonObject,
      reader: new SegmentReader(new Uint8Array(row.body), inflate),
    };
  }

  /** The segment in which the session's clock passed `at`, or that holds op `seq`. Null if that is before the first. */
  find({ at, seq }: { at?: number | undefined; seq?: number | undefined }): SegmentInfo | null {
    if (!this.#exists) return null;
    const [column, bound] = seq !== undefined ? ["first_seq", seq] : ["from_at", at ?? Infinity];
    const order = `ORDER BY id DESC LIMIT 1`;
    const columns = "id, from_at, first_seq, last_seq";
    const [row] = this.#sql
      .exec<InfoRow>(`SELECT ${columns} FROM segments WHERE ${column} <= ? ${order}`, bound)
      .toArray();
    return row ? { ...infoOf(row), summary: null } : null;
  }

  /** Whether a row has its checksum; if not, its id is added to `damaged`. */
  #isWhole(row: Row): boolean {
    const bodyCrc = crc32(new Uint8Array(row.body));
    const checked = { ...infoOf(row), sealed: row.sealed === 1, bodyCrc };
    const crc = checksum(checked, new Uint8Array(row.session_index), new Uint8Array(row.keyframe));
    if (crc === row.crc) return true;
    this.damaged.add(row.id);
    return false;
  }

  #write(
    segment: Newest,
    isNew: boolean,
    summary: Uint8Array | null,
    index: Uint8Array,
    keyframe: Uint8Array,
  ): void {
    const bytes = index.length + keyframe.length + segment.body.length + (summary?.length ?? 0);
    if (bytes > MAX_ROW_BYTES) {
      throw new Refusal(
        "too_large",
        "This batch and the state do not fit into one row of storage together; send smaller batches.",
      );
    }
    const crc = checksum(segment, index, keyframe);
    const sealed = segment.sealed ? 1 : 0;
    if (isNew) {
      if (!this.#exists) this.#create();
      this.#sql.exec(
        "INSERT INTO segments (id, sealed, from_at, first_seq, last_seq, crc, summary, session_index, keyframe, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        segment.id,
        sealed,
        segment.fromAt,
        segment.firstSeq,
        segment.lastSeq,
        crc,
        summary,
        index,
        keyframe,
        segment.body,
      );
      return;
    }
    this.#sql.exec(
      "UPDATE segments SET sealed = ?, last_seq = ?, crc = ?, summary = ?, session_index = ?, keyframe = ?, body = ? WHERE id = ?",
      sealed,
      segment.lastSeq,
      crc,
      summary,
      index,
      keyframe,
      segment.body,
      segment.id,
    );
  }

  #create(): void {
    this.#sql.exec(`CREATE TABLE segments (
      id INTEGER PRIMARY KEY,      -- 1, 2, 3…
      sealed INTEGER NOT NULL,     -- 1: full, deflated, never written again
      from_at REAL NOT NULL,       -- the session's clock (running maximum of times) when it was opened
      first_seq INTEGER NOT NULL,
      last_seq INTEGER NOT NULL,
      crc INTEGER NOT NULL,        -- CRC-32 of all of it but the summary
      summary BLOB,                 -- sealed: CRC-32 (4 bytes), core/segment-summary.ts as JSON, deflated
      session_index BLOB NOT NULL,  -- core/session-index.ts at its end, JSON (deflated when sealed)
      keyframe BLOB NOT NULL,      -- the state at its start, JSON (deflated when sealed)
      body BLOB NOT NULL           -- core/segment.ts
    )`);
    this.#exists = true;
  }

  #table(name: string): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", name).toArray().length > 0;
  }
}

function infoOf({ id, from_at, first_seq, last_seq }: InfoRow): Omit<SegmentInfo, "summary"> {
  return { id, fromAt: from_at, firstSeq: first_seq, lastSeq: last_seq };
}

function pack(value: string): Uint8Array {
  return deflate(encoder.encode(value));
}

function text(bytes: ArrayBuffer, sealed: number): string {
  return decoder.decode(sealed ? inflate(new Uint8Array(bytes)) : bytes);
}

type Checked = Pick<Newest, "id" | "sealed" | "fromAt" | "firstSeq" | "lastSeq" | "bodyCrc">;

/** The CRC-32 of a row except its summary. It starts from the body's own checksum, which is continued when a batch is appended. */
function checksum(
  { id, sealed, fromAt, firstSeq, lastSeq, bodyCrc }: Checked,
  index: Uint8Array,
  keyframe: Uint8Array,
): number {
  const rest = encoder.encode([id, sealed, fromAt, firstSeq, lastSeq].join());
  return crc32(rest, crc32(keyframe, crc32(index, bodyCrc)));
}

const CRC_BYTES = 4;

function packSummary(summary: SegmentSummary): Uint8Array {
  const packed = pack(JSON.stringify(summary));
  const bytes = new Uint8Array(CRC_BYTES + packed.length);
  new DataView(bytes.buffer).setUint32(0, crc32(packed));
  bytes.set(packed, CRC_BYTES);
  return bytes;
}

/** Null if it is damaged. */
function readSummary(bytes: Uint8Array): SegmentSummary | null {
  const packed = bytes.subarray(CRC_BYTES);
  const crc = bytes.length < CRC_BYTES ? -1 : new DataView(bytes.slice().buffer).getUint32(0);
  return crc === crc32(packed)
    ? (JSON.parse(decoder.decode(inflate(packed))) as SegmentSummary)
    : null;
}
