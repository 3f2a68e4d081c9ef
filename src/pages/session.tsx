/** The session page: the verdict, the timeline and charts with one time axis, and the state and events at the cursor. */
import { nameLabel, plainText } from "../core/text/recorded-text.ts";
import type { AccessEnv } from "../access/access.ts";
import type { SessionClient } from "../session/client.ts";
import { Hono } from "hono";
import { isGood, labelOf, outcomeOf } from "../core/status/outcome.ts";
import type { Summary } from "../core/answers/summary.ts";
import { asking } from "../core/text/names.ts";
import { REFRESH_MS, TIMELINE_BUCKETS } from "./limits.ts";
import { attachmentRoutes, AttachmentsPanel } from "./session/attachments.tsx";
import { EventsPanel, eventRoutes } from "./session/events.tsx";
import { filterOf } from "./session/events-filter.tsx";
import { ExceptionsPanel, exceptionRoutes } from "./session/exception.tsx";
import { ChangedPanel, changedRoutes } from "./session/changed.tsx";
import { DamageBanner } from "./session/incomplete.tsx";
import { Figures, figureRoutes } from "./session/figures.tsx";
import { historyRoutes } from "./session/history.tsx";
import { RecordPanel } from "./session/completeness.tsx";
import { MomentPanel, momentRoutes } from "./session/moment.tsx";
import { OutputPanel, outputRoutes } from "./session/output.tsx";
import { Charts, chartRoutes } from "./session/charts.tsx";
import { colourAsked } from "./session/tag-colours.tsx";
import {
  findStateCharts,
  type StateAsked,
  stateAskedIn,
  stateChartRoutes,
  StateChartsPanel,
} from "./session/state-charts.tsx";
import { stackRoutes, StacksPanel } from "./session/stacks.tsx";
import { suggestRoutes } from "./session/suggest.tsx";
import { testRoutes } from "./session/test-pages.tsx";
import { CiPanel, TestsPanel } from "./session/tests.tsx";
import { TimelinePanel } from "./session/timeline.tsx";
import { Verdict } from "./session/verdict.tsx";
import { sessionIn, type View, viewOf } from "./session/view.ts";
import { address } from "./ui/address.ts";
import { STATUS_SIGNS } from "./ui/status.tsx";

export const sessionRoutes = new Hono<AccessEnv>();

sessionRoutes.get("/sessions/:id", async (c) => {
  const view = viewOf(c.req.query());
  const session = sessionIn(c);
  const { id } = session;
  const asked = stateAskedIn(c.req.query());
  const { summary, timeline, attachments, found } = await onAxis(session, view, asked);
  const isLive = summary.verdict.status !== "ended" && summary.verdict.status !== "crashed";
  return c.render(
    <article
      id="session"
      data-id={id}
      data-status={summary.verdict.status}
      data-start={summary.created_at}
      // Also of a finished session: a late lane may change it, and it may be deleted.
      hx-ws:connect={`/sessions/${id}/live`}
      // session.js triggers it when it listens; earlier messages would be lost.
      hx-trigger="watch"
      data-hung-ms={REFRESH_MS.hung}
      data-idle-ms={REFRESH_MS.idle}
      data-revision={summary.revision}
    >
      <Crumbs summary={summary} />
      <DamageBanner summary={summary} />
      <Verdict session={session} summary={summary} registry={c.env.REGISTRY} />
      <CiPanel session={session} />
      <TestsPanel session={session} summary={summary} db={c.env.CATALOG} />
      <StacksPanel session={session} />
      <ChangedPanel summary={summary} />
      <div class="panes">
        <div
          id="recorder"
          class="recorder"
          tabindex={0}
          role="group"
          aria-label="Time axis"
          data-extend-ms={REFRESH_MS.charts}
        >
          <TimelinePanel
            summary={summary}
            timeline={timeline}
            attachments={attachments}
            view={view}
          />
          <StateChartsPanel summary={summary} view={view} asked={asked} found={found} />
          <Charts
            session={session}
            summary={summary}
            view={view}
            search={c.req.query("metric")}
            colour={colourAsked(c.req.query("colour"))}
          />
        </div>
        <MomentPanel session={session} summary={summary} view={view} />
        <div class="records">
          <ExceptionsPanel session={session} summary={summary} isLater={summary.failed_tests > 0} />
          <AttachmentsPanel session={session} />
          <OutputPanel session={session} summary={summary} view={view} />
          <EventsPanel session={session} summary={summary} filter={filterOf(c.req.query())} />
          <RecordPanel summary={summary} />
        </div>
      </div>
      <ViewForm view={view} id={id} />
      {isLive ? <Figures id={id} /> : null}
    </article>,
    {
      title: titleOf(summary),
      here: "/sessions",
      name: "session",
      styles: [
        "timeline",
        "charts",
        "state-charts",
        "session",
        "verdict",
        "distinctions",
        "moment",
        "records",
        "attachments",
        "terminal",
        "tests",
      ],
      status: summary.verdict.status,
      vendor: ["hx-ws-4.0.1.min.js", "chart-4.6.1.min.js"],
      scripts: ["session.js"],
    },
  );
});

