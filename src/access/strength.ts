/**
 * Whether an admin secret could be guessed. It opens everything, and the server counts wrong ones per isolate only, so a weak one is refused.
 * Linear in its length.
 */

/** A random text of letters and digits of this length has 95 bits. */
const MIN_LENGTH = 16;
/** Without parts of frequent passwords and sequences, this many characters must be left. */
const MIN_UNUSUAL = 12;
/** Different characters: a random text of MIN_LENGTH has some 15. */
const MIN_DIFFERENT = 8;
/** Characters that count as a repetition: random texts and sentences have few that long. */
const REPEATED = 4;

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
  const unusual = COMMON.reduce(
    (rest, part) => rest.replaceAll(part, " "),
    withoutRepetitions(secret.toLowerCase()),
  );
  if (lengthWithoutSequences(unusual) < MIN_UNUSUAL)
    return "it consists mostly of parts of frequent passwords, repetitions and sequences such as 1234";
  return undefined;
}

/** Each part of REPEATED characters that the text has already had is left out: "summer24summer24" is "summer24". */
function withoutRepetitions(text: string): string {
  const seen = new Set<string>();
  let rest = "";
  for (let at = 0; at < text.length;) {
    const part = text.slice(at, at + REPEATED);
    const isRepeated = part.length === REPEATED && seen.has(part);
    const end = at + (isRepeated ? REPEATED : 1);
    if (!isRepeated) rest += text[at];
    for (; at < end; at++) if (at + 1 >= REPEATED) seen.add(text.slice(at + 1 - REPEATED, at + 1));
  }
  return rest;
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
