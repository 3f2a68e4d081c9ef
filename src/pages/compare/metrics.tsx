/** The metrics that sessions share, each drawn over the others. */
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
  if (members.length === 0) return <Empty title={`None of them ever had “${event}”.`} />;
  const known = await Promise.all(members.map(({ session }) => session.ask("series")));
  const keys = [...new Set(known.flat().map(keyOf))].toSorted(BY_NAME.compare);
  const shared = keys.filter(
    (key) =>
      members.length === 1 ||
      known.filter((series) => series.some((each) => keyOf(each) === key)).length > 1,
  );
  const shown = new Set(shared.slice(0, COMPARED_METRICS));
  if (shown.size === 0) return <Empty title="They have no metric in common." />;
  const charts = await Promise.all(
    members.map(({ session }, index) =>
      session.ask("charts", {
        ids: (known[index] ?? []).filter((series) => shown.has(keyOf(series))).map(({ id }) => id),
        points: COMPARED_POINTS,
      }),
    ),
  );
  // One axis for all plots: what happened together stands together, and the crosshair is in all of them.
  const from = Math.min(0, ...members.map(({ summary, zero }) => summary.created_at - zero));
  const to = Math.max(0, ...members.map(({ summary, zero }) => endOf(summary) - zero));
  return (
    <Panel
      id="metrics"
      title="Metrics"
      aside={
        shared.length > shown.size ? (
          <span class="quiet">
            {shown.size} of {shared.length} that they share
          </span>
        ) : null
      }
    >
      <Legend lines={members.map((each) => ({ index: each.index, name: named(each, all) }))} />
      {missing.length === 0 ? null : (
        <p class="panel-note warned">
          {`Without ${missing.join(" and ")}, which never had “${event}”.`}
        </p>
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

/** A metric's identity across sessions: their ids differ, name, type and tags do not. */
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
        {series.name}{" "}
        {series.tags.map((tag) => (
          <span class="tag">{tag}</span>
        ))}
      </h3>
      <Plot
        lines={lines}
        from={from}
        to={to}
        axis="elapsed"
        marks={4}
        unit={series.unit}
        title={`${series.name} in ${formatCount(lines.length, "session")}`}
      />
      <ul class="overlay-facts">
        {members.map(({ index, letter }, at) => {
          const chart = charts[at];
          return chart ? (
            <li>
              <LineMark index={index} />
              {letter} {factOf(chart.series)}
            </li>
          ) : null;
        })}
      </ul>
    </section>
  );
}

/** The one figure that says most of a series: of a counter how far it came and how quickly, of everything else the mean. */
function factOf({ type, unit, mean, last, rate }: SeriesSummary): string {
  const rounded = (value: number) => formatQuantity(Number(value.toPrecision(4)), unit);
  if (type !== "counter") return `mean ${rounded(mean)}`;
  return `total ${formatQuantity(last, unit)}${rate === undefined ? "" : `, ${rounded(rate)}/s`}`;
}

/** As few points as fit are all there; of more, each bucket's mean, and around it how far its values went. */
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
