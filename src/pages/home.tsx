/** Home: what runs now, the products and their versions, the newest crashes and exceptions. */
import { isOngoing } from "../core/session/duration.ts";
import { nameLabel, plainText } from "../core/text/recorded-text.ts";
import { formatCount, formatDuration, formatNumber } from "../core/text/format.ts";
import { STATUS_LABELS } from "../core/vocabulary.ts";
import { Hono } from "hono";
import { type ExceptionGroup, exceptionGroups } from "../catalog/exceptions.ts";
import type { SessionRow } from "../core/answers/session-row.ts";
import { damagedSessions } from "../catalog/known.ts";
import { listSessions } from "../catalog/search/sessions.ts";
import type { StatusKind } from "../catalog/search/filter.ts";
import { type VersionCounts, versionDays, versions } from "../catalog/products.ts";
import type { Env } from "../env.ts";
import { listDecided } from "../registry/merges.ts";
import { pathOf } from "./exceptions/group-status.tsx";
import { isFragment } from "./fragment.tsx";
import { Products, runningOf } from "./home/products.tsx";
import { HOME_ROWS, REFRESH_MS } from "./limits.ts";
import { TREND_DAYS } from "../catalog/limits.ts";
import { Empty } from "./ui/empty.tsx";
import { WaitingSenders } from "./settings/budgets.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { QuickStart } from "./ui/quick-start.tsx";
import { StatusIcon } from "./ui/status.tsx";
import { Elapsed, Time } from "./ui/time.tsx";

export const home = new Hono<{ Bindings: Env }>();

home.get("/", async (c) => {
  const counts = await versions(c.env.CATALOG);
  if (isFragment(c)) {
    // Fetched every few seconds; the first page stays as it is until there is a session.
    return counts.length === 0 ? c.body(null, 204) : c.html(<Home env={c.env} counts={counts} />);
  }
  return c.render(
    counts.length === 0 ? (
      <FirstRecording url={new URL(c.req.url).origin} />
    ) : (
      <>
        <h1 class="hidden">Home</h1>
        <Home env={c.env} counts={counts} />
      </>
    ),
    { title: "Home", here: "/", name: "home-page", styles: ["home", "guides"] },
  );
});

/** Fetched again as a whole while the tab is visible, so that its parts agree. */
function Home({ env, counts }: { env: Env; counts: VersionCounts[] }) {
  const db = env.CATALOG;
  const now = Date.now();
  return (
    <div
      id="home"
      class="home"
      hx-get="/"
      hx-trigger={`every ${REFRESH_MS.home}ms`}
      hx-swap="outerMorph"
    >
      {guarded("the budgets", () => WaitingSenders({ db: env.REGISTRY }))}
      <Running db={db} counts={counts} />
      {guarded("the products", async () => (
        <Products
          counts={counts}
          days={await versionDays(db, now, { days: TREND_DAYS })}
          now={now}
        />
      ))}
      {guarded("the damaged sessions", () => damaged(db))}
      <div class="columns">
        <Crashes db={db} />
        <Exceptions env={env} />
      </div>
    </div>
  );
}

/** Sessions that run or hang, and below them those without contact, which may run or not. */
function Running({ db, counts }: { db: D1Database; counts: VersionCounts[] }) {
  const running = counts.reduce((sum, row) => sum + runningOf(row), 0);
  const lost = counts.reduce((sum, row) => sum + row.suspended, 0);
  return (
    <section id="running" class="panel running" aria-labelledby="running-title">
      <header class="panel-header">
        <h2 id="running-title">Running or hung</h2>
        <span class="count">{formatNumber(running)}</span>
        <a class="tool" href="/sessions?status=active&status=hung">
          View all
        </a>
      </header>
      {running === 0 ? <p class="panel-note quiet">No sessions are running or hung.</p> : null}
      {guarded("the running sessions", () => cards(db, ["active", "hung"]))}
      {lost === 0 ? null : (
        <>
          <header class="panel-header lost-header">
            <h3>{STATUS_LABELS.suspended}</h3>
            <span class="count">{formatNumber(lost)}</span>
            <span class="quiet">No data arrives: offline, asleep, or the machine is gone.</span>
            <a class="tool" href="/sessions?status=suspended">
              View all
            </a>
          </header>
          {guarded("the sessions without contact", () => cards(db, ["suspended"]))}
        </>
      )}
    </section>
  );
}

