/**
 * What a segment holds, and how it is written. A body is a row of sections, each with a kind, a length and its bytes; a batch
 * appends its sections to the open segment, and sealing gathers them into one section of each kind, deflated. A reader
 * inflates and parses only the sections it is asked for.
 *
 *   STATES   JSON  [[seq, at, patch, effective at if it differs, 1 if it opened the session], …]
 *   EVENTS   JSON  [EventRow, …]
 *   OTHERS   JSON  [{seq, …op}, …]                       start, pause, resume, hang, recovered, slept, dropped, end, crash
 *   BEATS    times of heartbeats
 *   SERIES   id, then times and columns of one series
 *   TIMES    (sealed only) times of states, of events, of exceptions: for the overview, without parsing them
 */
import type { EventRow } from "./answers.ts";
import { ByteReader, ByteWriter, utf8 } from "./bytes.ts";
import { packTimes, packValues, unpack } from "./column.ts";
import { isException } from "./event.ts";
import type { Columns } from "./series.ts";
import type { JsonObject, Op } from "./wire.ts";

/** A patch and when it took effect: its own time, or that of an earlier op if the clock went back, so that time travel has one direction. */
export type StoredState = {
  seq: number;
  at: number;
  patch: JsonObject;
  effectiveAt: number;
  initial: boolean;
};
export type StoredOp = { seq: number } & Exclude<
  Op,
  { op: "state" | "event" | "metric" | "points" | "heartbeat" }
>;

export type Contents = {
  states: StoredState[];
  events: EventRow[];
  others: StoredOp[];
  beats: number[];
  series: Map<number, Columns>;
};

export type Deflate = (bytes: Uint8Array) => Uint8Array;
export type Inflate = (bytes: Uint8Array) => Uint8Array;

const STATES = 1;
const EVENTS = 2;
const OTHERS = 3;
const BEATS = 4;
const SERIES = 5;
const TIMES = 6;
const DEFLATED = 0x80;
/** Below this, deflate costs more bytes than it saves. */
const WORTH_DEFLATING = 48;

export function newContents(): Contents {
  return { states: [], events: [], others: [], beats: [], series: new Map() };
}

export function isEmpty(contents: Contents): boolean {
  const { states, events, others, beats, series } = contents;
  return states.length + events.length + others.length + beats.length + series.size === 0;
}

/** The sections that one batch appends. */
export function packContents(contents: Contents): Uint8Array {
  return pack(contents, (bytes) => bytes, false);
}

/** The whole of a sealed segment. */
export function sealContents(contents: Contents, deflate: Deflate): Uint8Array {
  return pack(contents, deflate, true);
}

function pack(contents: Contents, deflate: Deflate, sealing: boolean): Uint8Array {
  const writer = new ByteWriter(1_024);
  const section = (kind: number, bytes: Uint8Array, id?: number) => {
    const small = sealing && bytes.length >= WORTH_DEFLATING ? deflate(bytes) : bytes;
    const deflated = small.length < bytes.length;
    writer.byte(deflated ? kind | DEFLATED : kind);
    if (id !== undefined) writer.varint(id);
    writer.section(deflated ? small : bytes);
  };

  if (contents.states.length > 0)
    section(STATES, utf8(JSON.stringify(contents.states.map(packState))));
  if (contents.events.length > 0) section(EVENTS, utf8(JSON.stringify(contents.events)));
  if (contents.others.length > 0) section(OTHERS, utf8(JSON.stringify(contents.others)));
  if (contents.beats.length > 0) section(BEATS, packTimes(contents.beats));
  for (const [id, columns] of contents.series) section(SERIES, packColumns(columns), id);
  if (sealing && contents.states.length + contents.events.length > 0)
    section(TIMES, packOverview(contents));
  return writer.finish();
}

function packState({ seq, at, patch, effectiveAt, initial }: StoredState): unknown[] {
  if (initial) return [seq, at, patch, effectiveAt, 1];
  return effectiveAt === at ? [seq, at, patch] : [seq, at, patch, effectiveAt];
}

function packColumns({ at, fields }: Columns): Uint8Array {
  const writer = new ByteWriter(at.length * 3 + 32);
  writer.section(packTimes(at));
  writer.byte(fields.length);
  for (const field of fields) writer.section(packValues(field));
  return writer.finish();
}

function packOverview({ states, events }: Contents): Uint8Array {
  const writer = new ByteWriter();
  writer.section(packTimes(states.filter((state) => !state.initial).map((state) => state.at)));
  writer.section(packTimes(events.map((event) => event.at)));
  writer.section(packTimes(events.filter(isException).map((event) => event.at)));
  return writer.finish();
}

