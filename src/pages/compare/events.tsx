/** The events that the sessions logged in different numbers. */
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { BY_NAME } from "../ui/order.ts";
import { Panel } from "../ui/panel.tsx";
import { DifferenceColumn, Numbers } from "./difference.tsx";
import type { Member } from "./member.tsx";
import { ComparedTable } from "./table.tsx";

export async function eventsOf(members: Member[]) {
  const counts = await Promise.all(
    members.map(async ({ session }) => countsOf(await session.ask("eventCounts"))),
  );
  const names = [...new Set(counts.flatMap((of) => [...of.keys()]))].toSorted(BY_NAME.compare);
  const different = names.filter((name) => new Set(counts.map((of) => of.get(name))).size > 1);
  if (different.length === 0) return null;
  // What only some have comes first.
  const isInAll = (name: string) => counts.every((of) => of.has(name));
  const sorted = [
    ...different.filter((name) => !isInAll(name)),
    ...different.filter((name) => isInAll(name)),
  ];
  const incomplete = members.filter(({ summary }) => summary.left_out?.event_names);
  return (
    <Panel
      id="events"
      title="Differences in events"
      aside={
        <span class="quiet">
          {formatCount(different.length, "name")} of {formatNumber(names.length)}
        </span>
      }
    >
      {incomplete.length === 0 ? null : (
        <p class="panel-note warned">
          {`${incomplete.map(({ letter }) => letter).join(" and ")} logged more names than are counted.`}
        </p>
      )}
      <ComparedTable
        label="Differences in events"
        what="Event"
        noun="names"
        members={members}
        all={sorted}
        lastColumn={<DifferenceColumn members={members} />}
        row={(name) => (
          <tr>
            <th scope="row">{nameLabel(name)}</th>
            <Numbers
              members={members}
              values={counts.map((of) => of.get(name))}
              show={formatNumber}
            />
          </tr>
        )}
      />
    </Panel>
  );
}

function countsOf(counts: { name: string; count: number }[]): Map<string, number> {
  const byName = new Map<string, number>();
  for (const { name, count } of counts) byName.set(name, (byName.get(name) ?? 0) + count);
  return byName;
}
