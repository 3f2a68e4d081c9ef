/** What a list of sessions is sorted by: a column, or something that sessions have recorded, named as in a query. */
import { readPath } from "../state/path.ts";
import { figureNamed } from "./fields.ts";

/** Columns of every session. */
export const SORT_COLUMNS = [
  "created_at",
  "updated_at",
  "received_at",
  "ended_at",
  "ran_ms",
  "status",
  "product",
  "version",
  "hostname",
  "machine_id",
  "browser",
  "os",
  "language",
  "headline",
  "events",
  "exceptions",
  "uncaught",
  "states",
  "points",
  "series",
  "attachments",
  "tests",
  "failed_tests",
  "exit_code",
  "signal",
  "bytes",
] as const;

export type Sort =
  | { kind: "column"; name: string }
  /** A figure of the session's first series of the metric (FIGURES in fields.ts). */
  | { kind: "metric"; metric: string; statistic: string }
  /** How many events of the name it has. */
  | { kind: "event"; name: string }
  /** The value that the path has now, or had last. */
  | { kind: "state"; path: string[] }
  | { kind: "tag"; key: string };

/**
 * `events`, `metric.fps.p95`, `event.door_opened`, `state.window.active`, `tag.branch`: what follows the first dot is the name.
 * Undefined if it is none of these.
 */
export function readSort(text: string): Sort | undefined {
  if ((SORT_COLUMNS as readonly string[]).includes(text)) return { kind: "column", name: text };
  const dot = text.indexOf(".");
  const [kind, name] = [text.slice(0, Math.max(0, dot)), text.slice(dot + 1)];
  if (name === "") return undefined;
  switch (kind) {
    case "event":
      return { kind, name };
    case "tag":
      return { kind, key: name };
    case "state": {
      const path = readPath(name);
      return path && { kind, path };
    }
    case "metric": {
      const figure = figureNamed(name);
      return figure && { kind, ...figure };
    }
    default:
      return undefined;
  }
}
