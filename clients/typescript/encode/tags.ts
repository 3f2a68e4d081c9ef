/** Tags as a program passes them, as the texts that are recorded (clients/README.md, "Tags"). */

/** Of an entry `key:value`. With true, null or "" the key has no value; an undefined one is no tag. */
export type TagValue = string | number | bigint | boolean | null | undefined;

/** A list of `key:value` and of keys, or an object of values by key. At most 64 texts of at most 256 characters. */
export type Tags = readonly string[] | { readonly [key: string]: TagValue };

/** The tags as texts, not yet cut to their limits. One text is a list of one; other values are no tags. */
export function tagTexts(tags: Tags | undefined): readonly string[] {
  if (Array.isArray(tags)) return tags;
  if (typeof tags === "string") return [tags];
  const texts: string[] = [];
  try {
    for (const key of Object.keys(tags ?? {})) {
      const value = (tags as { [key: string]: TagValue })[key]; // as: the list and the text were above
      if (value === undefined) continue;
      texts.push(value === true || value === null || value === "" ? key : `${key}:${value}`);
    }
  } catch {
    // A getter that throws, or a value without a text: the tags before it are kept.
  }
  return texts;
}
