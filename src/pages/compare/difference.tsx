/** Numbers of compared sessions side by side, with their difference: a column for two sessions; for more, each one's difference from the first. */
import type { Child } from "hono/jsx";
import { formatNumber } from "../../core/text/format.ts";
import type { Member } from "./member.tsx";

export function DifferenceColumn({ members }: { members: unknown[] }) {
  return members.length === 2 ? <th scope="col">Difference</th> : null;
}

/** For rows that have no numbers. */
export function NoDifference({ members }: { members: unknown[] }) {
  return members.length === 2 ? <td></td> : null;
}

type NumbersProps = {
  members: Pick<Member, "letter">[];
  /** One for each member; undefined where it has none. */
  values: (number | undefined)[];
  show: (value: number) => Child;
  /** Percentages differ by points: "2 %" more could be a share of them. */
  isPercent?: boolean;
};

export function Numbers(props: NumbersProps) {
  const { members, values, show } = props;
  const differences = values.map((_, at) => differenceOf(props, at));
  return (
    <>
      {values.map((value, at) => (
        <td>
          {value === undefined ? <span class="quiet">–</span> : show(value)}
          {members.length > 2 && at > 0 ? (
            <small class="difference">{differences[at]}</small>
          ) : null}
        </td>
      ))}
      {members.length === 2 ? <td class="difference">{differences[1]}</td> : null}
    </>
  );
}

/** How a member's value differs from that of the first. */
function differenceOf({ members, values, show, isPercent }: NumbersProps, at: number): Child {
  const [first] = values;
  const value = values[at];
  if (first === undefined && value === undefined) return "";
  if (first === undefined) return `not in ${members[0]?.letter}`;
  if (value === undefined) return `not in ${members[at]?.letter}`;
  const difference = value - first;
  if (difference === 0) return "none";
  if (!Number.isFinite(difference)) return "";
  const sign = difference > 0 ? "+" : "−";
  if (isPercent) return `${sign}${formatNumber(Math.abs(difference))} pts`;
  return (
    <>
      {sign}
      {show(Math.abs(difference))}
      {first === 0 ? "" : ` (${sign}${percent(Math.abs(difference / first) * 100)})`}
    </>
  );
}

function percent(share: number): string {
  if (share >= 1_000) return `${Math.round(share / 100)}×`;
  return `${Number(share.toPrecision(2))} %`;
}
