/**
 * The contents of a segment and their binary format. A body is a sequence of sections, each with a kind, a length, a checksum and its
 * bytes. A batch appends its sections to the open segment. Sealing merges them into one section of each kind, deflated. A reader
 * inflates and parses only the sections that are read, and leaves out a section whose checksum does not match.
 *
 *   STATES      JSON [[seq, at, patch, effective at if it differs, 1 for the initial state, recorded at if it differs], …]
 *   EVENTS      JSON [EventRow, …]
 *   OTHERS      JSON [{seq, …op}, …] of start, pause, resume, hang, recovered, slept, stacks, attachment, dropped, end, crash
 *   HEARTBEATS  their times
 *   RECORDED    their times and, in a second column, those by the program's own clock: instead of HEARTBEATS where they differ
 *   SERIES      id, then times and columns of one series, and its recorded times if any differs
 *   TESTS       (sealed only) JSON [TestRow, …] of the events about tests: for lists of tests, without parsing the events
 *   TIMES       (sealed only) times of states, of events and of exceptions: for the timeline, without parsing the ops
 */
import type { EventRow } from "../answers/events.ts";
import type { AttachmentRefusal } from "../attachments/attachments.ts";
import { ByteReader, ByteWriter, utf8 } from "./bytes.ts";
import { lengthOf, packTimes, packValues, unpack } from "./column.ts";
import { isException } from "../events/event.ts";
import { MIN_DEFLATE_BYTES } from "../limits.ts";
import type { Columns } from "../metrics/columns.ts";
import { type TestRow, testRow } from "../tests/row.ts";
import type { JsonObject, Op } from "../wire.ts";

/** A patch. `effectiveAt` is its time, or the latest time of an earlier patch if the clock went back, so that effective times never decrease. */
export type StoredState = {
  seq: number;
  at: number;
  patch: JsonObject;
  effectiveAt: number;
  initial: boolean;
  /** The time by the program's own clock, if it differs. */
  recordedAt?: number;
};
/** `refused`: of attachments. */
export type StoredOp = { seq: number; recorded_at?: number; refused?: AttachmentRefusal } & Exclude<
  Op,
  { op: "state" | "event" | "metric" | "points" | "heartbeat" }
>;

export type Contents = {
  states: StoredState[];
  events: EventRow[];
  others: StoredOp[];
  heartbeats: number[];
  /** Heartbeats whose time by the program's own clock differs. */
  recorded: { at: number[]; recordedAt: number[] };
  series: Map<number, Columns>;
};

/** What the runtime computes for this file: core itself imports nothing. */
export type Codec = {
  deflate: (bytes: Uint8Array) => Uint8Array;
  /** Throws a RangeError if the result would have more than `most` bytes. */
  inflate: (bytes: Uint8Array, most?: number) => Uint8Array;
  /** CRC-32; `seed` is the checksum of the bytes before. */
  checksum: (bytes: Uint8Array, seed?: number) => number;
};

const STATES = 1;
const EVENTS = 2;
const OTHERS = 3;
const HEARTBEATS = 4;
const SERIES = 5;
const TIMES = 6;
const RECORDED = 7;
const TESTS = 8;
const DEFLATED = 0x80;

export function newContents(): Contents {
  return {
    states: [],
    events: [],
    others: [],
    heartbeats: [],
    recorded: { at: [], recordedAt: [] },
    series: new Map(),
  };
}

export function isEmpty(contents: Contents): boolean {
  const { states, events, others, heartbeats, recorded, series } = contents;
  const lists = [states, events, others, heartbeats, recorded.at];
  return lists.every(({ length }) => length === 0) && series.size === 0;
}

/** The sections that a batch appends. */
export function packContents(contents: Contents, codec: Codec): Uint8Array {
  return pack(contents, codec, false);
}

/** The body of a sealed segment. */
export function sealContents(contents: Contents, codec: Codec): Uint8Array {
  return pack(contents, codec, true);
}

