/** A table of compared sessions: a row for each thing that is compared, a column for each session. */
import type { Child } from "hono/jsx";
import { formatNumber } from "../../core/text/format.ts";
import { COMPARED_VALUES } from "../limits.ts";
import { LegendMark } from "../ui/plot.tsx";
import { type Member, named } from "./member.tsx";

type TableProps<Compared> = {
  label: string;
  /** What a row is, as the heading of its column; `noun` is its plural. */
  what: string;
  noun: string;
  members: Member[];
  all: Compared[];
  row: (compared: Compared) => Child;
  /** The heading of a column after those of the sessions. */
  lastColumn?: Child;
};

/** The first COMPARED_VALUES rows. */
export function ComparedTable<Compared>(props: TableProps<Compared>) {
  const { label, what, noun, members, all, row, lastColumn } = props;
  return (
    <div class="scroller" tabindex={0} role="group" aria-label={label}>
      <table class="plain-table differences">
        <thead>
          <tr>
            <th scope="col">{what}</th>
            {members.map((each) => (
              <th scope="col">
                <LegendMark index={each.index} />
                {named(each, members)}
              </th>
            ))}
            {lastColumn}
          </tr>
        </thead>
        <tbody>{all.slice(0, COMPARED_VALUES).map(row)}</tbody>
      </table>
      {all.length > COMPARED_VALUES ? (
        <p class="panel-note quiet">{`The first ${COMPARED_VALUES} of ${formatNumber(all.length)} ${noun}.`}</p>
      ) : null}
    </div>
  );
}