/** Columns as they are read: one array for the times, one for each field. */
export type ReadColumns = { at: Float64Array; fields: Float64Array[] };
export type Overview = {
  states: ArrayLike<number>;
  events: ArrayLike<number>;
  exceptions: ArrayLike<number>;
};

type Section = { isDeflated: boolean; bytes: Uint8Array };

/** Reads a body, open or sealed. Throws (RangeError, SyntaxError, or what inflate throws) when it is damaged. */
export class SegmentReader {
  readonly #inflate: Inflate;
  /** By kind, those of series by their id: an open segment has a section per batch and series. */
  readonly #kinds = new Map<number, Section[]>();
  readonly #series = new Map<number, Section[]>();

  constructor(body: Uint8Array, inflate: Inflate) {
    this.#inflate = inflate;
    const reader = new ByteReader(body);
    while (!reader.done) {
      const byte = reader.byte();
      const kind = byte & ~DEFLATED;
      const [sections, key] =
        kind === SERIES ? [this.#series, reader.varint()] : [this.#kinds, kind];
      const section = { isDeflated: (byte & DEFLATED) !== 0, bytes: reader.section() };
      const there = sections.get(key);
      if (there) there.push(section);
      else sections.set(key, [section]);
    }
  }

  states(): StoredState[] {
    return this.#json<[number, number, JsonObject, number?, 1?]>(STATES).map(
      ([seq, at, patch, effectiveAt, initial]) => ({
        seq,
        at,
        patch,
        effectiveAt: effectiveAt ?? at,
        initial: initial === 1,
      }),
    );
  }

  events(): EventRow[] {
    return this.#json<EventRow>(EVENTS);
  }

  others(): StoredOp[] {
    return this.#json<StoredOp>(OTHERS);
  }

  beats(): number[] {
    return this.#read(this.#kinds.get(BEATS)).flatMap((bytes) => Array.from(unpack(bytes)));
  }

  seriesIds(): number[] {
    return [...this.#series.keys()];
  }

  /** The points of one series; empty when it has none here. */
  columns(id: number): ReadColumns {
    const chunks = this.#read(this.#series.get(id)).map(unpackColumns);
    const [only] = chunks;
    if (chunks.length === 1 && only) return only;
    const width = Math.max(0, ...chunks.map((chunk) => chunk.fields.length));
    const at = concatenate(chunks.map((chunk) => chunk.at));
    // A chunk from before the series had counts is short of a field: zeros.
    const fields = Array.from({ length: width }, (_, index) =>
      concatenate(chunks.map((chunk) => chunk.fields[index] ?? new Float64Array(chunk.at.length))),
    );
    return { at, fields };
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
      const { at, fields } = this.columns(id);
      series.set(id, { at: Array.from(at), fields: fields.map((field) => Array.from(field)) });
    }
    return {
      states: this.states(),
      events: this.events(),
      others: this.others(),
      beats: this.beats(),
      series,
    };
  }

  #json<Row>(kind: number): Row[] {
    return this.#read(this.#kinds.get(kind)).flatMap(
      (bytes) => JSON.parse(new ByteReader(bytes).rest()) as Row[],
    );
  }

  #read(sections: Section[] = []): Uint8Array[] {
    return sections.map(({ isDeflated, bytes }) => (isDeflated ? this.#inflate(bytes) : bytes));
  }
}

function unpackColumns(bytes: Uint8Array): ReadColumns {
  const reader = new ByteReader(bytes);
  const at = unpack(reader.section());
  const fields = Array.from({ length: reader.byte() }, () => unpack(reader.section()));
  return { at, fields };
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

/** Adds what a later batch brought. */
export function append(contents: Contents, more: Contents): void {
  for (const state of more.states) contents.states.push(state);
  for (const event of more.events) contents.events.push(event);
  for (const op of more.others) contents.others.push(op);
  for (const beat of more.beats) contents.beats.push(beat);
  for (const [id, columns] of more.series) {
    const there = contents.series.get(id);
    if (!there) {
      contents.series.set(id, columns);
      continue;
    }
    const before = there.at.length;
    for (const at of columns.at) there.at.push(at);
    const width = Math.max(there.fields.length, columns.fields.length);
    for (let index = 0; index < width; index++) {
      const field = (there.fields[index] ??= Array.from({ length: before }, () => 0));
      const values = columns.fields[index];
      for (let i = 0; i < columns.at.length; i++) field.push(values?.[i] ?? 0);
    }
  }
}