function pack(contents: Contents, codec: Codec, sealing: boolean): Uint8Array {
  const writer = new ByteWriter(1_024);
  const section = (kind: number, bytes: Uint8Array, id?: number) => {
    const small = sealing && bytes.length >= MIN_DEFLATE_BYTES ? codec.deflate(bytes) : bytes;
    const deflated = small.length < bytes.length;
    const stored = deflated ? small : bytes;
    const byte = deflated ? kind | DEFLATED : kind;
    writer.byte(byte);
    if (id !== undefined) writer.varint(id);
    writer.varint(stored.length);
    writer.uint32(codec.checksum(stored, seedOf(byte, id)));
    writer.bytes(stored);
  };

  if (contents.states.length > 0)
    section(STATES, utf8(JSON.stringify(contents.states.map(packState))));
  if (contents.events.length > 0) section(EVENTS, utf8(JSON.stringify(contents.events)));
  if (contents.others.length > 0) section(OTHERS, utf8(JSON.stringify(contents.others)));
  if (contents.heartbeats.length > 0) section(HEARTBEATS, packTimes(contents.heartbeats));
  if (contents.recorded.at.length > 0) section(RECORDED, packRecorded(contents.recorded));
  for (const [id, columns] of contents.series) section(SERIES, packColumns(columns), id);
  const tests = sealing ? testsIn(contents.events) : [];
  if (tests.length > 0) section(TESTS, utf8(JSON.stringify(tests)));
  if (sealing && contents.states.length + contents.events.length > 0)
    section(TIMES, packOverview(contents));
  return writer.finish();
}

function testsIn(events: EventRow[]): TestRow[] {
  return events.flatMap((event) => testRow(event) ?? []);
}

/** The checksum of a section's bytes starts from its kind and series, so that these are protected as well. */
function seedOf(byte: number, id = 0): number {
  return ((id + 1) * 256 + byte) >>> 0;
}

function packRecorded({ at, recordedAt }: Contents["recorded"]): Uint8Array {
  const writer = new ByteWriter();
  writer.section(packTimes(at));
  writer.section(packTimes(recordedAt));
  return writer.finish();
}

function packState(state: StoredState): unknown[] {
  const { seq, at, patch, effectiveAt, initial, recordedAt } = state;
  if (recordedAt !== undefined) return [seq, at, patch, effectiveAt, initial ? 1 : 0, recordedAt];
  if (initial) return [seq, at, patch, effectiveAt, 1];
  return effectiveAt === at ? [seq, at, patch] : [seq, at, patch, effectiveAt];
}

function packColumns({ at, fields, recordedAt }: Columns): Uint8Array {
  const writer = new ByteWriter(at.length * 3 + 32);
  writer.section(packTimes(at));
  writer.byte(fields.length);
  for (const field of fields) writer.section(packValues(field));
  if (recordedAt) writer.section(packTimes(recordedAt));
  return writer.finish();
}

function packOverview({ states, events }: Contents): Uint8Array {
  const writer = new ByteWriter();
  writer.section(packTimes(states.filter((state) => !state.initial).map((state) => state.at)));
  writer.section(packTimes(events.map((event) => event.at)));
  writer.section(packTimes(events.filter(isException).map((event) => event.at)));
  return writer.finish();
}

/** Columns as read: one array for the times, one for each field. */
export type ReadColumns = { at: Float64Array; fields: Float64Array[]; recordedAt?: Float64Array };
type Overview = {
  states: ArrayLike<number>;
  events: ArrayLike<number>;
  exceptions: ArrayLike<number>;
};

type Section = { isDeflated: boolean; bytes: Uint8Array };

/** What a body from a file may have. Reading throws a RangeError over it. */
type ReadLimits = {
  /** Values of all columns. */
  values: number;
  parseJson: (text: string) => unknown;
};
const NO_LIMITS: ReadLimits = { values: Infinity, parseJson: JSON.parse };

