/**
 * The binary format of what a segment holds (contents.ts). Its body is a sequence of sections, each with a kind, a length, a checksum and
 * its bytes. A batch appends its sections to the open segment. Sealing merges them into one section of each kind, deflated.
 * segment-reader.ts reads them.
 *
 *   states      JSON [[seq, at, patch, effective at if it differs, 1 for the initial state, recorded at if it differs], …]
 *   events      JSON [EventRow, …]
 *   others      JSON [{seq, …op}, …] of start, pause, resume, hang, recovered, slept, stacks, attachment, dropped, end, crash
 *   heartbeats  their times
 *   recorded    their times and, in a second column, those by the program's own clock: instead of `heartbeats` where they differ
 *   series      id, then times and columns of one series, and its recorded times if any differs
 *   tests       (sealed only) JSON [TestRow, …] of the events about tests: for lists of tests, without parsing the events
 *   times       (sealed only) times of states, of events and of exceptions: for the timeline, without parsing the ops
 */
import type { EventRow } from "../answers/events.ts";
import { isException } from "../events/event.ts";
import { MIN_DEFLATE_BYTES } from "../limits.ts";
import type { Columns } from "../metrics/columns.ts";
import { ByteWriter, utf8 } from "./bytes.ts";
import { packTimes, packValues } from "./column.ts";
import type { Contents, StoredState } from "./contents.ts";
import { type TestRow, testRow } from "../tests/row.ts";

/** What the runtime computes for this file: core itself imports nothing. */
export type Codec = {
  deflate: (bytes: Uint8Array) => Uint8Array;
  /** Throws a RangeError if the result would have more than `most` bytes. */
  inflate: (bytes: Uint8Array, most?: number) => Uint8Array;
  /** CRC-32; `seed` is the checksum of the bytes before. */
  checksum: (bytes: Uint8Array, seed?: number) => number;
};

/** The kinds of sections, as above. */
export const SECTION = {
  states: 1,
  events: 2,
  others: 3,
  heartbeats: 4,
  series: 5,
  times: 6,
  recorded: 7,
  tests: 8,
} as const;

/** Added to the kind of a section that is deflated. */
export const DEFLATED = 0x80;

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
    section(SECTION.states, utf8(JSON.stringify(contents.states.map(packState))));
  if (contents.events.length > 0) section(SECTION.events, utf8(JSON.stringify(contents.events)));
  if (contents.others.length > 0) section(SECTION.others, utf8(JSON.stringify(contents.others)));
  if (contents.heartbeats.length > 0) section(SECTION.heartbeats, packTimes(contents.heartbeats));
  if (contents.recorded.at.length > 0) section(SECTION.recorded, packRecorded(contents.recorded));
  for (const [id, columns] of contents.series) section(SECTION.series, packColumns(columns), id);
  const tests = sealing ? testsIn(contents.events) : [];
  if (tests.length > 0) section(SECTION.tests, utf8(JSON.stringify(tests)));
  if (sealing && contents.states.length + contents.events.length > 0)
    section(SECTION.times, packOverview(contents));
  return writer.finish();
}

export function testsIn(events: EventRow[]): TestRow[] {
  return events.flatMap((event) => testRow(event) ?? []);
}

/** The checksum of a section's bytes starts from its kind and series, so that these are protected as well. */
export function seedOf(byte: number, id = 0): number {
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
  writer.varint(fields.length);
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
