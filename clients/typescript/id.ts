/** Ids that sort by the time they were made: UUID version 7 (RFC 9562). */
export function newId(now: number): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(10)), hex).join("");
  const digits = `${now.toString(16).padStart(12, "0")}7${random.slice(0, 3)}a${random.slice(3, 18)}`;
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
