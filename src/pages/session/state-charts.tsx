/** Values of the state on the session's time axis: numbers as lines, everything else as bands. state-values.js shows them at the cursor. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { StateAt, StateCharts } from "../../core/answers/state.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { lossesOf } from "../../core/session/completeness.ts";
import { valueAt } from "../../core/state/merge.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import type { SessionClient } from "../../session/client.ts";
import { ALL_STATE_CHARTS, STATE_CHART_POINTS, STATE_CHARTS, TYPING_MS } from "../limits.ts";
import { Empty } from "../ui/empty.tsx";
import { ChartRow, type Gap } from "./state-chart.tsx";
import { sessionIn, type View, viewOf, viewQuery } from "./view.ts";

/** What is asked for besides the view: a search in the paths, and whether those are drawn that never change. */
export type StateAsked = { search: string; isAll: boolean };

export function stateAskedIn(query: Record<string, string>): StateAsked {
  return { search: query["path-search"]?.trim() ?? "", isAll: query["paths"] === "all" };
}

type Found = { charts: StateCharts; state: StateAt };

/** Asked in the same turn as the timeline, so that both have the same range. */
export async function findStateCharts(
  session: SessionClient,
  { at, from, to, path }: View,
  { search, isAll }: StateAsked,
): Promise<Found> {
  const limit = isAll || search !== "" ? ALL_STATE_CHARTS : STATE_CHARTS;
  const query = { from, to, path, search, all: isAll, limit, points: STATE_CHART_POINTS };
  const [charts, state] = await Promise.all([
    session.ask("stateCharts", query),
    session.ask("state", { at }),
  ]);
  return { charts, state };
}

type SectionProps = { summary: Summary; view: View; asked: StateAsked; found: Found };

export function StateChartsPanel({ summary, view, asked, found }: SectionProps) {
  const { charts, state } = found;
  const { items, matching, unknown } = charts;
  const isHidden = matching === 0 && asked.search === "" && !asked.isAll;
  return (
    <section
      id="state-charts"
      class="state-charts"
      hidden={isHidden}
      aria-labelledby="state-charts-title"
      data-unknown={JSON.stringify(unknown.map(({ from, to }) => [from, to]))}
      hx-get={`/sessions/${summary.id}/state-charts`}
      hx-include="#view, #state-charts [name^=path]"
      hx-trigger="path from:body"
      hx-swap="outerMorph"
      hx-sync="this:queue last"
    >
      <Header summary={summary} view={view} asked={asked} charts={charts} />
      {items.map((chart) => (
        <ChartRow
          chart={chart}
          charts={charts}
          gaps={gapsOf(charts, summary)}
          current={valueAt(state.state, chart.path)}
          history={`/sessions/${summary.id}${viewQuery({ ...view, path: chart.path })}#history`}
        />
      ))}
      {matching === 0 && asked.search !== "" ? (
        <Empty title={`No path of the state matches “${plainText(asked.search)}”`} />
      ) : null}
      {unknown.some(({ cause }) => cause === "unread") ? (
        <p class="panel-note quiet">
          The state changes too often for all of this range: earlier values are read where the range
          is shorter.
        </p>
      ) : null}
    </section>
  );
}

type HeaderProps = Omit<SectionProps, "found"> & { charts: StateCharts };

function Header({ summary: { id }, view, asked, charts }: HeaderProps) {
  const { items, matching, paths, left_out } = charts;
  const { path: _, ...rest } = view;
  return (
    <header class="charts-header">
      <h2 id="state-charts-title" class="label">
        State values
      </h2>
      <span class="quiet">
        {items.length < matching || matching < paths
          ? `${formatNumber(items.length)} of ${formatCount(Math.max(matching, paths), "path")}`
          : formatCount(items.length, "path")}
        {left_out === 0
          ? ""
          : `, and ${formatCount(left_out, "change")} of paths that are not listed`}
      </span>
      {paths > STATE_CHARTS || asked.search !== "" ? (
        <form method="get" role="search" aria-label="Paths of the state" action={`/sessions/${id}`}>
          {Object.entries({ t: view.at, from: view.from, to: view.to }).map(([name, value]) =>
            value === undefined ? null : <input type="hidden" name={name} value={String(value)} />,
          )}
          {asked.isAll ? <input type="hidden" name="paths" value="all" /> : null}
          <input
            type="search"
            name="path-search"
            value={asked.search}
            placeholder="Find a path"
            aria-label="Find a path of the state"
            hx-get={`/sessions/${id}/state-charts`}
            hx-include="#view, #state-charts [name^=path]"
            hx-trigger={`input changed delay:${TYPING_MS}ms, search`}
            hx-target="#state-charts"
            hx-swap="outerMorph"
            autocomplete="off"
          />
        </form>
      ) : asked.isAll ? (
        <input type="hidden" name="paths" value="all" />
      ) : null}
      {asked.search === "" && (asked.isAll || items.length < paths) ? (
        <AllPaths id={id} view={rest} isAll={asked.isAll} />
      ) : null}
    </header>
  );
}

/** Switches between the first paths that change and all. */
function AllPaths({ id, view, isAll }: { id: string; view: View; isAll: boolean }) {
  const query = viewQuery(view);
  const all = isAll ? query : `${query === "" ? "?" : `${query}&`}paths=all`;
  return (
    <a
      class="tool"
      href={`/sessions/${id}${all}`}
      hx-get={`/sessions/${id}/state-charts${isAll ? "" : "?paths=all"}`}
      hx-include="#view"
      hx-target="#state-charts"
      hx-swap="outerMorph"
    >
      {isAll ? "Show those that change" : "Show all"}
    </a>
  );
}

function gapsOf({ from, until, to, unknown }: StateCharts, { ledger }: Summary): Gap[] {
  const lost = lossesOf(ledger).flatMap(({ cause, times }) =>
    times && !NO_STATE.has(cause)
      ? [{ from: times.from, to: times.to, why: "Ops of this time are lost" }]
      : [],
  );
  const notRead = unknown.map((span) => ({
    ...span,
    why: span.cause === "damaged" ? "Cannot be read" : "Not read in a range of this length",
  }));
  return [...lost, ...notRead]
    .filter((gap) => gap.to >= from && gap.from <= Math.min(to, until))
    .map((gap) => ({
      ...gap,
      from: Math.max(gap.from, from),
      to: Math.min(gap.to, to, until),
    }));
}

/** Causes of losses that are of metrics, of attachments, or of a part of a value. */
const NO_STATE = new Set(["not_finite", "series_limit", "unreadable", "unserialisable"]);

export const stateChartRoutes = new Hono<AccessEnv>();

stateChartRoutes.get("/sessions/:id/state-charts", async (c) => {
  const session = sessionIn(c);
  const query = c.req.query();
  const [view, asked] = [viewOf(query), stateAskedIn(query)];
  const [summary, found] = await Promise.all([
    session.ask("summary"),
    findStateCharts(session, view, asked),
  ]);
  return c.html(<StateChartsPanel summary={summary} view={view} asked={asked} found={found} />);
});
