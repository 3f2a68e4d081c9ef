/** The texts in the tags, the data and the exception's attributes of an event: what a search through all sessions looks through of them. */
import type { EventRow } from "../answers/events.ts";
import { MAX_NAME_LENGTH } from "../limits.ts";
import { writePath } from "../state/path.ts";
import type { Json } from "../wire.ts";

type Described = Pick<EventRow, "data" | "attributes" | "labels" | "causes">;

/** Answers whether to go on. `path`: valid until it returns. */
type Visit = (text: string, path: readonly string[]) => boolean;

/**
 * Visits each text that is not empty, with its path: `data` or `attribute` and the keys, or `tag`. The texts of a list have the
 * path of the list. Numbers are left out: they mostly differ from event to event.
 */
export function visitTexts({ data, attributes, labels, causes }: Described, visit: Visit): void {
  const isDone =
    labels?.some((text) => text !== "" && !visit(text, ["tag"])) ||
    (data && !visitIn(data, ["data"], visit));
  if (isDone) return;
  for (const of of [{ attributes }, ...(causes ?? [])])
    if (of.attributes && !visitIn(of.attributes, ["attribute"], visit)) return;
}

/** The path as a query for events has it. */
export function nameOfPath(path: readonly string[]): string {
  return writePath(path).slice(0, MAX_NAME_LENGTH);
}

export function textsInData(described: Described): string[] {
  const texts: string[] = [];
  visitTexts(described, (text) => texts.push(text) > 0);
  return texts;
}

function visitIn(value: Json, path: string[], visit: Visit): boolean {
  if (typeof value === "string") return value === "" || visit(value, path);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every((item) => visitIn(item, path, visit));
  for (const key of Object.keys(value)) {
    path.push(key);
    const goesOn = visitIn(value[key] ?? null, path, visit);
    path.pop();
    if (!goesOn) return false;
  }
  return true;
}
