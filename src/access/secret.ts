/** Comparing and hashing secrets without telling, by the time it takes, how much of one was right. */

/** Hashes first, because timing-safe comparison wants equal lengths, and lengths are telling too. */
export async function isSame(given: string, known: string): Promise<boolean> {
  const [a, b] = await Promise.all([digest(given), digest(known)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

/** Whether `given` is what has this SHA-256 (hex). */
export async function hasDigest(given: string, sha256: string): Promise<boolean> {
  const known = Uint8Array.fromHex(sha256);
  const asked = new Uint8Array(await digest(given));
  return known.length === asked.length && crypto.subtle.timingSafeEqual(asked, known);
}

export async function sha256Hex(text: string): Promise<string> {
  return new Uint8Array(await digest(text)).toHex();
}

async function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