/** Sessions of which the figures above may be wrong. */
async function damaged(db: D1Database) {
  const ids = await damagedSessions(db, HOME_ROWS + 1);
  if (ids.length === 0) return null;
  return (
    <section id="damaged" class="panel" aria-labelledby="damaged-title">
      <header class="panel-header">
        <h2 id="damaged-title">Damaged sessions</h2>
        <span class="quiet">
          Their storage cannot be read in part; their figures here may be too low, or older.
        </span>
      </header>
      <ul class="panel-note">
        {ids.slice(0, HOME_ROWS).map((id) => (
          <li>
            <a href={`/sessions/${id}`}>{id}</a>
          </li>
        ))}
        {ids.length > HOME_ROWS ? <li>and older ones</li> : null}
      </ul>
    </section>
  );
}

async function cards(db: D1Database, status: StatusKind[]) {
  const { items } = await listSessions(db, { status, limit: HOME_ROWS });
  return (
    <ul class="session-cards">
      {items.map((session) => (
        <Card session={session} />
      ))}
    </ul>
  );
}

function Card({ session }: { session: SessionRow }) {
  return (
    <li data-status={session.status}>
      <a class="card" href={`/sessions/${session.id}`}>
        <span class="card-name">
          <StatusIcon status={session.status} />
          <strong>{nameLabel(session.product, "unnamed")}</strong>
          <span class="quiet">{plainText(session.version)}</span>
        </span>
        {session.status === "active" ? null : (
          <span class="card-text">
            {plainText(session.headline)} for <Elapsed ms={session.status_ms} />
          </span>
        )}
        <span class="card-figures">
          {[session.hostname || session.browser].map((where) =>
            where === "" ? "" : `${nameLabel(where)} · `,
          )}
          {isOngoing(session.status) ? (
            <Elapsed ms={session.ran_ms} />
          ) : (
            formatDuration(session.ran_ms)
          )}{" "}
          · {formatCount(session.events, "event")}
          {session.exceptions > 0 ? ` · ${formatCount(session.exceptions, "exception")}` : ""}
        </span>
      </a>
    </li>
  );
}

function Crashes({ db }: { db: D1Database }) {
  return (
    <Panel
      id="crashes"
      title="Newest crashes"
      aside={
        <a class="tool" href="/sessions?status=crashed">
          View all
        </a>
      }
    >
      {guarded("the crashes", async () => {
        const { items } = await listSessions(db, { status: ["crashed"], limit: HOME_ROWS });
        if (items.length === 0) return <Empty title="No crashes" />;
        return (
          <ol class="entries">
            {items.map((session) => (
              <li data-status="crashed">
                <a class="entry" href={`/sessions/${session.id}`}>
                  <StatusIcon status="crashed" />
                  <span class="entry-text">{plainText(session.headline)}</span>
                  <span class="quiet">
                    {nameLabel(session.product, "unnamed")} {plainText(session.version)}
                  </span>
                  <Time at={session.ended_at ?? session.updated_at} show="age" />
                </a>
              </li>
            ))}
          </ol>
        );
      })}
    </Panel>
  );
}

function Exceptions({ env }: { env: Env }) {
  return (
    <Panel
      id="groups"
      title="Newest exceptions"
      aside={
        <a class="tool" href="/exceptions">
          View all
        </a>
      }
    >
      {guarded("the exceptions", async () => {
        const { items } = await exceptionGroups(
          env.CATALOG,
          { status: "open", limit: HOME_ROWS },
          await listDecided(env.REGISTRY),
        );
        if (items.length === 0) return <Empty title="No open exceptions" />;
        return (
          <ol class="entries">
            {items.map((group) => (
              <Group group={group} />
            ))}
          </ol>
        );
      })}
    </Panel>
  );
}

function Group({ group }: { group: ExceptionGroup }) {
  return (
    <li>
      <a class="entry" href={pathOf(group)}>
        <span class="entry-text">
          <strong class="exception-type">{nameLabel(group.type, "Exception")}</strong>{" "}
          {plainText(group.message)}
        </span>
        <span class="quiet">{formatCount(group.sessions, "session")}</span>
        <Time at={group.last_at} show="age" />
      </a>
    </li>
  );
}

function FirstRecording({ url }: { url: string }) {
  return (
    <section
      class="first"
      hx-get="/"
      hx-trigger={`every ${REFRESH_MS.home}ms`}
      hx-target="this"
      hx-swap="outerHTML"
    >
      <h1>No sessions yet</h1>
      <p>
        Datacat is a flight recorder for programs. Record any command unchanged, or add a few lines
        to your program. This page updates automatically.
      </p>
      <QuickStart url={url} now={Date.now()} />
    </section>
  );
}
