/** Makes, compares and hashes secrets. The time it takes does not depend on how much of one is right. */

/** Hashes first: timing-safe comparison needs equal lengths, and the time must not depend on the length either. */
export async function isSame(secret: string, known: string): Promise<boolean> {
  const [a, b] = await Promise.all([digest(secret), digest(known)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

/** Whether this is the SHA-256 (hex) of the secret. */
export async function hasSha256(secret: string, sha256: string): Promise<boolean> {
  const known = Uint8Array.fromHex(sha256);
  const asked = new Uint8Array(await digest(secret));
  return known.length === asked.length && crypto.subtle.timingSafeEqual(asked, known);
}

export async function sha256Hex(text: string): Promise<string> {
  return new Uint8Array(await digest(text)).toHex();
}

/** HMAC-SHA-256, base64url. */
export async function hmac(key: string, text: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, [
    "sign",
  ]);
  return base64url(
    new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text))),
  );
}

/** Random bytes, base64url. */
export function randomText(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

async function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
