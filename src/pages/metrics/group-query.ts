/** The sessions of a group as a query, which the list of sessions, the API and the command take. */
import {
  type Grouping,
  groupedPath,
  groupedTag,
  type GroupedSession,
} from "../../core/comparison/grouping.ts";
import { MAX_VALUE_LENGTH } from "../../core/limits.ts";
import { quoted, quotedPath } from "../../core/query/complete.ts";
import { writePath } from "../../core/state/path.ts";

/** Undefined if no query finds exactly these. `session`: one of the group. */
export function groupTerm(
  by: Grouping,
  group: string,
  session: GroupedSession,
): string | undefined {
  const key = groupedTag(by);
  if (key !== undefined) return tagTerm(key, group);
  const path = groupedPath(by);
  if (path) return stateTerm(path, group, session);
  switch (by) {
    case "none":
      return "";
    case "product":
      return `product:${quoted(group)}`;
    case "version":
      return `product:${quoted(session.product)} version:${quoted(session.version)}`;
    case "machine":
      return `machine:${quoted(group)}`;
    case "status":
      return `status:${group === "ended" ? "succeeded" : group}`;
    case "session":
      return `id:${quoted(group)}`;
    case "exit_code":
      return group === "" ? "-has:exit_code" : `exit_code:${group}`;
    case "day":
      return `started:${group}`;
    case "os":
    case "language":
    case "browser":
      return `${by}:${quoted(group)}`;
    default:
      return undefined;
  }
}

/** Keys and values that a query cannot name have no term. */
function tagTerm(key: string, group: string): string | undefined {
  if (!/^[^\s()",:\\*]+$/.test(key)) return undefined;
  if (group === "") return `-tag.${key}`;
  if (group.includes(", ")) return undefined;
  return group === key ? `tag:${quoted(key)}` : `tag.${key}:${quoted(group)}`;
}

function stateTerm(path: string[], group: string, { state }: GroupedSession): string | undefined {
  const name = `state.${quotedPath(writePath(path))}`;
  if (group === "") return `-${name}:*`;
  const [value = "", ...others] = state ?? [];
  // Several values, and a text that was cut, are those of other sessions as well.
  if (others.length > 0 || value.length > MAX_VALUE_LENGTH) return undefined;
  if (value.startsWith('"')) return `${name}:${group.startsWith('"') ? group : quoted(group)}`;
  return /^[-+\d]/.test(group) ? `${name}:=${group}` : `${name}:${group}`;
}
