/** A table of sessions. */
import { isOngoing } from "../../core/session/duration.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { formatDuration, formatNumber } from "../../core/text/format.ts";
import type { Child } from "hono/jsx";
import type { SessionSort } from "../../catalog/search/sessions.ts";
import type { SessionRow } from "../../core/answers.ts";
import { hasFailed, labelOf } from "../../core/status/outcome.ts";
import type { Matches } from "../../catalog/search/matches.ts";
import { FoundIn } from "./found.tsx";
import { Elapsed, Time } from "./time.tsx";

type TableProps = {
  rows: SessionRow[];
  caption: string;
  /** A last column, for example a metric's sparkline. */
  extra?: { title: string; cell: (row: SessionRow) => Child } | undefined;
  /** Makes the column headers links that sort. */
  sorting?: Sorting | undefined;
  /** What a search found in each session, by its id. */
  matches?: Map<string, Matches> | undefined;
  /** Adds checkboxes named `ids`, for the form around the table. */
  selectable?: boolean | undefined;
};

type Order = "asc" | "desc";
type Sorting = {
  sort: SessionSort;
  order: Order;
  path: (sort: SessionSort, order: Order) => string;
};

/** The columns: label, sort key, first order. */
const COLUMNS: [label: string, sort: SessionSort, first: Order, isNumber?: boolean][] = [
  ["Session", "status", "asc"],
  ["Product", "product", "asc"],
  ["Started", "created_at", "desc"],
  ["Ran for", "ran_ms", "desc", true],
  ["Machine", "hostname", "asc"],
  ["Events", "events", "desc", true],
  ["Exceptions", "exceptions", "desc", true],
  ["Points", "points", "desc", true],
];

export function SessionTable({ rows, caption, extra, matches, selectable, sorting }: TableProps) {
  const columns = COLUMNS.length + (extra ? 1 : 0);
  return (
    <table class="sessions">
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {selectable ? (
            <th scope="col">
              <span class="hidden">Compare</span>
            </th>
          ) : null}
          {COLUMNS.map(([label, sort, first, isNumber]) => (
            <th
              scope="col"
              class={isNumber ? "number" : undefined}
              aria-sort={sorting?.sort === sort ? ARIA[sorting.order] : undefined}
            >
              {sorting ? (
                <a href={sorting.path(sort, nextOrder(sorting, sort, first))}>{label}</a>
              ) : (
                label
              )}
            </th>
          ))}
          {extra ? <th scope="col">{nameLabel(extra.title)}</th> : null}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <>
            <Row
              row={row}
              extra={extra?.cell(row)}
              hasExtra={extra !== undefined}
              selectable={selectable}
            />
            <FoundRow
              id={row.id}
              matches={matches?.get(row.id)}
              columns={columns}
              selectable={selectable}
            />
          </>
        ))}
      </tbody>
    </table>
  );
}

const ARIA = { asc: "ascending", desc: "descending" } as const;

function nextOrder({ sort, order }: Sorting, asked: SessionSort, first: Order): Order {
  if (sort !== asked) return first;
  return order === "asc" ? "desc" : "asc";
}

type RowProps = {
  row: SessionRow;
  extra: Child;
  hasExtra: boolean;
  selectable?: boolean | undefined;
};

/** A row has no classes, because a page has fifty rows; the stylesheet selects columns by position. */
function Row({ row, extra, hasExtra, selectable }: RowProps) {
  return (
    <tr>
      {selectable ? (
        <td>
          <input type="checkbox" name="ids" value={row.id} aria-label="Compare" />
        </td>
      ) : null}
      <th scope="row">
        <a
          href={`/sessions/${row.id}`}
          data-status={row.status}
          data-failed={hasFailed(row) ? "" : undefined}
        >
          {plainText(row.headline) || labelOf(row)}
        </a>
        {row.status === "hung" ? (
          <small>
            {" "}
            for <Elapsed ms={row.status_ms} />
          </small>
        ) : null}
        {row.unsure ? <span class="tag">maybe</span> : null}
        {row.damaged > 0 ? <span class="tag">damaged</span> : null}
      </th>
      <td title={titled(`${row.product} ${row.version}`)}>
        {nameLabel(row.product, "unnamed")} <small>{plainText(row.version)}</small>
      </td>
      <td>
        <Time at={row.created_at} show="age" />
      </td>
      <td>{isOngoing(row.status) ? <Elapsed ms={row.ran_ms} /> : formatDuration(row.ran_ms)}</td>
      <td title={titled(row.hostname || row.browser)}>
        {nameLabel(row.hostname || row.browser || row.machine_id.slice(0, 8), "")}
      </td>
      <td>{formatNumber(row.events)}</td>
      <td data-some={row.exceptions > 0 ? "" : undefined}>
        {row.exceptions === 0 ? "–" : formatNumber(row.exceptions)}
      </td>
      <td>{formatNumber(row.points)}</td>
      {hasExtra ? <td>{extra}</td> : null}
    </tr>
  );
}

type FoundProps = {
  id: string;
  matches: Matches | undefined;
  columns: number;
  selectable: boolean | undefined;
};

function FoundRow({ id, matches, columns, selectable }: FoundProps) {
  if (!matches || matches.found.length + matches.elsewhere.length === 0) return null;
  return (
    <tr>
      {selectable ? <td /> : null}
      <td colspan={columns}>
        <FoundIn id={id} matches={matches} />
      </td>
    </tr>
  );
}

/** The full text as a tooltip, if it may be cut. */
export function titled(text: string): string | undefined {
  return text.length > SHOWN_LENGTH ? plainText(text) : undefined;
}

const SHOWN_LENGTH = 20;
