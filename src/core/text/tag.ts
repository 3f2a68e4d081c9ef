/**
 * Tags: what a session, a series or an event is found, grouped and coloured by. On the wire and in storage a tag is a text: `key:value`, or
 * a key without a value. This is the only definition of how it divides; the clients write by it (test/fixtures/lanes/tags.json).
 */

/** A tag without a value has "". */
export type Tag = { key: string; value: string };

/**
 * Divides a tag at its first colon. What is before is the key unless it is empty or has only digits, as in a time: `12:30` is a key without
 * a value. The value may have colons: `url:https://a.example` has the key `url`, and `https://a.example` the key `https`.
 */
export function readTag(text: string): Tag {
  const colon = text.indexOf(":");
  const key = text.slice(0, Math.max(0, colon));
  return isTagKey(key) ? { key, value: text.slice(colon + 1) } : { key: text, value: "" };
}

/** The text of a tag. It is read again as this key and value if the key has no colon and not only digits. */
export function writeTag({ key, value }: Tag): string {
  return value === "" ? key : `${key}:${value}`;
}

/** Whether one of the tags is the one that is asked for: by its whole text, or by its key whatever its value is. */
export function hasTag(tags: readonly string[], asked: string): boolean {
  return tags.some((text) => text === asked || readTag(text).key === asked);
}

/** Whether a text before the first colon is a key. */
function isTagKey(text: string): boolean {
  return /[^0-9]/.test(text);
}