/** Reads a body, open or sealed. Sections that are damaged are left out. */
export class SegmentReader {
  readonly #codec: Codec;
  readonly #limits: ReadLimits;
  #values = 0;
  /** Sections by kind, and those of series by id. An open segment has one per batch and series. */
  readonly #kinds = new Map<number, Section[]>();
  readonly #series = new Map<number, Section[]>();
  #events: EventRow[] | undefined;
  /** Whether a section is damaged, or the body ends within one. */
  readonly isDamaged: boolean;

  constructor(body: Uint8Array, codec: Codec, limits = NO_LIMITS) {
    this.#codec = codec;
    this.#limits = limits;
    this.isDamaged = !this.#readSections(new ByteReader(body));
  }

  /** False if a section was left out. A length that is damaged leads the reader to bytes that are no section, so those are left out, too. */
  #readSections(reader: ByteReader): boolean {
    let isWhole = true;
    try {
      while (!reader.done) {
        const byte = reader.byte();
        const kind = byte & ~DEFLATED;
        const id = kind === SERIES ? reader.varint() : undefined;
        const length = reader.varint();
        const checksum = reader.uint32();
        const bytes = reader.bytes(length);
        if (this.#codec.checksum(bytes, seedOf(byte, id)) !== checksum) {
          isWhole = false;
          continue;
        }
        const [sections, key] = id === undefined ? [this.#kinds, kind] : [this.#series, id];
        const section = { isDeflated: (byte & DEFLATED) !== 0, bytes };
        const there = sections.get(key);
        if (there) there.push(section);
        else sections.set(key, [section]);
      }
      return isWhole;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  states(): StoredState[] {
    return this.#json<[number, number, JsonObject, number?, (0 | 1)?, number?]>(STATES).map(
      ([seq, at, patch, effectiveAt, initial, recordedAt]) => ({
        seq,
        at,
        patch,
        effectiveAt: effectiveAt ?? at,
        initial: initial === 1,
        recordedAt,
      }),
    );
  }

  /** Parsed once: the caller changes none of them. */
  events(): EventRow[] {
    return (this.#events ??= this.#json<EventRow>(EVENTS));
  }

  tests(): TestRow[] {
    return this.#kinds.has(TIMES) ? this.#json<TestRow>(TESTS) : testsIn(this.events());
  }

  others(): StoredOp[] {
    return this.#json<StoredOp>(OTHERS);
  }

  heartbeats(): number[] {
    return [...this.#times(HEARTBEATS), ...this.#recorded().at];
  }

  /** Heartbeats, apart from those whose time by the program's own clock differs. */
  heartbeatTimes(): Pick<Contents, "heartbeats" | "recorded"> {
    return { heartbeats: this.#times(HEARTBEATS), recorded: this.#recorded() };
  }

  #recorded(): Contents["recorded"] {
    const both = this.#read(this.#kinds.get(RECORDED)).map((bytes) => {
      const reader = new ByteReader(bytes);
      return [this.#unpack(reader.section()), this.#unpack(reader.section())] as const;
    });
    return {
      at: both.flatMap(([at]) => Array.from(at)),
      recordedAt: both.flatMap(([, recordedAt]) => Array.from(recordedAt)),
    };
  }

  seriesIds(): number[] {
    return [...this.#series.keys()];
  }

  /** The points of one series; empty if the segment has none. */
  columns(id: number): ReadColumns {
    const chunks = this.#read(this.#series.get(id)).map((bytes) => this.#columns(bytes));
    const [only] = chunks;
    if (chunks.length === 1 && only) return only;
    const width = Math.max(0, ...chunks.map((chunk) => chunk.fields.length));
    const at = concatenate(chunks.map((chunk) => chunk.at));
    // A chunk that was written before the series had counts lacks that field: zeros.
    const fields = Array.from({ length: width }, (_, index) =>
      concatenate(chunks.map((chunk) => chunk.fields[index] ?? new Float64Array(chunk.at.length))),
    );
    if (chunks.every((chunk) => !chunk.recordedAt)) return { at, fields };
    const recordedAt = concatenate(chunks.map((chunk) => chunk.recordedAt ?? chunk.at));
    return { at, fields, recordedAt };
  }

  overview(): Overview {
    const [packed] = this.#read(this.#kinds.get(TIMES));
    if (packed) {
      const reader = new ByteReader(packed);
      return {
        states: unpack(reader.section()),
        events: unpack(reader.section()),
        exceptions: unpack(reader.section()),
      };
    }
    const events = this.events();
    return {
      states: this.states()
        .filter((state) => !state.initial)
        .map((state) => state.at),
      events: events.map((event) => event.at),
      exceptions: events.filter(isException).map((event) => event.at),
    };
  }

  contents(): Contents {
    const series = new Map<number, Columns>();
    for (const id of this.seriesIds()) {
      const { at, fields, recordedAt } = this.columns(id);
      series.set(id, {
        at: Array.from(at),
        fields: fields.map((field) => Array.from(field)),
        recordedAt: recordedAt && Array.from(recordedAt),
      });
    }
    return {
      states: this.states(),
      events: this.events(),
      others: this.others(),
      ...this.heartbeatTimes(),
      series,
    };
  }

  #columns(bytes: Uint8Array): ReadColumns {
    const reader = new ByteReader(bytes);
    const at = this.#unpack(reader.section());
    const fields = Array.from({ length: reader.byte() }, () => this.#unpack(reader.section()));
    return reader.done
      ? { at, fields }
      : { at, fields, recordedAt: this.#unpack(reader.section()) };
  }

  #unpack(bytes: Uint8Array): Float64Array {
    this.#values += lengthOf(bytes);
    if (this.#values > this.#limits.values) throw new RangeError("a segment has too many values");
    return unpack(bytes);
  }

  #times(kind: number): number[] {
    return this.#read(this.#kinds.get(kind)).flatMap((bytes) => Array.from(this.#unpack(bytes)));
  }

  #json<Row>(kind: number): Row[] {
    return this.#read(this.#kinds.get(kind)).flatMap(
      (bytes) => this.#limits.parseJson(new ByteReader(bytes).rest()) as Row[],
    );
  }

  #read(sections: Section[] = []): Uint8Array[] {
    return sections.map(({ isDeflated, bytes }) =>
      isDeflated ? this.#codec.inflate(bytes) : bytes,
    );
  }
}

function concatenate(parts: Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Adds the contents of a later batch. */
export function append(contents: Contents, more: Contents): void {
  for (const state of more.states) contents.states.push(state);
  for (const event of more.events) contents.events.push(event);
  for (const op of more.others) contents.others.push(op);
  for (const at of more.heartbeats) contents.heartbeats.push(at);
  for (const at of more.recorded.at) contents.recorded.at.push(at);
  for (const at of more.recorded.recordedAt) contents.recorded.recordedAt.push(at);
  for (const [id, columns] of more.series) {
    const there = contents.series.get(id);
    if (!there) {
      contents.series.set(id, columns);
      continue;
    }
    const before = there.at.length;
    if (columns.recordedAt || there.recordedAt) {
      const recordedAt = (there.recordedAt ??= [...there.at]);
      for (const at of columns.recordedAt ?? columns.at) recordedAt.push(at);
    }
    for (const at of columns.at) there.at.push(at);
    const width = Math.max(there.fields.length, columns.fields.length);
    for (let index = 0; index < width; index++) {
      const field = (there.fields[index] ??= Array.from({ length: before }, () => 0));
      const values = columns.fields[index];
      for (let i = 0; i < columns.at.length; i++) field.push(values?.[i] ?? 0);
    }
  }
}