/** The sign comes first, because with many tabs it is all that is visible. */
function titleOf(summary: Summary): string {
  const { verdict, product, version, id } = summary;
  const what = [product, version].filter(Boolean).join(" ") || id.slice(0, 8);
  return `${STATUS_SIGNS[verdict.status]} ${what} ${labelOf(outcomeOf(summary)).toLowerCase()}`;
}

function Crumbs({ summary }: { summary: Summary }) {
  const { product, version, id } = summary;
  return (
    <nav class="crumbs" aria-label="Breadcrumb">
      <a href="/sessions">Sessions</a>
      {product === "" ? null : <a href={address("/sessions", { product })}>{nameLabel(product)}</a>}
      {version === "" ? null : (
        <a href={address("/sessions", { product: asking(product), version })}>
          {nameLabel(version)}
        </a>
      )}
      <code>{id}</code>
      {isGood(summary) ? null : (
        <a class="tool" href={address("/compare", { ids: id, with: "good" })}>
          Compare with the last good session
        </a>
      )}
      <button class="tool" type="button" data-copy={id} hidden>
        Copy id
      </button>
      <button class="tool" type="button" data-share="link" hidden>
        Copy link
      </button>
      <button class="tool" type="button" data-share="markdown" hidden>
        Copy for a ticket
      </button>
    </nav>
  );
}

/** The cursor, range and path. view.js writes them and each request of a fragment includes them; without script it is a visible form. */
function ViewForm({ view, id }: { view: View; id: string }) {
  return (
    <form id="view" class="view-form" method="get" action={`/sessions/${id}`}>
      <h2 class="label">Go to a moment</h2>
      <label>
        Cursor{" "}
        <input name="t" value={view.at === undefined ? "" : String(view.at)} autocomplete="off" />
      </label>
      <label>
        From{" "}
        <input
          name="from"
          value={view.from === undefined ? "" : String(view.from)}
          autocomplete="off"
        />
      </label>
      <label>
        To{" "}
        <input name="to" value={view.to === undefined ? "" : String(view.to)} autocomplete="off" />
      </label>
      <input type="hidden" name="path" value={view.path ? JSON.stringify(view.path) : ""} />
      <button class="button">Go</button>
      <p class="quiet">Epoch milliseconds, or a date such as 2026-11-23T14:03:22Z.</p>
    </form>
  );
}

sessionRoutes.get("/sessions/:id/verdict", async (c) => {
  const session = sessionIn(c);
  const summary = await session.ask("summary");
  return c.html(
    <>
      <title>{`${plainText(titleOf(summary))} · Datacat`}</title>
      <Verdict session={session} summary={summary} registry={c.env.REGISTRY} />
    </>,
  );
});

/** What is drawn on the time axis, asked in one request. */
async function onAxis(session: SessionClient, view: View, asked: StateAsked) {
  const [summary, timeline, { items: attachments }, found] = await Promise.all([
    session.ask("summary"),
    session.ask("timeline", { from: view.from, to: view.to, buckets: TIMELINE_BUCKETS }),
    session.ask("attachments"),
    findStateCharts(session, view, asked),
  ]);
  return { summary, timeline, attachments, found };
}

sessionRoutes.get("/sessions/:id/timeline", async (c) => {
  const session = sessionIn(c);
  const view = viewOf(c.req.query());
  const asked = stateAskedIn(c.req.query());
  const { summary, timeline, attachments, found } = await onAxis(session, view, asked);
  return c.html(
    <>
      <TimelinePanel summary={summary} timeline={timeline} attachments={attachments} view={view} />
      <hx-partial hx-target="#state-charts" hx-swap="outerMorph">
        <StateChartsPanel summary={summary} view={view} asked={asked} found={found} />
      </hx-partial>
    </>,
  );
});

/** The socket of a watching page. guard.ts refuses other origins: browsers send cookies with sockets from any origin. */
sessionRoutes.get("/sessions/:id/live", (c) => sessionIn(c).live(c.req.raw));

for (const routes of [
  momentRoutes,
  historyRoutes,
  chartRoutes,
  stateChartRoutes,
  eventRoutes,
  exceptionRoutes,
  outputRoutes,
  stackRoutes,
  attachmentRoutes,
  changedRoutes,
  figureRoutes,
  testRoutes,
  suggestRoutes,
]) {
  sessionRoutes.route("/", routes);
}
