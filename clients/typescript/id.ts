/** Ids that sort by the time they were made: UUID version 7 (RFC 9562). */
export function newId(now = Date.now()): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => hex(byte, 8));
  const digits = hex(now, 48) + random.join("");
  return digits.replace(/(.{8})(.{4}).(...).(...)/, "$1-$2-7$3-a$4-");
}

/** Does the server take this as a session's id (src/core/wire.ts)? */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(text);
}

/** All digits of a number of so many bits. */
function hex(value: number, bits: number): string {
  return (value + 2 ** bits).toString(16).slice(1);
}
