/**
 * Reads the body of a segment (segment.ts), open or sealed. Inflates and parses only the sections that are asked for, and leaves out
 * those whose checksum does not match.
 */
import type { EventRow } from "../answers/events.ts";
import { isException } from "../events/event.ts";
import { MAX_COLUMNS } from "../limits.ts";
import type { Columns } from "../metrics/columns.ts";
import { ByteReader } from "./bytes.ts";
import { lengthOf, unpack } from "./column.ts";
import type { Contents, StoredOp, StoredState } from "./contents.ts";
import { type Codec, DEFLATED, SECTION, seedOf, testsIn } from "./segment.ts";
import type { TestRow } from "../tests/row.ts";
import type { JsonObject } from "../wire.ts";

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
        const id = kind === SECTION.series ? reader.varint() : undefined;
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
    return this.#json<[number, number, JsonObject, number?, (0 | 1)?, number?]>(SECTION.states).map(
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
    return (this.#events ??= this.#json<EventRow>(SECTION.events));
  }

  tests(): TestRow[] {
    return this.#kinds.has(SECTION.times)
      ? this.#json<TestRow>(SECTION.tests)
      : testsIn(this.events());
  }

  others(): StoredOp[] {
    return this.#json<StoredOp>(SECTION.others);
  }

  heartbeats(): number[] {
    return [...this.#times(SECTION.heartbeats), ...this.#recorded().at];
  }

  /** Heartbeats, apart from those whose time by the program's own clock differs. */
  heartbeatTimes(): Pick<Contents, "heartbeats" | "recorded"> {
    return { heartbeats: this.#times(SECTION.heartbeats), recorded: this.#recorded() };
  }

  #recorded(): Contents["recorded"] {
    const both = this.#read(this.#kinds.get(SECTION.recorded)).map((bytes) => {
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
    const [packed] = this.#read(this.#kinds.get(SECTION.times));
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
    const width = reader.varint();
    if (width > MAX_COLUMNS) throw new RangeError("a series has too many columns");
    const fields = Array.from({ length: width }, () => this.#unpack(reader.section()));
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
