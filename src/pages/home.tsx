/** Home: how every product and version does, what runs now, what failed last. */
import { formatCount, formatDuration, formatNumber } from "../core/format.ts";
import { Hono } from "hono";
import { type ExceptionGroup, exceptionGroups } from "../catalog/exceptions.ts";
import { asking, type StatusKind } from "../catalog/filter.ts";
import { type VersionCounts, type VersionDay, versionDays, versions } from "../catalog/products.ts";
import { listSessions, type SessionRow } from "../catalog/sessions.ts";
import type { Env } from "../env.ts";
import { listDecisions } from "../registry/decisions.ts";
import { pathOf } from "./exceptions.tsx";
import { isFragment } from "./fragment.tsx";
import { TREND_DAYS } from "../catalog/limits.ts";
import { HOME_ROWS, HOME_VERSIONS } from "./limits.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { BY_NAME } from "./ui/order.ts";
import { guarded, Panel } from "./ui/panel.tsx";
import { QuickStart } from "./ui/quick-start.tsx";
import { Rate } from "./ui/rate.tsx";
import { titled } from "./ui/session-table.tsx";
import { DAY_MS } from "../core/limits.ts";
import { Trend } from "./ui/sparkline.tsx";
import { StatusIcon } from "./ui/status.tsx";
import { Time } from "./ui/time.tsx";

export const home = new Hono<{ Bindings: Env }>();

home.get("/", async (c) => {
  const counts = await versions(c.env.CATALOG);
  if (isFragment(c)) {
    // Asked every few seconds: what someone reads or copies from meanwhile is left alone until there is something to show.
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
    { title: "Home", here: "/", name: "home-page" },
  );
});

/** Fetched again as a whole while someone looks, so that its parts agree: page.js lets no hidden tab ask. */
function Home({ env, counts }: { env: Env; counts: VersionCounts[] }) {
  const db = env.CATALOG;
  const now = Date.now();
  return (
    <div id="home" class="home" hx-get="/" hx-trigger="every 5s" hx-swap="outerMorph">
      <Running db={db} counts={counts} />
      {guarded("the products", async () => (
        <Products
          counts={counts}
          days={await versionDays(db, now, { days: TREND_DAYS })}
          now={now}
        />
      ))}
      <div class="columns">
        <Crashes db={db} />
        <Exceptions env={env} />
      </div>
    </div>
  );
}

/** What is heard of or hangs now; and apart from it what nobody has heard of, which may run or not. */
function Running({ db, counts }: { db: D1Database; counts: VersionCounts[] }) {
  const running = counts.reduce((sum, row) => sum + runningOf(row), 0);
  const silent = counts.reduce((sum, row) => sum + row.suspended, 0);
  return (
    <section id="running" class="panel running" aria-labelledby="running-title">
      <header class="panel-header">
        <h2 id="running-title">Running now</h2>
        <span class="count">{formatNumber(running)}</span>
        <a class="tool" href="/sessions?status=active&status=hung">
          All of them
        </a>
      </header>
      {running === 0 ? <p class="panel-note quiet">Nothing runs at the moment.</p> : null}
      {guarded("what runs now", () => cards(db, ["active", "hung"]))}
      {silent === 0 ? null : (
        <>
          <header class="panel-header silent-header">
            <h3>Lost contact</h3>
            <span class="count">{formatNumber(silent)}</span>
            <span class="quiet">No word from them: asleep, cut off, or gone.</span>
            <a class="tool" href="/sessions?status=suspended">
              All of them
            </a>
          </header>
          {guarded("what is silent", () => cards(db, ["suspended"]))}
        </>
      )}
    </section>
  );
}

function runningOf({ active, hung }: VersionCounts): number {
  return active + hung;
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
          <strong>{session.product || "unnamed"}</strong>
          <span class="quiet">{session.version}</span>
        </span>
        {session.status === "active" ? null : <span class="card-said">{session.headline}</span>}
        <span class="card-facts">
          {session.hostname === "" ? "" : `${session.hostname} · `}
          <span data-since={session.status === "active" ? session.created_at : undefined}>
            {formatDuration(session.updated_at - session.created_at)}
          </span>{" "}
          · {formatCount(session.events, "event")}
          {session.exceptions > 0 ? ` · ${formatCount(session.exceptions, "exception")}` : ""}
        </span>
      </a>
    </li>
  );
}

