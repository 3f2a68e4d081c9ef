/** The counts and statistics of a running session's page, told anew every few seconds while something happens. */
import type { AccessEnv } from "../../access/access.ts";
import { formatNumber } from "../../core/format.ts";
import { Hono } from "hono";
import { CHARTS } from "../limits.ts";
import { RecordFigures } from "./completeness.tsx";
import { FreshStatistics, idsOf, MetricsCount } from "./charts.tsx";
import { sessionIn } from "./view.ts";

/** Asks, when session.js says that something happened. It says too which charts are in sight. */
export function Figures({ id }: { id: string }) {
  return (
    <form
      id="figures"
      hidden
      hx-get={`/sessions/${id}/figures`}
      hx-trigger="live-figures from:body throttle:3s"
      hx-swap="none"
    >
      <input type="hidden" name="ids" />
    </form>
  );
}

export const figureRoutes = new Hono<AccessEnv>();

figureRoutes.get("/sessions/:id/figures", async (c) => {
  const session = sessionIn(c);
  const inSight = new Set(idsOf(c.req.query("ids")).slice(0, CHARTS));
  const [summary, series] = await Promise.all([
    session.ask("summary"),
    inSight.size === 0 ? [] : session.ask("series"),
  ]);
  return c.html(
    <>
      <hx-partial hx-target="#events-count" hx-swap="innerHTML">
        {formatNumber(summary.counts.events)}
      </hx-partial>
      <hx-partial hx-target="#metrics-count" hx-swap="innerHTML">
        <MetricsCount summary={summary} />
      </hx-partial>
      <FreshStatistics all={series.filter(({ id }) => inSight.has(id))} />
      <hx-partial hx-target="#record-figures" hx-swap="outerMorph">
        <RecordFigures summary={summary} />
      </hx-partial>
    </>,
  );
});
