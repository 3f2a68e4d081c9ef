/** A UUIDv7 (RFC 9562): sorts by the time it was made. */
export function uuidv7(now: number, random = crypto.getRandomValues(new Uint8Array(10))): string {
  const hex = now.toString(16).padStart(12, "0") + random.toHex();
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `7${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join("-");
}
