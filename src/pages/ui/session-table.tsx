/** Sessions as rows: what each is, how it goes, what is in it. */
import type { Child } from "hono/jsx";
import type { SessionRow } from "../../catalog/index.ts";
import { digits } from "./quantity.ts";
import { STATUS_WORDS } from "./status.tsx";
import { duration, Time } from "./time.tsx";

type TableProps = {
  rows: SessionRow[];
  caption: string;
  /** Draws a last column, for example a metric's strip. */
  extra?: { head: string; cell: (row: SessionRow) => Child } | undefined;
  /** With boxes to tick, named `ids`, for the form around the table. */
  selectable?: boolean | undefined;
};

export function SessionTable({ rows, caption, extra, selectable }: TableProps) {
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
          <th scope="col">Session</th>
          <th scope="col">Product</th>
          <th scope="col">Started</th>
          <th scope="col" class="number">
            Ran for
          </th>
          <th scope="col">Machine</th>
          <th scope="col" class="number">
            Events
          </th>
          <th scope="col" class="number">
            Exceptions
          </th>
          <th scope="col" class="number">
            Points
          </th>
          {extra ? <th scope="col">{extra.head}</th> : null}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row
            row={row}
            extra={extra?.cell(row)}
            hasExtra={extra !== undefined}
            selectable={selectable}
          />
        ))}
      </tbody>
    </table>
  );
}

type RowProps = {
  row: SessionRow;
  extra: Child;
  hasExtra: boolean;
  selectable?: boolean | undefined;
};

/** As little markup as it takes: there are fifty on a page, and the stylesheet knows the columns. */
function Row({ row, extra, hasExtra, selectable }: RowProps) {
  const isOpen = row.status === "active";
  return (
    <tr>
      {selectable ? (
        <td>
          <input type="checkbox" name="ids" value={row.id} aria-label="Compare" />
        </td>
      ) : null}
      <th scope="row">
        <a href={`/sessions/${row.id}`} data-status={row.status}>
          {row.headline || STATUS_WORDS[row.status]}
        </a>
        {row.unsure ? <span class="tag">maybe</span> : null}
      </th>
      <td>
        {row.product || "unnamed"} <small>{row.version}</small>
      </td>
      <td>
        <Time at={row.created_at} show="age" />
      </td>
      <td data-since={isOpen ? row.created_at : undefined}>
        {duration((row.ended_at ?? row.updated_at) - row.created_at)}
      </td>
      <td>{row.hostname || row.machine_id.slice(0, 8)}</td>
      <td>{digits(row.events)}</td>
      <td data-some={row.exceptions > 0 ? "" : undefined}>
        {row.exceptions === 0 ? "–" : digits(row.exceptions)}
      </td>
      <td>{digits(row.points)}</td>
      {hasExtra ? <td>{extra}</td> : null}
    </tr>
  );
}
