/** Page tokens: a place in a sorted list (sort value and id) and the direction in which the list continues, as opaque text. */
import * as v from "valibot";
import { Refusal } from "../core/refusal.ts";

export type Cursor = { list: string; value: string | number; id: string; backwards: boolean };

const Shape = v.tuple([v.string(), v.union([v.string(), v.number()]), v.string(), v.boolean()]);

export function writeCursor({ list, value, id, backwards }: Cursor): string {
  const bytes = new TextEncoder().encode(JSON.stringify([list, value, id, backwards]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Refuses what writeCursor did not write for this list. */
export function readCursor(text: string, list: string): Cursor {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
      char.charCodeAt(0),
    );
    const [of, value, id, backwards] = v.parse(Shape, JSON.parse(new TextDecoder().decode(bytes)));
    if (of === list) return { list, value, id, backwards };
  } catch {
    // Falls through: every malformed cursor gets the same answer.
  }
  throw new Refusal("invalid_query", "The cursor is not one of this list: start again without it.");
}
