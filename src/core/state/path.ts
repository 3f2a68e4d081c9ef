/**
 * A path in the state as text: its keys joined by dots. In a key, a backslash stands before each dot and backslash, so that every path has
 * a text of its own: `{"v1.2": {"a": 1}}` has the path `v1\.2.a`. One also stands before a `[` at the start, because a JSON list of the keys
 * is read as well, `["v1.2","a"]`. A key of a list is its index, from 0.
 */
export function writePath(keys: readonly string[]): string {
  const text = keys.map(escaped).join(".");
  return text.startsWith("[") ? `\\${text}` : text;
}

/** The text of a key within a path. */
export function escaped(key: string): string {
  return key.replaceAll(/[\\.]/g, (character) => `\\${character}`);
}

/** The keys of a path. Undefined for text that begins as a JSON list and is none of strings. */
export function readPath(text: string): string[] | undefined {
  return text.startsWith("[") ? readList(text) : readDotted(text);
}

function readList(text: string): string[] | undefined {
  try {
    const keys: unknown = JSON.parse(text);
    const isPath = Array.isArray(keys) && keys.length > 0;
    return isPath && keys.every((key) => typeof key === "string") ? keys : undefined;
  } catch {
    return undefined;
  }
}

function readDotted(text: string): string[] {
  const keys = [""];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === ".") keys.push("");
    else
      keys[keys.length - 1] +=
        character === "\\" && at + 1 < text.length ? text.charAt(++at) : character;
  }
  return keys;
}

/** A key that may be the index of a list. */
export function isIndex(key: string): boolean {
  return /^(0|[1-9]\d{0,14})$/.test(key);
}
