/** Parts of both the list and the page of exception groups: the trend, the status and the address of a group. */
import { nameLabel } from "../../core/text/recorded-text.ts";
import { asking } from "../../core/text/names.ts";
import type { ExceptionGroup, GroupDay } from "../../catalog/exceptions.ts";
import { TREND_DAYS } from "../../catalog/limits.ts";
import { address } from "../ui/address.ts";
import { DAY_MS } from "../../core/limits.ts";
import { Trend } from "../ui/sparkline.tsx";
import { Time } from "../ui/time.tsx";

export function GroupTrend({ days, now }: { days: GroupDay[]; now: number }) {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const perDay = Map.groupBy(days, ({ day_at }) => day_at);
  return (
    <Trend
      days={[...perDay].map(([at, rows]) => {
        const count = rows.reduce((sum, row) => sum + row.count, 0);
        return { at, all: count, bad: count };
      })}
      from={today - (TREND_DAYS - 1) * DAY_MS}
      to={today}
      label={`Occurrences per day, last ${TREND_DAYS} days`}
    />
  );
}

export function groupStatus({ status, returned_at }: ExceptionGroup): string {
  return returned_at === null ? status : "returned";
}

export function GroupStatusTag({ group }: { group: ExceptionGroup }) {
  const { status, resolved_version, returned_at } = group;
  if (returned_at !== null) {
    return (
      <span class="tag danger">
        returned <Time at={returned_at} show="age" />
      </span>
    );
  }
  if (status === "resolved")
    return (
      <span class="tag">
        resolved{resolved_version ? ` in ${nameLabel(resolved_version)}` : ""}
      </span>
    );
  return status === "muted" ? <span class="tag">muted</span> : null;
}

export function pathOf({
  fingerprint,
  product,
}: Pick<ExceptionGroup, "fingerprint" | "product">): string {
  return address(`/exceptions/${encodeURIComponent(fingerprint)}`, { product: asking(product) });
}
