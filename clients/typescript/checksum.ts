/** CRC-32 (IEEE 802.3, as in zlib) in JavaScript: for a hundred bytes it is quicker than a call into zlib, and old Nodes have it too. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum of bytes from..to, as 8 hex digits. */
export function checksum(bytes: Uint8Array, from: number, to: number): string {
  let crc = -1;
  for (let i = from; i < to; i++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}
