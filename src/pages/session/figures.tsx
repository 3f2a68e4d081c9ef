/** The counts and statistics of a running session's page, fetched every few seconds while it changes. */
import type { AccessEnv } from "../../access/access.ts";
import { formatNumber } from "../../core/text/format.ts";
import { Hono } from "hono";
import { CHARTS, REFRESH_MS } from "../limits.ts";
import { RecordFigures } from "./completeness.tsx";
import { idsOf, MetricsCount } from "./charts.tsx";
import { FreshStatistics } from "./statistics.tsx";
import { sessionIn } from "./view.ts";

/** Requests the figures when live.js triggers it; live.js writes the charts in view to `ids`. */
export function Figures({ id }: { id: string }) {
  return (
    <form
      id="figures"
      hidden
      hx-get={`/sessions/${id}/figures`}
      hx-trigger={`live-figures from:body throttle:${REFRESH_MS.figures}ms`}
      hx-swap="none"
    >
      <input type="hidden" name="ids" />
    </form>
  );
}

export const figureRoutes = new Hono<AccessEnv>();

figureRoutes.get("/sessions/:id/figures", async (c) => {
  const session = sessionIn(c);
  const inView = new Set(idsOf(c.req.query("ids")).slice(0, CHARTS));
  const [summary, series] = await Promise.all([
    session.ask("summary"),
    inView.size === 0 ? [] : session.ask("series"),
  ]);
  return c.html(
    <>
      <hx-partial hx-target="#events-count" hx-swap="innerHTML">
        {formatNumber(summary.counts.events)}
      </hx-partial>
      <hx-partial hx-target="#metrics-count" hx-swap="innerHTML">
        <MetricsCount summary={summary} />
      </hx-partial>
      <FreshStatistics all={series.filter(({ id }) => inView.has(id))} />
      <hx-partial hx-target="#record-figures" hx-swap="outerMorph">
        <RecordFigures summary={summary} />
      </hx-partial>
    </>,
  );
});