type ProductsProps = { counts: VersionCounts[]; days: VersionDay[]; now: number };

/** One table for all: versions of a product stand together, its name beside the first. */
function Products({ counts, days, now }: ProductsProps) {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const products = [...Map.groupBy(counts, ({ product }) => product).values()];
  return (
    <section class="panel" aria-labelledby="products-title">
      <header class="panel-header">
        <h2 id="products-title">Products</h2>
        <span class="count">
          {formatCount(
            counts.reduce((sum, row) => sum + row.sessions, 0),
            "session",
          )}
        </span>
      </header>
      {products.map((versionsOf) => (
        <Regression versionsOf={versionsOf} />
      ))}
      <div class="scroller">
        <table class="versions">
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col">Version</th>
              <th scope="col" class="number">
                Sessions
              </th>
              <th scope="col" class="number">
                Running
              </th>
              <th scope="col" class="number">
                Crash-free
              </th>
              <th scope="col" class="number">
                Hang-free
              </th>
              <th scope="col">Last {TREND_DAYS} days</th>
              <th scope="col">Newest</th>
            </tr>
          </thead>
          {products.map((versionsOf) => (
            <tbody>
              {versionsOf.slice(0, HOME_VERSIONS).map((row, index) => (
                <Version
                  row={row}
                  before={versionBefore(row, versionsOf)}
                  older={versionsOf.length - HOME_VERSIONS}
                  isFirst={index === 0}
                  days={days.filter(
                    (day) => day.product === row.product && day.version === row.version,
                  )}
                  today={today}
                />
              ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

/** The version that a version is measured against: of the same product, next below it in numeric order. */
function versionBefore(row: VersionCounts, versionsOf: VersionCounts[]): VersionCounts | undefined {
  return versionsOf
    .filter((other) => BY_NAME.compare(other.version, row.version) < 0)
    .toSorted((a, b) => BY_NAME.compare(b.version, a.version))[0];
}

/** Says so when the newest version crashes more often than the one before, by more than chance would explain. */
function Regression({ versionsOf }: { versionsOf: VersionCounts[] }) {
  const newest = versionsOf.toSorted((a, b) => BY_NAME.compare(b.version, a.version))[0];
  const before = newest && versionBefore(newest, versionsOf);
  if (!newest || !before || !isWorse(newest, before)) return null;
  return (
    <p class="panel-note regression">
      <StatusIcon status="crashed" />{" "}
      {`${newest.product} ${newest.version} crashes more than ${before.version || "no version"}: ${crashShare(newest)} vs ${crashShare(before)} of sessions.`}
    </p>
  );
}

/** One-sided test of two proportions: chance alone gives as much in one of twenty cases. */
function isWorse(newest: VersionCounts, before: VersionCounts): boolean {
  const difference = newest.crashed / newest.sessions - before.crashed / before.sessions;
  const pooled = (newest.crashed + before.crashed) / (newest.sessions + before.sessions);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / newest.sessions + 1 / before.sessions));
  return error > 0 && difference / error > LIKELY_NOT_CHANCE;
}

const LIKELY_NOT_CHANCE = 1.645;

function crashShare({ crashed, sessions }: VersionCounts): string {
  return `${((crashed / sessions) * 100).toFixed(1)} %`;
}

type VersionProps = {
  row: VersionCounts;
  before: VersionCounts | undefined;
  /** How many more versions the product has than are shown. */
  older: number;
  isFirst: boolean;
  days: VersionDay[];
  today: number;
};

function Version({ row, before, older, isFirst, days, today }: VersionProps) {
  const { product, version, sessions, crashed, ever_hung } = row;
  const named = { product: asking(product), version: asking(version) };
  const listed = (status: string) => address("/sessions", { ...named, status });
  const running = runningOf(row);
  return (
    <tr>
      {isFirst ? (
        <th scope="rowgroup">
          <a
            class="product"
            href={address("/sessions", { product: named.product })}
            title={titled(product)}
          >
            {product || "unnamed"}
          </a>
          {older > 0 ? <small class="quiet"> +{formatCount(older, "older version")}</small> : null}
        </th>
      ) : (
        <td></td>
      )}
      <th scope="row">
        <a href={address("/sessions", named)} title={titled(version)}>
          {version || "no version"}
        </a>
      </th>
      <td class="number">{formatNumber(sessions)}</td>
      <td class="number">{running === 0 ? <span class="quiet">–</span> : formatNumber(running)}</td>
      <td class="number">
        <Change row={row} before={before} />
        <a class="plain" href={listed("crashed")}>
          <Rate whole={sessions} failed={crashed} word="did not crash" />
        </a>
      </td>
      <td class="number">
        <a class="plain" href={listed("ever_hung")}>
          <Rate whole={sessions} failed={ever_hung} word="never hung" />
        </a>
      </td>
      <td>
        <Trend
          days={days.map((day) => ({ at: day.day_at, all: day.sessions, bad: day.crashed }))}
          from={today - (TREND_DAYS - 1) * DAY_MS}
          to={today}
          word={`Sessions and crashes of ${version || product} per day`}
        />
      </td>
      <td>
        <Time at={row.last_at} show="age" />
      </td>
    </tr>
  );
}

/** How the share without a crash moved since the version before, in percentage points. */
function Change({ row, before }: { row: VersionCounts; before: VersionCounts | undefined }) {
  if (!before || Math.min(row.sessions, before.sessions) < LEAST_SESSIONS) return null;
  const points = (before.crashed / before.sessions - row.crashed / row.sessions) * 100;
  if (Math.abs(points) < LEAST_CHANGE) return null;
  const way = points > 0 ? "up" : "down";
  return (
    <small class="change-since" data-way={way}>
      <span aria-hidden="true">{way === "up" ? "▲" : "▼"}</span>
      <span class="hidden">{way}</span> {Math.abs(points).toFixed(1)} pts vs{" "}
      {before.version || "no version"}
    </small>
  );
}

/** Of fewer sessions a share says little, and its change less. */
const LEAST_SESSIONS = 5;
/** Percentage points that are shown as a change: less would read as 0.0. */
const LEAST_CHANGE = 0.05;

function Crashes({ db }: { db: D1Database }) {
  return (
    <Panel
      id="crashes"
      title="Newest crashes"
      aside={
        <a class="tool" href="/sessions?status=crashed">
          All of them
        </a>
      }
    >
      {guarded("the crashes", async () => {
        const { items } = await listSessions(db, { status: ["crashed"], limit: HOME_ROWS });
        if (items.length === 0) return <Empty title="Nothing has crashed." />;
        return (
          <ol class="entries">
            {items.map((session) => (
              <li data-status="crashed">
                <a class="entry" href={`/sessions/${session.id}`}>
                  <StatusIcon status="crashed" />
                  <span class="entry-said">{session.headline}</span>
                  <span class="quiet">
                    {session.product} {session.version}
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
          All of them
        </a>
      }
    >
      {guarded("the exceptions", async () => {
        const { items } = await exceptionGroups(
          env.CATALOG,
          { status: "open", limit: HOME_ROWS },
          await listDecisions(env.REGISTRY),
        );
        if (items.length === 0) return <Empty title="No open exceptions." />;
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
        <span class="entry-said">
          <strong class="exception-type">{group.type}</strong> {group.message}
        </span>
        <span class="quiet">{formatCount(group.sessions, "session")}</span>
        <Time at={group.last_at} show="age" />
      </a>
    </li>
  );
}

function FirstRecording({ url }: { url: string }) {
  return (
    <section class="first" hx-get="/" hx-trigger="every 5s" hx-target="this" hx-swap="outerHTML">
      <h1>Nothing is recorded yet.</h1>
      <p>
        Datacat is a flight recorder for programs. Record any command as it is, or add a few lines
        to your own program; this page fills by itself.
      </p>
      <QuickStart url={url} now={Date.now()} />
    </section>
  );
}
