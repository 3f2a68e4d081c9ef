/**
 * Lossless compression of columns of numbers, as a preparation for deflate.
 *
 * Most recorded numbers are short decimals (59.94, 1024, 12.5): such a column is scaled to integers, and the differences of
 * neighbours are stored as zigzag varints. This is the idea of ALP (Afroozeh, Kuffó, Boncz: "ALP: Adaptive Lossless
 * Floating-Point Compression", 2023) without its exceptions: a column that does not scale is stored as bits, each value XORed with
 * the one before, and split into eight planes by byte, so that bytes which rarely change are adjacent.
 *
 * Times are stored as differences of differences: points at a constant interval are a row of zeros.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { MAX_VALUES_PER_BYTE } from "../limits.ts";

const CONSTANT = 0;
const DECIMAL = 1;
const DELTA_OF_DELTA = 2; // integers
const BITS = 3;

const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];
/** Limit of scaled values: the zigzag code of a difference of differences must stay below 2^53. */
const MAX_SCALED = 2 ** 49;

export function packValues(values: ArrayLike<number>): Uint8Array {
  if (values.length === 0) return header(0);
  if (isConstant(values)) {
    const writer = new ByteWriter(24);
    writer.varint(values.length);
    writer.byte(CONSTANT);
    writer.float(values[0] ?? 0);
    return writer.finish();
  }

  const digits = decimalDigits(values);
  if (digits < 0) {
    const writer = new ByteWriter(values.length * 8 + 16);
    writer.varint(values.length);
    writer.byte(BITS);
    writeBits(writer, values);
    return writer.finish();
  }

  const scale = POWERS[digits] ?? 1;
  const packed = header(values.length, DECIMAL, digits);
  const bytes = withSpaceFor(packed, values.length);
  let end = packed.length;
  let previous = 0;
  for (let i = 0; i < values.length; i++) {
    const scaled = Math.round((values[i] ?? 0) * scale);
    end = writeZigzag(bytes, end, scaled - previous);
    previous = scaled;
  }
  return bytes.slice(0, end);
}

export function packTimes(times: ArrayLike<number>): Uint8Array {
  for (let i = 0; i < times.length; i++) {
    const time = times[i] ?? 0;
    if (!Number.isInteger(time) || Math.abs(time) >= MAX_SCALED) return packValues(times);
  }
  const packed = header(times.length, DELTA_OF_DELTA);
  const bytes = withSpaceFor(packed, times.length);
  let end = packed.length;
  let previous = 0;
  let step = 0;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] ?? 0;
    end = writeZigzag(bytes, end, time - previous - step);
    step = i === 0 ? 0 : time - previous; // the first difference is the time since 1970
    previous = time;
  }
  return bytes.slice(0, end);
}

/** How many values a column has. */
export function lengthOf(bytes: Uint8Array): number {
  return new ByteReader(bytes).varint();
}

export function unpack(bytes: Uint8Array): Float64Array {
  const reader = new ByteReader(bytes);
  const length = reader.varint();
  if (length > bytes.length * MAX_VALUES_PER_BYTE)
    throw new RangeError("a column is longer than its bytes allow"); // damaged
  const values = new Float64Array(length);
  if (length === 0) return values;

  switch (reader.byte()) {
    case CONSTANT:
      return values.fill(reader.float());
    case DECIMAL: {
      const scale = POWERS[reader.byte()] ?? 1;
      readZigzags(reader, values);
      let scaled = 0;
      for (let i = 0; i < length; i++) values[i] = (scaled += values[i] ?? 0) / scale;
      return values;
    }
    case DELTA_OF_DELTA: {
      readZigzags(reader, values);
      let time = 0;
      let step = 0;
      for (let i = 0; i < length; i++) {
        const next = time + step + (values[i] ?? 0);
        step = i === 0 ? 0 : next - time;
        values[i] = time = next;
      }
      return values;
    }
    case BITS:
      readBits(reader, values);
      return values;
    default:
      throw new RangeError("a column has an unknown kind");
  }
}

function isConstant(values: ArrayLike<number>): boolean {
  const first = values[0];
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return false;
  return true;
}

/** The number of decimal digits that restores every value exactly, or -1. */
function decimalDigits(values: ArrayLike<number>): number {
  let digits = 0;
  let raisedAt = 0;
  for (let i = 0; i < values.length; i++) {
    while (!scalesBack(values[i] ?? 0, digits)) {
      if (++digits >= POWERS.length) return -1;
      raisedAt = i;
    }
  }
  // With more digits, an earlier, larger value may exceed the limit.
  for (let i = 0; i < raisedAt; i++) if (!scalesBack(values[i] ?? 0, digits)) return -1;
  return digits;
}

function scalesBack(value: number, digits: number): boolean {
  const scale = POWERS[digits] ?? 1;
  const scaled = Math.round(value * scale);
  return scaled / scale === value && Math.abs(scaled) < MAX_SCALED && !Object.is(value, -0);
}

function header(length: number, ...kind: number[]): Uint8Array {
  const writer = new ByteWriter(16);
  writer.varint(length);
  for (const byte of kind) writer.byte(byte);
  return writer.finish();
}

/** The header, followed by space for `count` varints below 2^53. */
function withSpaceFor(start: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(start.length + count * 8);
  bytes.set(start);
  return bytes;
}

/** Writes a signed integer as an unsigned varint (0, -1, 1, -2…) and returns its end. Without ByteWriter: ingestion spends most time here. */
function writeZigzag(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  if (value >= -0x40000000 && value < 0x40000000) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    return at;
  }
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}

/** Reads what writeZigzag wrote. Without ByteReader's varint: a chart of a long session reads millions. */
function readZigzags(reader: ByteReader, values: Float64Array): void {
  const bytes = reader.remaining();
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    let byte = bytes[at++] ?? 0;
    let value = byte & 0x7f;
    let scale = 0x80;
    while (byte >= 0x80) {
      byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    values[i] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  if (at > bytes.length) throw new RangeError("a column ends within a number");
}

function writeBits(writer: ByteWriter, values: ArrayLike<number>): void {
  const words = new Uint32Array(Float64Array.from(values).buffer);
  for (let i = words.length - 1; i >= 2; i--) words[i] = (words[i] ?? 0) ^ (words[i - 2] ?? 0);
  for (let plane = 7; plane >= 0; plane--) {
    const half = plane >> 2;
    const shift = (plane & 3) * 8;
    for (let i = half; i < words.length; i += 2) writer.byte(((words[i] ?? 0) >>> shift) & 0xff);
  }
}

function readBits(reader: ByteReader, values: Float64Array): void {
  const words = new Uint32Array(values.buffer);
  for (let plane = 7; plane >= 0; plane--) {
    const half = plane >> 2;
    const shift = (plane & 3) * 8;
    const bytes = reader.bytes(values.length);
    for (let i = 0; i < bytes.length; i++)
      words[i * 2 + half] = (words[i * 2 + half] ?? 0) | ((bytes[i] ?? 0) << shift);
  }
  for (let i = 2; i < words.length; i++) words[i] = (words[i] ?? 0) ^ (words[i - 2] ?? 0);
}
