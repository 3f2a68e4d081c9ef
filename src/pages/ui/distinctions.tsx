/** A ranked list of distinctions, each a sentence with its counts and its links, and a statement of what was compared. */
import type { Child } from "hono/jsx";
import type { Distinctions } from "../../catalog/distinctions.ts";
import { type SessionFilter, stateFilter } from "../../catalog/search/filter.ts";
import { subjectOf } from "../../core/comparison/distinction-text.ts";
import type { Distinction } from "../../core/comparison/distinctions.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { readPath } from "../../core/state/path.ts";
import { DISTINCTIONS, MORE_DISTINCTIONS } from "../limits.ts";
import { searchQuery } from "../search.ts";
import { address } from "./address.ts";

type ListProps = {
  items: Distinction[];
  /** What follows the subject: counts, with links. */
  counts: (distinction: Distinction) => Child;
  chance: (distinction: Distinction) => number;
};

/** The first ones, and the others folded. */
export function DistinctionList({ items, counts, chance }: ListProps) {
  const row = (distinction: Distinction) => (
    <li data-change={distinction.change}>
      <strong>{subjectOf(distinction)}</strong> <span>{counts(distinction)}</span>
      <small title="How likely such a difference is by chance">
        {`${chanceText(chance(distinction))} by chance`}
      </small>
    </li>
  );
  const more = items.slice(DISTINCTIONS, DISTINCTIONS + MORE_DISTINCTIONS);
  const left = items.length - DISTINCTIONS - more.length;
  return (
    <>
      <ol class="distinctions">{items.slice(0, DISTINCTIONS).map(row)}</ol>
      {more.length === 0 ? null : (
        <details class="more-distinctions">
          <summary>{formatCount(more.length, "further difference")}</summary>
          <ol class="distinctions">{more.map(row)}</ol>
          {left === 0 ? null : (
            <p class="quiet">{`${formatCount(left, "less unlikely one is", "less unlikely ones are")} not shown`}</p>
          )}
        </details>
      )}
    </>
  );
}

function chanceText(p: number): string {
  const odds = 1 / p;
  return odds > 1e6
    ? "less than 1 in 1,000,000"
    : `1 in ${formatNumber(Math.max(1, Math.floor(odds)))}`;
}

/** What was not compared, and why; null if that is nothing. */
export function notComparedText({
  not_compared: { incomplete, few_others },
}: Distinctions): string | null {
  const parts = [
    incomplete > 0
      ? `${formatNumber(incomplete)} of which there were more values or names than are listed`
      : "",
    few_others > 0 ? `${formatNumber(few_others)} that too few runs have` : "",
  ].filter(Boolean);
  return parts.length === 0 ? null : `Not compared: ${parts.join(", and ")}.`;
}

/** The list of the sessions that pass the filter and have what the distinction is about. Undefined where there is no such search. */
export function searchOf(
  filter: SessionFilter,
  distinction: Distinction,
  query = "",
): string | undefined {
  const { kind, name, value, figure } = distinction;
  const to = (more: SessionFilter) =>
    address(
      "/sessions",
      searchQuery({
        filter: { ...filter, ...more },
        query,
        sort: "created_at",
        order: "desc",
        columns: [],
        unknownColumns: [],
        page: { sort: "created_at", order: "desc" },
        within: undefined,
        metric: undefined,
      }),
    );
  if (figure) return kind === "figure" ? to({ metric: name }) : undefined;
  switch (kind) {
    case "version":
    case "machine":
      return to({ [kind]: value ?? "" });
    case "tag":
    case "event":
    case "exception":
    case "metric":
      return to({ [kind]: name });
    case "state_path":
      return to({ state: stateFilter(readPath(name) ?? []) });
    case "state_value":
      return to({ state: valueFilter(name, value ?? "") });
    default:
      return undefined;
  }
}

/** `text` as core/state/values.ts stores it. */
function valueFilter(path: string, text: string) {
  const keys = readPath(path) ?? [];
  const written = text.slice(1);
  if (text.startsWith('"')) return stateFilter(keys, written, "string");
  const type = written === "null" ? "null" : /^[tf]/.test(written) ? "boolean" : "number";
  return stateFilter(keys, written, type);
}
