/** Ids that sort by the time they were made: UUID version 7 (RFC 9562). */
export function newId(now: number): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(10)), hex).join("");
  const time = now.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-a${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

/** Does the server take this as a session's id (src/core/wire.ts)? */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(text);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
