/**
 * CRC-32 (IEEE 802.3, as in zlib), four bytes at a time: for a record of a hundred bytes this is faster than a call of zlib, which Node
 * before 22.2 does not have. DataViews instead of typed arrays, because their elements are never undefined for the compiler.
 */
const SLICE_BYTES = 256 * 4;
const TABLE = new DataView(new ArrayBuffer(4 * SLICE_BYTES));
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  TABLE.setInt32(byte * 4, value, true);
}
for (let at = SLICE_BYTES; at < TABLE.byteLength; at += 4) {
  const before = TABLE.getInt32(at - SLICE_BYTES, true);
  TABLE.setInt32(at, (before >>> 8) ^ TABLE.getInt32((before & 0xff) * 4, true), true);
}

/** The checksum of the bytes from `from` up to, without, `to`. */
export function checksum(bytes: DataView, from: number, to: number): number {
  let crc = -1;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    crc ^= bytes.getInt32(i, true);
    crc =
      TABLE.getInt32(3 * SLICE_BYTES + (crc & 0xff) * 4, true) ^
      TABLE.getInt32(2 * SLICE_BYTES + ((crc >>> 8) & 0xff) * 4, true) ^
      TABLE.getInt32(SLICE_BYTES + ((crc >>> 16) & 0xff) * 4, true) ^
      TABLE.getInt32((crc >>> 24) * 4, true);
  }
  for (; i < to; i++) {
    crc = (crc >>> 8) ^ TABLE.getInt32(((crc ^ bytes.getUint8(i)) & 0xff) * 4, true);
  }
  return ~crc >>> 0;
}

/** Writes a number as 8 lower-case hex digits. */
export function writeHex(bytes: DataView, at: number, value: number): void {
  for (let i = at + 7, rest = value; i >= at; i--, rest >>>= 4) {
    const digit = rest & 0xf;
    bytes.setUint8(i, digit < 10 ? 0x30 + digit : 0x57 + digit);
  }
}
