/**
 * An id that sorts by its time: a UUIDv7 (RFC 9562, section 5.7) of a time in epoch milliseconds and ten random bytes, of which six bits
 * are replaced by version and variant. It is short because the client for pages contains it.
 */
export function newId(now: number, random: Uint8Array): string {
  const bytes = Array.from(random, (byte, i) =>
    hex(i === 0 ? (byte & 0x0f) | 0x70 : i === 2 ? (byte & 0x3f) | 0x80 : byte, 8),
  );
  return (hex(now, 48) + bytes.join("")).replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The hexadecimal digits of a number of `bits` bits, with leading zeros. */
function hex(value: number, bits: number): string {
  return (value + 2 ** bits).toString(16).slice(1);
}
