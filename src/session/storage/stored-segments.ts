/**
 * The stored segments as they are read. What of a row is damaged is noted, and replaced by what its neighbours have; everything else is
 * read as it is.
 */
import type { DamagedPart } from "../../core/answers/damage.ts";
import { damagedParts, UNKNOWN_SEQ } from "../../core/segments/damaged-parts.ts";
import { repairedKeyframe } from "../../core/segments/keyframe.ts";
import type { SegmentSummary } from "../../core/segments/segment-summary.ts";
import type { Segment, SegmentInfo, Segments } from "../../core/segments/segments.ts";
import type { StoredSegment } from "../../core/session-file/write.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { JsonObject } from "../../core/wire.ts";
import type { Chunks } from "../attachments/chunks.ts";
import { MAX_KEPT_SEGMENTS } from "../limits.ts";
import type { Damage } from "./damage.ts";
import {
  type Numbers,
  numbersOf,
  readBody,
  readerOf,
  readJson,
  readText,
  type Row,
} from "./row.ts";
import type { Rows } from "./rows.ts";

export class StoredSegments implements Segments {
  readonly #rows: Rows;
  readonly #damage: Damage;
  /** The contents of attachments. */
  readonly chunks: Chunks;
  /** Sealed segments do not change, so they are listed once. */
  #sealed: SegmentInfo[] = [];
  #kept: Map<number, Segment> | undefined;

  constructor(rows: Rows, damage: Damage, chunks: Chunks) {
    this.#rows = rows;
    this.#damage = damage;
    this.chunks = chunks;
  }

  get bytes(): number {
    return this.#rows.bytes;
  }

  get segmentCount(): number {
    return this.#rows.ids().at(-1) ?? 0;
  }

  /** Ids of all segments, oldest first. */
  ids(): number[] {
    return this.#rows.ids();
  }

  /** All segments, oldest first, without reading their bodies. */
  list(): SegmentInfo[] {
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
      if (!summary) this.#damage.note(row.id, "summary");
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
      this.#damage.note(id, "segment");
      return null;
    }
    const segment = this.segmentOf(row);
    return { ...segment, info: { ...segment.info, summary } };
  }

  /** The segment in which the session's clock passed `at`, or that holds op `seq`. Null if that is before the first. */
  find({ at, seq }: { at?: number | undefined; seq?: number | undefined }): SegmentInfo | null {
    const [column, bound] =
      seq !== undefined ? (["first_seq", seq] as const) : (["from_at", at ?? Infinity] as const);
    const [row, after] = this.#rows.lastUpTo(column, bound);
    // A damaged number of this row, or of the next one, would lead to a wrong segment.
    const numbers = row && numbersOf(row);
    if (numbers && (!after || numbersOf(after)) && !this.#damage.isFound) return infoOf(numbers);
    const infos = this.list();
    const found = infos.findLast(
      (info) => (seq !== undefined ? info.firstSeq : info.fromAt) <= bound,
    );
    return found ?? null;
  }

  /** Every damaged part, with what it cost. */
  damagedParts(): DamagedPart[] {
    if (!this.#damage.isFound) return [];
    return damagedParts(this.#damage.list(), this.list(), (id) => {
      const row = this.#rows.read(id);
      const index = row && readJson<SessionIndex>(row.session_index);
      return row && { counts: index?.counts, reader: readerOf(readBody(row.body)) };
    });
  }

  #indexOf(id: number): SessionIndex | null {
    const row = this.#rows.read(id);
    return row ? readJson<SessionIndex>(row.session_index) : null;
  }

  /** A segment as it is stored, for a file. Notes what cannot be read. Null if there is nothing of it. */
  stored(id: number): StoredSegment | null {
    const row = this.#rows.read(id);
    const info = this.list().find((each) => each.id === id);
    if (!row || !info) {
      this.#damage.note(id, "segment");
      return null;
    }
    this.segmentOf(row);
    const { fromAt, firstSeq, lastSeq } = info;
    const keyframe = readText(row.keyframe);
    if (keyframe === null) this.#damage.note(id, "state");
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

  /** After they were removed. */
  forget(): void {
    this.#sealed = [];
  }

  /** What can be read of a row. Notes what cannot. */
  segmentOf(row: Row): Segment {
    const numbers = numbersOf(row);
    const body = readBody(row.body);
    const reader = readerOf(body);
    const isWhole = row.body instanceof ArrayBuffer && !reader.isDamaged;
    if (!isWhole || (numbers && numbers.bodyBytes !== body.length))
      this.#damage.note(row.id, "log");
    if (readText(row.session_index) === null) this.#damage.note(row.id, "index");
    const info = numbers ? infoOf(numbers) : this.#repairedInfo(row.id, this.list());
    return { info, reader, keyframe: () => this.#keyframeOf(row) };
  }

  /** The state at the start of a segment; if that is damaged, at the end of the one before it. */
  #keyframeOf(row: Row): JsonObject {
    const own = this.#ownKeyframe(row);
    if (own) return own;
    return repairedKeyframe(row.id, (id) => {
      const before = this.#rows.read(id);
      if (!before) return null;
      return { keyframe: this.#ownKeyframe(before), reader: this.segmentOf(before).reader };
    });
  }

  #ownKeyframe(row: Row): JsonObject | null {
    const state = readJson<JsonObject>(row.keyframe);
    if (!state) this.#damage.note(row.id, "state");
    return state;
  }

  /** A row with damaged numbers begins where the one before it ends. */
  #repairedInfo(id: number, infos: SegmentInfo[]): SegmentInfo {
    this.#damage.note(id, "numbers");
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
    for (let missing = before + 1; missing < id; missing++) this.#damage.note(missing, "segment");
  }
}

function infoOf({ id, fromAt, firstSeq, lastSeq }: Numbers): SegmentInfo {
  return { id, fromAt, firstSeq, lastSeq, summary: null };
}

/** Those of a session of which nothing can be read. */
export const NO_SEGMENTS: Segments = {
  segmentCount: 0,
  bytes: 0,
  list: () => [],
  open: () => null,
  find: () => null,
  damagedParts: () => [{ part: "storage", segment: null }],
  chunks: { lengths: () => new Map(), received: () => [], read: () => undefined },
};
