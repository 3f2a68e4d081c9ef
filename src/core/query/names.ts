/** What the name of a field stands for, and the field that someone may have meant. */
import { readPath } from "../state/path.ts";
import { FIGURES, figureNamed } from "./fields.ts";
import type { FieldInfo, PrefixName, QueryList } from "./list.ts";
import type { Field } from "./tree.ts";

type Named = { field: Field; info: FieldInfo };

const VALUE: FieldInfo = { name: "", kind: "value", about: "" };
const FIGURE: FieldInfo = { name: "metric", kind: "number", about: "" };
const TAG: FieldInfo = { name: "tag", kind: "text", about: "" };

/** The field of a name; undefined if the list has none. */
export function fieldNamed(name: string, list: QueryList): Named | undefined {
  const plain = list.fields.get(name.toLowerCase());
  if (plain) return { field: { kind: "plain", name: plain.name }, info: plain };
  const dot = name.indexOf(".");
  if (dot < 0) return undefined;
  const [start, rest] = [name.slice(0, dot), name.slice(dot + 1)];
  const prefix = list.prefixes.find((each) => each.name === start)?.name;
  if (rest === "") return undefined;
  switch (prefix) {
    case "state":
    case "ever":
    case "at_end": {
      const path = readPath(rest);
      return path && { field: { kind: "state", when: prefix, path }, info: VALUE };
    }
    case "metric": {
      const figure = figureNamed(rest);
      if (!figure) return undefined;
      const metric = unescaped(figure.metric);
      return { field: { kind: "metric", metric, statistic: figure.statistic }, info: FIGURE };
    }
    case "tag":
      return { field: { kind: "tag", key: unescaped(rest) }, info: TAG };
    case "data":
    case "attribute": {
      const path = readPath(rest);
      return path && { field: { kind: "plain", name: prefix, path }, info: VALUE };
    }
    default:
      return undefined;
  }
}

/** A backslash stands before any character that would mean something else. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}

/** Why there is no such field, and what may have been meant. */
export function unknownField(name: string, { fields, prefixes }: QueryList): string {
  const shown = name.slice(0, 60);
  const [start = ""] = name.split(".");
  const prefix = prefixes.find((each) => each.name === start);
  if (prefix?.name === "metric" && name.length > "metric.".length)
    return `A metric is compared by one of its figures, as metric.fps.mean: ${FIGURES.join(", ")}`;
  if (prefix) return `A name follows ${start} and a dot. ${prefix.about}`;
  const below = BELOW.filter((each) => prefixes.some((known) => known.name === each));
  const names = prefixes.map((each) => each.name);
  const nearStart = start === name ? undefined : nearest(start.toLowerCase(), names);
  const near = nearStart
    ? nearStart + shown.slice(start.length)
    : nearest(shown.toLowerCase(), [...fields.keys()]);
  const meant = near === undefined ? below.map((each) => `${each}.${shown}`) : [near];
  const question = meant.length === 0 ? "" : ` Did you mean ${meant.join(" or ")}?`;
  return `There is no field ${shown}.${question} A text with a colon is written in quotes`;
}

/** What programs name as they like: any name may be one of theirs. */
const BELOW: readonly PrefixName[] = ["tag", "state", "data"];

/** The name that differs in the fewest letters, at most a third of them. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    const distance = distanceOf(text, name);
    if (
      distance <= Math.max(1, Math.floor(name.length / 3)) &&
      distance < (best?.distance ?? Infinity)
    )
      best = { name, distance };
  }
  return best?.name;
}

/** Levenshtein's distance: letters added, removed or replaced. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
