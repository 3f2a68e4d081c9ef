/**
 * Whether an admin secret could be guessed. It opens everything, and the server counts wrong ones per isolate only, so a weak one is refused.
 * Linear in its length.
 */

/** A random text of letters and digits of this length has 95 bits. */
const MIN_LENGTH = 16;
/** Without parts of frequent passwords and sequences, this many characters must be left. */
const MIN_UNUSUAL = 12;
/** Different characters, so that no short text is repeated. */
const MIN_DIFFERENT = 8;

/** Parts of the most frequent passwords, rows of a keyboard, and what this product is named. The longer ones come first. */
const COMMON = [
  "qwertyuiop",
  "cloudflare",
  "adminadmin",
  "asdfghjkl",
  "administrator",
  "superuser",
  "changeit",
  "changeme",
  "password",
  "passw0rd",
  "p@ssw0rd",
  "zxcvbnm",
  "welcome",
  "letmein",
  "default",
  "monitor",
  "wrangler",
  "datacat",
  "sunshine",
  "princess",
  "football",
  "iloveyou",
  "dragon",
  "monkey",
  "secret",
  "qwerty",
  "master",
  "worker",
  "server",
  "token",
  "hello",
  "admin",
  "login",
  "123456",
  "pass",
  "root",
  "test",
  "user",
].toSorted((one, other) => other.length - one.length);

/** Why the secret is too weak; undefined if it is not. */
export function weakness(secret: string): string | undefined {
  if (secret.length < MIN_LENGTH) return `it has fewer than ${MIN_LENGTH} characters`;
  if (new Set(secret).size < MIN_DIFFERENT)
    return `it has fewer than ${MIN_DIFFERENT} different characters`;
  const unusual = COMMON.reduce((rest, part) => rest.replaceAll(part, " "), secret.toLowerCase());
  if (lengthWithoutSequences(unusual) < MIN_UNUSUAL)
    return "it consists mostly of parts of frequent passwords, repetitions and sequences such as 1234";
  return undefined;
}

/** Characters that do not continue a repetition or a sequence: "aaaa" and "1234" are one each. */
function lengthWithoutSequences(text: string): number {
  let length = 0;
  let before = Number.NaN;
  let step = Number.NaN;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const next = code - before;
    if (!(Math.abs(next) <= 1 && (next === step || Number.isNaN(step)))) {
      length++;
      step = Number.NaN;
    } else {
      step = next;
    }
    before = code;
  }
  return length;
}
