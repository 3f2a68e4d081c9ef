/** The metrics that the sessions have in common, each in one plot. */
import { nameLabel } from "../../core/recorded-text.ts";
import { formatCount, formatQuantity } from "../../core/format.ts";
import type { Chart, SeriesSummary } from "../../core/answers.ts";
import { COMPARED_METRICS, COMPARED_POINTS } from "../limits.ts";
import { Empty } from "../ui/empty.tsx";
import { BY_NAME } from "../ui/order.ts";
import { Panel } from "../ui/panel.tsx";
import { Legend, type Line, LineMark, Plot } from "../ui/plot.tsx";
import { endOf, type Member, named } from "./member.tsx";

export async function metricsOf(all: Member[], event: string | undefined) {
  const members = all.filter(isPlaced);
  const missing = all.filter(({ zero }) => zero === undefined).map(({ letter }) => letter);
  if (members.length === 0)
    return <Empty title={`None of these sessions has an event “${nameLabel(event ?? "")}”`} />;
  const known = await Promise.all(members.map(({ session }) => session.ask("series")));
  const keys = [...new Set(known.flat().map(keyOf))].toSorted(BY_NAME.compare);
  const shared = keys.filter(
    (key) =>
      members.length === 1 ||
      known.filter((series) => series.some((each) => keyOf(each) === key)).length > 1,
  );
  const shown = new Set(shared.slice(0, COMPARED_METRICS));
  if (shown.size === 0) return <Empty title="No metrics in common" />;
  const charts = await Promise.all(
    members.map(({ session }, index) =>
      session.ask("charts", {
        ids: (known[index] ?? []).filter((series) => shown.has(keyOf(series))).map(({ id }) => id),
        points: COMPARED_POINTS,
      }),
    ),
  );
  // All plots have the same axis, so that the same time is at the same place, and the crosshair is in all plots.
  const from = Math.min(0, ...members.map(({ summary, zero }) => summary.created_at - zero));
  const to = Math.max(0, ...members.map(({ summary, zero }) => endOf(summary) - zero));
  return (
    <Panel
      id="metrics"
      title="Metrics"
      aside={
        shared.length > shown.size ? (
          <span class="quiet">
            {shown.size} of {shared.length} in common
          </span>
        ) : null
      }
    >
      <Legend lines={members.map((each) => ({ index: each.index, name: named(each, all) }))} />
      {missing.length === 0 ? null : (
        <p class="panel-note warned">{`Without ${missing.join(" and ")}: no event “${nameLabel(event ?? "")}”.`}</p>
      )}
      <div class="plots">
        {[...shown].map((key) => (
          <Overlay
            members={members}
            charts={charts.map((of) => of.find(({ series }) => keyOf(series) === key))}
            from={from}
            to={to}
          />
        ))}
      </div>
    </Panel>
  );
}

/** Identifies a metric across sessions, where ids differ. */
function keyOf({ name, type, tags }: SeriesSummary): string {
  return JSON.stringify([name, type, tags]);
}

type Placed = Member & { zero: number };

function isPlaced(member: Member): member is Placed {
  return member.zero !== undefined;
}

type OverlayProps = {
  members: Placed[];
  charts: (Chart | undefined)[];
  from: number;
  to: number;
};

function Overlay({ members, charts, from, to }: OverlayProps) {
  const series = charts.find(Boolean)?.series;
  if (!series) return null;
  const lines = members.flatMap(({ letter, index, zero }, at): Line[] => {
    const chart = charts[at];
    return chart ? [{ name: letter, index, ...linesOf(chart, zero) }] : [];
  });
  return (
    <section class="overlay">
      <h3>
        {nameLabel(series.name)}{" "}
        {series.tags.map((tag) => (
          <span class="tag">{nameLabel(tag)}</span>
        ))}
      </h3>
      <Plot
        lines={lines}
        from={from}
        to={to}
        axis="elapsed"
        marks={4}
        unit={nameLabel(series.unit, "")}
        title={`${nameLabel(series.name)} in ${formatCount(lines.length, "session")}`}
      />
      <ul class="overlay-figures">
        {members.map(({ index, letter }, at) => {
          const chart = charts[at];
          return chart ? (
            <li>
              <LineMark index={index} />
              {letter} {figureOf(chart.series)}
            </li>
          ) : null;
        })}
      </ul>
    </section>
  );
}

/** The most useful figure of a series: a counter's total and rate, otherwise the mean. */
function figureOf({ type, mean, last, rate, ...series }: SeriesSummary): string {
  const unit = nameLabel(series.unit, "");
  const rounded = (value: number) => formatQuantity(Number(value.toPrecision(4)), unit);
  if (type !== "counter") return `mean ${rounded(mean)}`;
  return `total ${formatQuantity(last, unit)}${rate === undefined ? "" : `, ${rounded(rate)}/s`}`;
}

/** All points if there are few, else the mean of each bucket with a band from its least to its most. */
function linesOf(chart: Chart, zero: number): Pick<Line, "points" | "band"> {
  if (chart.points) return { points: chart.points.map(([at, value]) => [at - zero, value]) };
  const buckets = chart.buckets ?? [];
  const middle = ({ from, to }: { from: number; to: number }) => (from + to) / 2 - zero;
  if (chart.series.type === "counter")
    return { points: buckets.map((bucket) => [bucket.to - zero, bucket.last]) };
  return {
    points: buckets.map((bucket) => [middle(bucket), bucket.mean]),
    band: buckets.map((bucket) => [middle(bucket), bucket.min, bucket.max]),
  };
}
