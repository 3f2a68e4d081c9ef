/** A table of sessions. */
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import type { Child } from "hono/jsx";
import type { ColumnValue } from "../../catalog/columns.ts";
import type { SessionRow } from "../../core/answers/session-row.ts";
import { hasFailed, labelOf } from "../../core/status/outcome.ts";
import type { Matches } from "../../core/answers/found.ts";
import { FoundIn } from "./found.tsx";
import { cellOf, type Column, columnNamed, DEFAULT_COLUMNS } from "../sessions/columns.tsx";
import { Elapsed } from "./time.tsx";

type TableProps = {
  rows: SessionRow[];
  caption: string;
  /** Those after the headline; without them, the default ones. */
  columns?: Column[] | undefined;
  /** What they show, by row and column. */
  values?: ColumnValue[][] | undefined;
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
type Sorting = { sort: string; order: Order; path: (sort: string, order: Order) => string };

const HEADLINE = { name: "status", label: "Session", first: "asc", isNumber: false } as const;

export function SessionTable(props: TableProps) {
  const { rows, caption, values, extra, matches, selectable, sorting } = props;
  const columns = props.columns ?? DEFAULT;
  return (
    <table class={props.columns ? "sessions chosen" : "sessions"}>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {selectable ? (
            <th scope="col">
              <span class="hidden">Compare</span>
            </th>
          ) : null}
          {[HEADLINE, ...columns].map(({ name, label, first, isNumber }) => (
            <th
              scope="col"
              class={isNumber ? "number" : undefined}
              aria-sort={sorting?.sort === name ? ARIA[sorting.order] : undefined}
            >
              {sorting ? (
                <a href={sorting.path(name, nextOrder(sorting, name, first))}>{label}</a>
              ) : (
                label
              )}
            </th>
          ))}
          {extra ? <th scope="col">{nameLabel(extra.title)}</th> : null}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, place) => (
          <>
            <tr>
              <Headline row={row} selectable={selectable} />
              {columns.map((column, index) => (
                <Cell
                  column={column}
                  row={row}
                  value={values?.[place]?.[index]}
                  isChosen={props.columns !== undefined}
                />
              ))}
              {extra ? <td>{extra.cell(row)}</td> : null}
            </tr>
            <FoundRow
              id={row.id}
              matches={matches?.get(row.id)}
              columns={1 + columns.length + (extra ? 1 : 0)}
              selectable={selectable}
            />
          </>
        ))}
      </tbody>
    </table>
  );
}

const DEFAULT = DEFAULT_COLUMNS.flatMap((name) => columnNamed(name) ?? []);

const ARIA = { asc: "ascending", desc: "descending" } as const;

function nextOrder({ sort, order }: Sorting, asked: string, first: Order): Order {
  if (sort !== asked) return first;
  return order === "asc" ? "desc" : "asc";
}

type HeadlineProps = { row: SessionRow; selectable: boolean | undefined };

function Headline({ row, selectable }: HeadlineProps) {
  return (
    <>
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
    </>
  );
}

type CellProps = {
  column: Column;
  row: SessionRow;
  value: ColumnValue | undefined;
  /** The default columns have no classes, because a page has fifty rows: the stylesheet selects them by position. */
  isChosen: boolean;
};

function Cell({ column, row, value = NO_VALUE, isChosen }: CellProps) {
  const { name, label, isNumber } = column;
  return (
    <td
      class={isChosen && isNumber ? "number" : undefined}
      data-label={isChosen ? label : undefined}
      data-some={name === "exceptions" && row.exceptions > 0 ? "" : undefined}
      title={titled(titleOf(name, row))}
    >
      {cellOf(column, row, value)}
    </td>
  );
}

const NO_VALUE: ColumnValue = { of: null };

/** Of a text that may be cut. */
function titleOf(column: string, { product, version, hostname, browser }: SessionRow): string {
  if (column === "product") return `${product} ${version}`;
  return column === "hostname" ? hostname || browser : "";
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
