/**
 * Tags: what a session, a series or an event is found, grouped and coloured by. On the wire and in storage a tag is a text: `key:value`, or
 * a key without a value. This is the only definition of how it divides; the clients write by it (test/fixtures/lanes/tags.json).
 */

/** A tag without a value has "". */
type Tag = { key: string; value: string };

/**
 * Divides a tag at its first colon. What is before is the key unless it is empty or has only digits, as in a time: `12:30` is a key without
 * a value. The value may have colons: `url:https://a.example` has the key `url`, and `https://a.example` the key `https`.
 */
export function readTag(text: string): Tag {
  const colon = text.indexOf(":");
  const key = text.slice(0, Math.max(0, colon));
  return isTagKey(key) ? { key, value: text.slice(colon + 1) } : { key: text, value: "" };
}

/** Of an entry `key:value`. With true, null or "" the key has no value; an undefined one is no tag. */
export type TagValue = string | number | bigint | boolean | null | undefined;

/** A list of `key:value` and of keys, or an object of values by key. At most 64 texts of at most 256 characters. */
export type Tags = readonly string[] | { readonly [key: string]: TagValue };

/** The text of a tag. It is read again as this key and value if the key has no colon and not only digits. */
export function writeTag(key: string, value: TagValue): string {
  return value === true || value === null || value === "" ? key : `${key}:${value}`;
}

/** The tags as texts, not yet cut to their limits. One text is a list of one; other values are no tags. */
export function tagTexts(tags: Tags | undefined): readonly string[] {
  if (Array.isArray(tags)) return tags;
  if (typeof tags === "string") return [tags];
  const texts: string[] = [];
  try {
    for (const key of Object.keys(tags ?? {})) {
      const value = (tags as { [key: string]: TagValue })[key]; // as: the list and the text were above
      if (value !== undefined) texts.push(writeTag(key, value));
    }
  } catch {
    // A getter that throws, or a value without a text: the tags before it are kept.
  }
  return texts;
}

/** The tags of a list in one text, as DATACAT_TAGS has them: separated by commas. */
export function tagsIn(list: string | undefined): string[] {
  return (list ?? "")
    .split(",")
    .map((tag) => tag.trim())
    .filter(Boolean);
}

/** Whether one of the tags is the one that is asked for: by its whole text, or by its key whatever its value is. */
export function hasTag(tags: readonly string[], asked: string): boolean {
  return tags.some((text) => text === asked || readTag(text).key === asked);
}

/** Whether a text before the first colon is a key. */
function isTagKey(text: string): boolean {
  return /[^0-9]/.test(text);
}
