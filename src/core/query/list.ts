/** A list that can be searched by a query: the fields of its rows. Each list has its own; the grammar is the same. */

export type ValueKind =
  | "text" // compared as a whole, or with *
  | "version" // also by order
  | "contained" // the text contains it
  | "number"
  | "duration" // 500ms, 3s, 5m, 2h, 7d
  | "size" // 10kB, 3MiB
  | "time" // 2026-01-31, 2026-01-31T12:00+01:00, or a duration before now
  | "choice" // one of a list
  | "rank" // one of a list with an order
  | "value"; // what a program recorded: a text, a number, true, false or null

export type FieldInfo = {
  name: string;
  kind: ValueKind;
  /** One line for people. */
  about: string;
  /** Of a choice or a rank. */
  choices?: readonly string[];
  /** What pages show for a choice, if it differs. */
  labels?: { readonly [choice: string]: string };
  /** Of a rank: the place in the order; undefined for a text that has none. */
  rankOf?: (text: string) => number | undefined;
};

/** What stands before a path, a name or a key. */
export type Prefix = { name: PrefixName; about: string };
export type PrefixName = "state" | "ever" | "at_end" | "metric" | "tag" | "data" | "attribute";

export type QueryList = {
  /** By name. */
  fields: ReadonlyMap<string, FieldInfo>;
  prefixes: readonly Prefix[];
};

export function queryList(
  fields: readonly FieldInfo[],
  prefixes: readonly Prefix[] = [],
): QueryList {
  return { fields: new Map(fields.map((field) => [field.name, field])), prefixes };
}
