/**
 * An id that sorts by its time: a UUIDv7 (RFC 9562, section 5.7) of a time in epoch milliseconds and ten random bytes, of which six bits
 * are replaced by version and variant.
 */
export function newId(now: number, random: Uint8Array): string {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) =>
    i < 6 ? Math.floor(now / 2 ** (8 * (5 - i))) % 256 : (random[i - 6] ?? 0),
  );
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
