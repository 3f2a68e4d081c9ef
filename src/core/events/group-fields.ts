/** The list of exception groups: the fields of a query, and what a group has of each. */
import type { RowList, Scalar } from "../query/evaluate.ts";
import { queryList } from "../query/list.ts";
import { GROUP_STATUSES, type GroupStatus } from "../vocabulary.ts";

/** A group as far as it is searched. */
export type SearchedGroup = {
  product: string;
  /** Its own first, then those of the groups that are merged into it. */
  fingerprints: readonly string[];
  type: string;
  message: string;
  place: string;
  /** What texts are looked for in, folded (core/text/fold.ts). */
  search: string;
  sessions: number;
  count: number;
  unhandled: number;
  first_at: number;
  last_at: number;
  status: GroupStatus;
  /** When it first happened again after it was resolved. */
  returned_at: number | null;
  /** The versions of its trend. */
  versions: readonly string[];
};

export const GROUP_LIST = queryList([
  { name: "type", kind: "text", about: "Type of the exception" },
  { name: "exception", kind: "text", about: "Type or fingerprint" },
  { name: "fingerprint", kind: "text", about: "Fingerprint, also of a merged group" },
  { name: "message", kind: "contained", about: "Text in the newest message" },
  { name: "place", kind: "contained", about: "Text in the place in the code" },
  { name: "product", kind: "text", about: "Product" },
  { name: "version", kind: "version", about: "Version that had it; < and > compare versions" },
  { name: "status", kind: "choice", about: "Decision about it", choices: GROUP_STATUSES },
  {
    name: "is",
    kind: "choice",
    about: "Decision, or returned after it was resolved, unhandled, merged of several",
    choices: [...GROUP_STATUSES, "returned", "unhandled", "merged"],
  },
  { name: "sessions", kind: "number", about: "Number of sessions that had it" },
  { name: "count", kind: "number", about: "How often it happened" },
  { name: "unhandled", kind: "number", about: "How often it ended the program or its thread" },
  { name: "first", kind: "time", about: "When it first happened: <7d in the last seven days" },
  { name: "last", kind: "time", about: "When it last happened" },
]);

export const GROUPS: RowList<SearchedGroup> = {
  ...GROUP_LIST,
  valuesOf: (group, field) => {
    switch (field) {
      case "type":
        return [group.type];
      case "exception":
        return [group.type, ...group.fingerprints];
      case "fingerprint":
        return group.fingerprints;
      case "message":
        return [group.message];
      case "place":
        return [group.place];
      case "product":
        return [group.product];
      case "version":
        return group.versions;
      case "status":
        return [standingOf(group)];
      case "is":
        return kindsOf(group);
      default:
        return figureOf(group, field);
    }
  },
  textOf: ({ search }) => search,
};

/** A resolved group that returned is open again. */
function standingOf({ status, returned_at }: SearchedGroup): GroupStatus {
  return returned_at === null ? status : "open";
}

function kindsOf(group: SearchedGroup): string[] {
  const kinds: string[] = [standingOf(group)];
  if (group.returned_at !== null) kinds.push("returned");
  if (group.unhandled > 0) kinds.push("unhandled");
  if (group.fingerprints.length > 1) kinds.push("merged");
  return kinds;
}

function figureOf(group: SearchedGroup, field: string): Scalar[] {
  const { sessions, count, unhandled, first_at: first, last_at: last } = group;
  const figures: { [field: string]: number } = { sessions, count, unhandled, first, last };
  const figure = figures[field];
  return figure === undefined ? [] : [figure];
}
