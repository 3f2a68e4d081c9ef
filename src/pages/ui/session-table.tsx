/** Sessions as rows: what each is, how it goes, what is in it. */
import type { Child } from "hono/jsx";
import type { SessionRow } from "../../catalog/index.ts";
import { digits } from "./quantity.ts";
import { Lamp, STATUS_WORDS } from "./status.tsx";
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

function Row({ row, extra, hasExtra, selectable }: RowProps) {
  const isOpen = row.status === "active";
  return (
    <tr>
      {selectable ? (
        <td>
          <input type="checkbox" name="ids" value={row.id} aria-label={`Compare ${row.id}`} />
        </td>
      ) : null}
      <th scope="row">
        <a class="session-link" href={`/sessions/${row.id}`} data-status={row.status}>
          <Lamp status={row.status} />
          <span class="session-said">{row.headline || STATUS_WORDS[row.status]}</span>
        </a>
        {row.unsure ? <span class="tag">maybe</span> : null}
      </th>
      <td>
        {row.product || <span class="quiet">unnamed</span>} <span class="quiet">{row.version}</span>
      </td>
      <td>
        <Time at={row.created_at} show="age" />
      </td>
      <td class="number" data-since={isOpen ? row.created_at : undefined}>
        {duration((row.ended_at ?? row.updated_at) - row.created_at)}
      </td>
      <td>{row.hostname || row.machine_id.slice(0, 8)}</td>
      <td class="number">{digits(row.events)}</td>
      <td class="number" data-some={row.exceptions > 0 ? "" : undefined}>
        {row.exceptions === 0 ? <span class="quiet">–</span> : digits(row.exceptions)}
      </td>
      <td class="number">{digits(row.points)}</td>
      {hasExtra ? <td>{extra}</td> : null}
    </tr>
  );
}
