/** What sessions are grouped by: a field, the value of a tag, or the last value of a path of the state. */
import { readPath } from "../state/path.ts";
import { hasFailed } from "../status/outcome.ts";
import { readTag } from "../text/tag.ts";
import type { Status } from "../vocabulary.ts";

export const GROUP_FIELDS = [
  "none",
  "product",
  "version",
  "machine",
  "status",
  "session",
  "os",
  "language",
  "browser",
  "exit_code",
  "day",
] as const;
type GroupField = (typeof GROUP_FIELDS)[number];
/** As it is written: a field, `tag.KEY`, or `state.PATH` with the path of core/state/path.ts. */
export type Grouping = GroupField | `tag.${string}` | `state.${string}`;

/** What of a session it can be grouped by. What is left out was not read, so that this group is not known. */
export type GroupedSession = {
  id: string;
  product: string;
  version: string;
  created_at: number;
  status?: Status;
  /** It ended, and failed (core/status/outcome.ts). Left out where the next ones are there. */
  failed?: boolean;
  exit_code?: number | null;
  signal?: string | null;
  uncaught?: number;
  failed_tests?: number;
  machine_id?: string;
  hostname?: string;
  os?: string;
  language?: string;
  browser?: string;
  tags?: string[];
  /** The last values of the path that it is grouped by, as core/state/values.ts writes them. Null: not known. */
  state?: string[] | null;
};

/** Undefined if the text names nothing to group by. */
export function readGrouping(text: string): Grouping | undefined {
  const field = GROUP_FIELDS.find((each) => each === text);
  if (field) return field;
  if (isTagGrouping(text)) return text;
  return isStateGrouping(text) && readPath(text.slice(STATE.length)) ? text : undefined;
}

const TAG = "tag.";
const STATE = "state.";

function isTagGrouping(text: string): text is `tag.${string}` {
  return text.startsWith(TAG) && text.length > TAG.length;
}

function isStateGrouping(text: string): text is `state.${string}` {
  return text.startsWith(STATE) && text.length > STATE.length;
}

/** The path whose last value sessions are grouped by; undefined if they are grouped by something else. */
export function groupedPath(by: Grouping): string[] | undefined {
  return isStateGrouping(by) ? readPath(by.slice(STATE.length)) : undefined;
}

/** The key of the tag that they are grouped by. */
export function groupedTag(by: Grouping): string | undefined {
  return isTagGrouping(by) ? by.slice(TAG.length) : undefined;
}

/** The group of each session: "" if it has no such value, null if that is not known. */
export function grouper(by: Grouping): (session: GroupedSession) => string | null {
  const key = groupedTag(by);
  if (key !== undefined) return ({ tags }) => (tags ? valuesOf(tags, key) : null);
  if (isStateGrouping(by)) return ({ state }) => (state ? state.map(plain).join(", ") : null);
  if (by === "version") return versionNames();
  return BY_FIELD[by as keyof typeof BY_FIELD]; // the other kinds are prefixes
}

/** A tag without a value is written as its key, so that it differs from no tag. */
function valuesOf(tags: string[], key: string): string {
  const values = tags.map(readTag).filter((tag) => tag.key === key);
  return values
    .map(({ value }) => value || key)
    .sort()
    .join(", ");
}

/** A value as a query has it: a text in quotes where it would be read as another type. */
function plain(text: string): string {
  const value = text.slice(1);
  return text.startsWith('"') && OTHER_TYPE.test(value) ? JSON.stringify(value) : value;
}
const OTHER_TYPE = /^(null|true|false|[-+]?[\d.]+(e[-+]?\d+)?)$/i;

function outcomeOf(session: GroupedSession): string | null {
  const { status, exit_code = null, signal = null, uncaught = 0, failed_tests = 0 } = session;
  if (status === undefined) return null;
  const { failed = hasFailed({ status, exit_code, signal, uncaught, failed_tests }) } = session;
  return failed ? "failed" : status;
}

/** With the product. Ten thousand sessions have few versions, and finding their names again is faster than making them. */
function versionNames(): (session: GroupedSession) => string {
  const names = new Map<string, Map<string, string>>();
  return ({ product, version }) => {
    let ofProduct = names.get(product);
    if (!ofProduct) names.set(product, (ofProduct = new Map()));
    let name = ofProduct.get(version);
    if (name === undefined) ofProduct.set(version, (name = `${product} ${version}`.trim()));
    return name;
  };
}

const DAY_LENGTH = "2026-01-31".length;

const BY_FIELD: Record<
  Exclude<GroupField, "version">,
  (session: GroupedSession) => string | null
> = {
  none: () => "",
  product: ({ product }) => product,
  machine: ({ hostname, machine_id }) => (hostname || machine_id) ?? null,
  status: outcomeOf,
  session: ({ id }) => id,
  os: ({ os }) => os ?? null,
  language: ({ language }) => language ?? null,
  browser: ({ browser }) => browser ?? null,
  exit_code: ({ exit_code }) => (exit_code === undefined ? null : String(exit_code ?? "")),
  day: ({ created_at }) => new Date(created_at).toISOString().slice(0, DAY_LENGTH),
};

/** The items of each group, and how many sessions are in none because their value is not known. */
export function grouped<Item extends { session: GroupedSession }>(
  items: Item[],
  by: Grouping,
): Map<string, Item[]> {
  const groupOf = grouper(by);
  return groupBy(items, ({ session }) => groupOf(session));
}

/** How many sessions are in no group, because it is not known in which. */
export function ungrouped(items: { session: GroupedSession }[], by: Grouping): number {
  const groupOf = grouper(by);
  const unknown = items.filter(({ session }) => groupOf(session) === null);
  return new Set(unknown.map(({ session }) => session.id)).size;
}

/** Items whose key is null are left out. */
export function groupBy<Item>(
  items: Item[],
  keyOf: (item: Item) => string | null,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
