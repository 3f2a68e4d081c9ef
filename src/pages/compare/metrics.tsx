/** The metrics of the sessions: those in common each in one plot, all in a table. */
import { nameLabel } from "../../core/text/recorded-text.ts";
import { formatCount, formatDuration, formatQuantity } from "../../core/text/format.ts";
import { type Extent, extentOf } from "../../core/metrics/extent.ts";
import type { Chart, SeriesSummary } from "../../core/answers/metrics.ts";
import { distinctStep } from "../../core/text/scale.ts";
import { COMPARED_METRICS, COMPARED_POINTS } from "../limits.ts";
import { Empty } from "../ui/empty.tsx";
import { BY_NAME } from "../ui/order.ts";
import { Panel } from "../ui/panel.tsx";
import { Legend, type Line, Plot } from "../ui/plot.tsx";
import { Tag } from "../ui/tag.tsx";
import { DifferenceColumn, Numbers } from "./difference.tsx";
import { endOf, type Member, named } from "./member.tsx";
import { ComparedTable } from "./table.tsx";

export async function metricsOf(all: Member[], event: string | undefined) {
  const members = all.filter(isPlaced);
  if (members.length === 0)
    return <Empty title={`None of these sessions has an event “${nameLabel(event ?? "")}”`} />;
  const known = new Map(
    await Promise.all(
      all.map(async (each) => [each.letter, await each.session.ask("series")] as const),
    ),
  );
  const seriesOf = ({ letter }: Member) => known.get(letter) ?? [];
  const keys = [...new Set(all.flatMap(seriesOf).map(keyOf))].toSorted(BY_NAME.compare);
  if (keys.length === 0) return null;
  const shared = keys.filter(
    (key) =>
      members.length === 1 ||
      members.filter((each) => seriesOf(each).some((one) => keyOf(one) === key)).length > 1,
  );
  const shown = new Set(shared.slice(0, COMPARED_METRICS));
  const charts = await Promise.all(
    members.map((each) =>
      each.session.ask("charts", {
        ids: seriesOf(each)
          .filter((series) => shown.has(keyOf(series)))
          .map(({ id }) => id),
        ...rangeOf(each, seriesOf),
        points: COMPARED_POINTS,
      }),
    ),
  );
  // All plots have the same axis, so that the same time is at the same place, and the crosshair is in all plots.
  const from = Math.min(0, ...members.map((each) => extentFor(each, seriesOf).from - each.zero));
  const to = Math.max(0, ...members.map((each) => extentFor(each, seriesOf).to - each.zero));
  return (
    <Panel
      id="metrics"
      title="Metrics"
      aside={
        shared.length > shown.size ? (
          <span class="quiet">
            {shown.size} of {shared.length} in common are drawn
          </span>
        ) : null
      }
    >
      <Legend lines={members.map((each) => ({ index: each.index, name: named(each, all) }))} />
      <NotDrawn all={all} event={event} seriesOf={seriesOf} />
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
      <ComparedTable
        label="Metrics compared"
        what="Metric"
        noun="metrics"
        members={all}
        all={keys}
        lastColumn={<DifferenceColumn members={all} />}
        row={(key) => (
          <MetricRows
            members={all}
            series={all.map((each) => seriesOf(each).find((one) => keyOf(one) === key))}
          />
        )}
      />
    </Panel>
  );
}

type SeriesOf = (member: Member) => SeriesSummary[];
type NotDrawnProps = { all: Member[]; event: string | undefined; seriesOf: SeriesOf };

function extentFor(member: Member, seriesOf: SeriesOf): Extent {
  const { summary } = member;
  return extentOf(
    { from: summary.created_at, to: endOf(summary) },
    seriesOf(member).map(({ first_at, last_at }) => ({ from: first_at, to: last_at })),
  );
}

function rangeOf(member: Member, seriesOf: SeriesOf): { from: number; to: number } {
  const { from, to } = extentFor(member, seriesOf);
  return { from, to };
}

/** Names the sessions of which something is not in the plots. */
function NotDrawn({ all, event, seriesOf }: NotDrawnProps) {
  const unplaced = all.filter((each) => !isPlaced(each));
  const outside = all.filter((each) => extentFor(each, seriesOf).outside);
  const lettersOf = (members: Member[]) => members.map(({ letter }) => letter).join(" and ");
  return (
    <>
      {unplaced.length === 0 ? null : (
        <p class="panel-note warned">{`Without ${lettersOf(unplaced)}: no event “${nameLabel(event ?? "")}”.`}</p>
      )}
      {outside.length === 0 ? null : (
        <p class="panel-note warned">{`${lettersOf(outside)} has points long before its start or after its end, which are not drawn.`}</p>
      )}
    </>
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
  const lines = members.flatMap(({ letter, index, zero, summary }, at): Line[] => {
    const chart = charts[at];
    const until = endOf(summary) - zero;
    return chart ? [{ name: letter, index, until, ...linesOf(chart, zero) }] : [];
  });
  return (
    <section class="overlay">
      <h3>
        {nameLabel(series.name)}{" "}
        {series.tags.map((tag) => (
          <Tag text={tag} />
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
    </section>
  );
}

/** All points if there are few, else the mean of each bucket with a band from its least to its most. */
function linesOf(chart: Chart, zero: number): Partial<Line> & Pick<Line, "points"> {
  const gap = chart.gap_ms;
  if (chart.points) return { points: chart.points.map(([at, value]) => [at - zero, value]), gap };
  const buckets = chart.buckets ?? [];
  const ms = (chart.to - chart.from) / COMPARED_POINTS;
  // The gap is between the points of two buckets, whose middles are up to one width farther apart.
  const widened = gap === undefined ? undefined : gap + ms;
  if (chart.series.type === "counter")
    return { points: buckets.map(({ last_at, last }) => [last_at - zero, last]), gap: widened };
  const middle = ({ from, to }: { from: number; to: number }) => (from + to) / 2 - zero;
  return {
    points: buckets.map((bucket) => [middle(bucket), bucket.mean]),
    band: buckets.map((bucket) => [middle(bucket), bucket.min, bucket.max]),
    gap: widened,
    aggregate: { label: `mean of ${formatDuration(ms)}`, from: (at) => at - ms / 2, ms },
  };
}

type Figure = { label: string; of: (series: SeriesSummary) => number | undefined; per?: string };

/** The figures of a series in the table, which also has those that only one of the sessions has. */
const FIGURES: Record<"counter" | "other", Figure[]> = {
  counter: [
    { label: "total", of: ({ last }) => last },
    { label: "rate", of: ({ rate }) => rate, per: "/s" },
  ],
  other: [{ label: "mean", of: ({ mean }) => mean }],
};

type RowProps = { members: Member[]; series: (SeriesSummary | undefined)[] };

function MetricRows({ members, series }: RowProps) {
  const first = series.find(Boolean);
  if (!first) return null;
  return (
    <>
      {FIGURES[first.type === "counter" ? "counter" : "other"].map(({ label, of, per = "" }) => {
        const values = series.map((each) => each && of(each));
        const step = distinctStep(values.filter((value) => value !== undefined));
        return (
          <tr>
            <th scope="row">
              {nameLabel(first.name)}{" "}
              {first.tags.map((tag) => (
                <Tag text={tag} />
              ))}{" "}
              <span class="quiet">{label}</span>
            </th>
            <Numbers
              members={members}
              values={values}
              show={(value) => formatQuantity(value, nameLabel(first.unit, ""), step) + per}
              isPercent={/^(percent|%)$/i.test(first.unit)}
            />
          </tr>
        );
      })}
    </>
  );
}
