/** A chart for each metric, below the timeline and with its time axis. The server renders names, values and statistics; charts.js draws the lines. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { SeriesSummary } from "../../core/answers/metrics.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { type Extent, extentOf } from "../../core/metrics/extent.ts";
import { SERIES_LIST, seriesPassing } from "../../core/metrics/fields.ts";
import { parseQueryOf } from "../../core/query/parse.ts";
import { Refusal } from "../../core/refusal.ts";
import { formatCount, formatDuration } from "../../core/text/format.ts";
import { asking } from "../../core/text/names.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import type { SessionClient } from "../../session/client.ts";
import { CHART_POINTS, CHARTS, QUANTILE_BUCKETS, SPARKLINE_POINTS, TYPING_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { BY_NAME } from "../ui/order.ts";
import { guarded } from "../ui/panel.tsx";
import { NotUnderstood, readBox, SearchField } from "../ui/search-form.tsx";
import { ChartRow } from "./chart.tsx";
import { drawnSeriesOf, quantilesOf } from "./drawn-series.ts";
import { sparklineSvg } from "./sparkline.ts";
import { colourAsked, ColourBy, tagColours, type TagColours } from "./tag-colours.tsx";
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

type ListProps = ChartsProps & {
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
