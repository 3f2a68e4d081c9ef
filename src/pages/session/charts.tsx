/** A chart for each metric, below the timeline and with its time axis. The server renders names, values and statistics; charts.js draws the lines. */
import { asking } from "../../core/text/names.ts";
import { readTag } from "../../core/text/tag.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import type { AccessEnv } from "../../access/access.ts";
import type { SessionClient } from "../../session/client.ts";
import { type Extent, extentOf } from "../../core/metrics/extent.ts";
import { SERIES_LIST, seriesPassing } from "../../core/metrics/fields.ts";
import { parseQueryOf } from "../../core/query/parse.ts";
import { formatCount, formatDuration, formatQuantity, formatTick } from "../../core/text/format.ts";
import { Hono } from "hono";
import type { Chart, SeriesSummary } from "../../core/answers/metrics.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { Refusal } from "../../core/refusal.ts";
import { endStep } from "../../core/text/scale.ts";
import { CHARTS, CHART_POINTS, QUANTILE_BUCKETS, SPARKLINE_POINTS, TYPING_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { BY_NAME } from "../ui/order.ts";
import { guarded } from "../ui/panel.tsx";
import { NotUnderstood, readBox, SearchField } from "../ui/search-form.tsx";
import { Brief, Statistics, unitOf } from "./statistics.tsx";
import { Tag } from "../ui/tag.tsx";
import { type DrawnSeries, sparklineSvg } from "./sparkline.ts";
import { ColourBy, colourAsked, type TagColours, tagColours } from "./tag-colours.tsx";
import { lastMoment, sessionIn, type View, viewOf, viewQuery } from "./view.ts";

type ChartsProps = {
  session: SessionClient;
  summary: Summary;
  view: View;
  search?: string | undefined;
  /** The key of a tag, as `tagColours` takes it. */
  colour?: string | undefined;
};

export function Charts({ session, summary, view, search, colour }: ChartsProps) {
  return (
    <section id="metrics" class="charts" aria-labelledby="metrics-title">
      <header class="charts-header">
        <h2 id="metrics-title" class="label">
          Metrics
        </h2>
        <span id="metrics-count" class="quiet">
          <MetricsCount summary={summary} />
        </span>
        {summary.counts.series > 8 ? (
          <form
            method="get"
            role="search"
            aria-label="Metrics"
            action={`/sessions/${summary.id}`}
            hx-get={`/sessions/${summary.id}/metrics`}
            hx-include="#view, #colour-by"
            hx-trigger={`submit, input delay:${TYPING_MS}ms`}
            hx-target="#chart-list"
            hx-swap="outerHTML"
            hx-sync="this:replace"
          >
            <SearchField
              name="metric"
              value={search}
              label="Find a metric"
              placeholder="Text, or p95:>30"
              suggestions={`/sessions/${summary.id}/suggest/metrics`}
            />
          </form>
        ) : null}
      </header>
      {guarded("the metrics", () => list({ session, summary, view, search, colour }))}
    </section>
  );
}

export function MetricsCount({ summary: { counts } }: { summary: Summary }) {
  if (counts.series === 0) return null;
  return (
    <>
      {formatCount(counts.series, "series", "series")}, {formatCount(counts.points, "point")}
    </>
  );
}

type ListProps = {
  session: SessionClient;
  summary: Summary;
  view: View;
  search?: string | undefined;
  colour?: string | undefined;
  skip?: number;
  /** In a fragment there is no image for pages without script, because it would be fetched. */
  isFragment?: boolean;
};

async function list(props: ListProps) {
  const { session, summary, view, search = "", colour, skip = 0, isFragment = false } = props;
  const isLive = summary.verdict.status === "active" && skip === 0;
  const all = await session.ask("series");
  const query = readBox(() => parseQueryOf(SERIES_LIST, search, Date.now()));
  const series = (query instanceof Refusal ? [] : seriesPassing(all, query)).toSorted(
    (a, b) =>
      a.name.localeCompare(b.name) ||
      BY_NAME.compare(a.tags.join("\n"), b.tags.join("\n")) ||
      a.id - b.id,
  );
  const colours = tagColours(all, colour);
  const shown = series.slice(skip, skip + CHARTS);
  const extent = extentOf(
    { from: summary.created_at, to: Math.max(summary.updated_at, lastMoment(summary)) },
    all.map(({ first_at, last_at }) => ({ from: first_at, to: last_at })),
  );
  const further = {
    metric: search,
    skip: skip + CHARTS,
    colour: colour === undefined ? undefined : asking(colour),
  };
  const values =
    view.at === undefined
      ? new Map(shown.map(({ id, last }) => [id, last]))
      : await valuesAt(
          session,
          shown.map(({ id }) => id),
          view.at,
        );
  return (
    <div
      id="chart-list"
      class="chart-list"
      data-series={all.length}
      // A running session may add series; live.js then fetches the list again.
      hx-get={isLive ? `/sessions/${session.id}/metrics` : undefined}
      hx-include={isLive ? "#view, #colour-by, .charts-header [name=metric]" : undefined}
      hx-trigger={isLive ? "live-series from:body" : undefined}
      hx-swap={isLive ? "outerMorph" : undefined}
    >
      {skip === 0 ? <Outside summary={summary} extent={extent} /> : null}
      {skip === 0 ? <ColourBy id={session.id} search={search} colours={colours} /> : null}
      {query instanceof Refusal ? (
        <NotUnderstood query={search} refusal={query} />
      ) : shown.length === 0 ? (
        search === "" ? (
          <Empty title="No metrics">
            <p>Gauges, counters, histograms and timers of the program are shown as charts.</p>
          </Empty>
        ) : (
          <Empty title={`No metric matches “${plainText(search)}”`} />
        )
      ) : null}
      {shown.map((one) => (
        <ChartRow
          series={one}
          colours={colours}
          value={values.get(one.id)}
          partMs={((view.to ?? extent.to) - (view.from ?? extent.from)) / SPARKLINE_POINTS}
          picture={isFragment ? undefined : pictureOf(summary, view, extent, one, colours)}
        />
      ))}
      {series.length > skip + shown.length ? (
        <div
          class="more"
          hx-get={address(`/sessions/${session.id}/metrics`, further)}
          hx-trigger="intersect once"
          hx-select=".chart-list > *"
          hx-swap="outerHTML"
        >
          {formatCount(series.length - skip - shown.length, "more metric")}
        </div>
      ) : null}
    </div>
  );
}

type OutsideProps = { summary: Summary; extent: Extent };

/** Announces points that are too far outside of the session to be drawn with it, and links to a range that has them. */
function Outside({ summary, extent: { outside } }: OutsideProps) {
  if (!outside) return null;
  const { id, created_at } = summary;
  const end = lastMoment(summary);
  const places = [
    ...(outside.from < created_at
      ? [`${formatDuration(created_at - outside.from)} before the start`]
      : []),
    ...(outside.to > end ? [`${formatDuration(outside.to - end)} after the end`] : []),
  ];
  return (
    <p class="panel-note warned">
      <a href={`/sessions/${id}${viewQuery({ from: outside.from, to: outside.to })}`}>
        {`Points from ${places.join(" and ")}`}
      </a>{" "}
      are outside of the session.
    </p>
  );
}

/** The address of the chart as an image, over the range of the timeline. */
function pictureOf(
  { id }: Summary,
  view: View,
  extent: Extent,
  series: SeriesSummary,
  colours: TagColours,
) {
  const { at, from = extent.from, to = extent.to } = view;
  return address(`/sessions/${id}/charts/${series.id}.svg`, {
    t: at,
    from,
    to,
    colour: colours.colourOf(series),
  });
}

type ChartRowProps = {
  series: SeriesSummary;
  colours: TagColours;
  value: number | undefined;
  picture: string | undefined;
  /** The time that each part of the picture's line aggregates, where it has more points than parts. */
  partMs: number;
};

function ChartRow({ series, colours, value, picture, partMs }: ChartRowProps) {
  const { id, type, tags, min, max } = series;
  const unit = unitOf(series);
  const name = nameLabel(series.name);
  const step = endStep(min, max, unit);
  const label = `${name} from ${formatQuantity(min, unit, step)} to ${formatQuantity(max, unit, step)}, last ${formatQuantity(series.last, unit, step)}`;
  return (
    <article
      id={`chart-${id}`}
      class="chart"
      data-series={id}
      data-colour={colours.colourOf(series)}
      data-type={type}
      data-unit={unit}
      data-points={CHART_POINTS}
      data-first-at={series.first_at}
      aria-label={`${name}, ${type}`}
    >
      <header class="row-name">
        <h3 title={name}>{name}</h3>
        {tags.map((tag) => (
          <Tag text={tag} isColoured={readTag(tag).key === colours.key} />
        ))}
        <output class="reading" data-reading aria-label="Value at the cursor" title={exact(value)}>
          {value === undefined ? "–" : formatQuantity(value, unit, step)}
        </output>
        <small class="drawn" data-drawn></small>
        {picture === undefined || series.points <= SPARKLINE_POINTS ? null : (
          <noscript>
            <small class="drawn">
              {type === "counter" ? "last" : "mean and range"} of {formatDuration(partMs)}, if over{" "}
              {SPARKLINE_POINTS} points
            </small>
          </noscript>
        )}
        {type === "counter" ? (
          <button class="tool rate" type="button" aria-pressed="false" data-rate>
            per second
          </button>
        ) : (
          <button class="tool rate" type="button" aria-pressed="false" data-quantiles>
            percentiles
          </button>
        )}
        <span class="scale" aria-hidden="true">
          <span data-most>{formatTick(max, unit, step)}</span>
          <span data-least>{min === max ? "" : formatTick(min, unit, step)}</span>
        </span>
      </header>
      <div class="row-plot" hx-morph-skip>
        <canvas role="img" aria-label={label}></canvas>
        {picture === undefined ? null : (
          <noscript>
            <img class="chart-sparkline" src={picture} alt={label} />
          </noscript>
        )}
      </div>
      <details class="statistics">
        <summary>
          <span class="hidden">{name}: </span>
          <Brief series={series} />
        </summary>
        <Statistics series={series} />
      </details>
    </article>
  );
}

/** All digits, where the text is rounded. */
function exact(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

export const chartRoutes = new Hono<AccessEnv>();

chartRoutes.get("/sessions/:id/metrics", async (c) => {
  const session = sessionIn(c);
  const summary = await session.ask("summary");
  const skip = Number.parseInt(c.req.query("skip") ?? "0", 10) || 0;
  return c.html(
    await list({
      session,
      summary,
      view: viewOf(c.req.query()),
      search: c.req.query("metric"),
      colour: colourAsked(c.req.query("colour")),
      skip: Math.max(0, skip),
      isFragment: true,
    }),
  );
});

chartRoutes.get("/sessions/:id/charts", async (c) => {
  const { from, to } = viewOf(c.req.query());
  const ids = idsOf(c.req.query("ids"));
  const session = sessionIn(c);
  const withQuantiles = idsOf(c.req.query("quantiles"));
  const points = QUANTILE_BUCKETS;
  const [charts, quantiles] = await Promise.all([
    session.ask("charts", { ids, from, to, points: CHART_POINTS }),
    withQuantiles.length === 0
      ? []
      : session.ask("charts", { ids: withQuantiles, from, to, points, quantiles: true }),
  ]);
  return c.json(
    charts.map((chart) => ({
      ...drawnSeriesOf(chart),
      quantiles: quantilesOf(quantiles.find(({ series }) => series.id === chart.series.id)),
    })),
  );
});

export function idsOf(text = ""): number[] {
  return text.split(",").filter(Boolean).map(Number).filter(Number.isInteger);
}

function drawnSeriesOf({
  series,
  from,
  to,
  points,
  buckets,
  gap_ms,
  rates,
  refused,
}: Chart): DrawnSeries {
  const isTotal = series.type === "counter";
  const width = (to - from) / Math.max(1, CHART_POINTS);
  return {
    id: series.id,
    from,
    readings: points
      ? points.map(([at, value]) => [at - from, value])
      : (buckets ?? []).map(({ first_at, last_at, mean, last, min, max }) => [
          first_at - from,
          last_at - from,
          isTotal ? last : mean,
          min,
          max,
          last,
        ]),
    // Within a pixel a gap is not visible, but would break the line.
    gap: gap_ms === undefined ? undefined : Math.max(gap_ms, width),
    rates: rates?.map((each) => [each.from - from, each.to - from, each.rate]),
    refused: (refused ?? []).map(([at, count]) => [at - from, count]),
  };
}

function quantilesOf(chart: Chart | undefined): DrawnSeries["quantiles"] {
  if (!chart) return undefined;
  const known = (chart.buckets ?? []).flatMap(({ first_at, last_at, quantiles }) =>
    quantiles ? [{ since: first_at - chart.from, until: last_at - chart.from, ...quantiles }] : [],
  );
  return {
    readings: known.map(({ since, until, p50, p95, p99 }) => [since, until, p50, p95, p99]),
    exact: known.every(({ exact }) => exact),
  };
}

/** The chart as an image, for pages without script. */
chartRoutes.get("/sessions/:id/charts/:file{[0-9]+[.]svg}", async (c) => {
  const session = sessionIn(c);
  const { at, from, to } = viewOf(c.req.query());
  const ids = [Number.parseInt(c.req.param("file"), 10)];
  const [chart] = await session.ask("charts", { ids, from, to, points: SPARKLINE_POINTS });
  if (!chart) throw new Refusal("not_found", "The session has no such series.");
  const picture = sparklineSvg(drawnSeriesOf(chart), {
    from: from ?? chart.from,
    to: to ?? chart.to,
    at,
    colour: Number(c.req.query("colour") ?? "-1"),
  });
  return c.body(picture, 200, { "content-type": "image/svg+xml" });
});

chartRoutes.get("/sessions/:id/values", async (c) => {
  const session = sessionIn(c);
  const { at } = viewOf(c.req.query());
  return c.json(Object.fromEntries(await valuesAt(session, idsOf(c.req.query("ids")), at)));
});

/** The value of each series at a moment: the last of one bucket up to it. Series that start later have none. */
async function valuesAt(
  session: SessionClient,
  ids: number[],
  at: number | undefined,
): Promise<Map<number, number>> {
  if (ids.length === 0) return new Map();
  const charts = await session.ask("charts", { ids, to: at, points: 1 });
  return new Map(
    charts.flatMap(({ series, points, buckets }) => {
      const value = points?.at(-1)?.[1] ?? buckets?.at(-1)?.last;
      return value === undefined ? [] : [[series.id, value]];
    }),
  );
}
