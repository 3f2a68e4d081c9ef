/** Home: how every product and version does, what runs now, what failed last. */
import { Hono } from "hono";
import {
  asking,
  type ExceptionGroup,
  exceptionGroups,
  listSessions,
  type SessionRow,
  type VersionCounts,
  type VersionDay,
  versionDays,
  versions,
} from "../catalog/index.ts";
import type { Env } from "../env.ts";
import { pathOf } from "./exceptions.tsx";
import { HOME_ROWS, HOME_VERSIONS, TREND_DAYS } from "./limits.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { digits, many } from "./ui/quantity.ts";
import { QuickStart } from "./ui/quick-start.tsx";
import { Rate } from "./ui/rate.tsx";
import { DAY_MS, Trend } from "./ui/sparkline.tsx";
import { Lamp } from "./ui/status.tsx";
import { duration, Time } from "./ui/time.tsx";

export const home = new Hono<{ Bindings: Env }>();

home.get("/", async (c) => {
  const db = c.env.CATALOG;
  const now = Date.now();
  const counts = await versions(db);
  if (counts.length === 0)
    return c.render(<FirstRecording url={new URL(c.req.url).origin} />, FRAME);
  return c.render(
    <>
      <h1 class="hidden">Home</h1>
      <div class="home">
        <Running db={db} />
        {guarded("the products", async () => (
          <Products
            counts={counts}
            days={await versionDays(db, now, { days: TREND_DAYS })}
            now={now}
          />
        ))}
        <div class="columns">
          <Crashes db={db} />
          <Exceptions db={db} />
        </div>
      </div>
    </>,
    FRAME,
  );
});

const FRAME = { title: "Home", here: "/", name: "home" };

/** Fetched again while someone looks: page.js lets no hidden tab ask. */
home.get("/running", (c) => c.html(<Running db={c.env.CATALOG} />));

function Running({ db }: { db: D1Database }) {
  return (
    <section
      id="running"
      class="panel running"
      aria-labelledby="running-title"
      hx-get="/running"
      hx-trigger="every 5s"
      hx-swap="outerMorph"
    >
      {guarded("what runs now", async () => {
        const { items, next } = await listSessions(db, {
          status: ["active", "hung", "suspended"],
          limit: HOME_ROWS,
        });
        return (
          <>
            <header class="panel-head">
              <h2 id="running-title">Running now</h2>
              <span class="count">
                {digits(items.length)}
                {next === null ? "" : "+"}
              </span>
              <a class="tool" href="/sessions?status=active&status=hung&status=suspended">
                All of them
              </a>
            </header>
            {items.length === 0 ? (
              <p class="panel-note quiet">Nothing runs at the moment.</p>
            ) : null}
            <ul class="session-cards">
              {items.map((session) => (
                <Card session={session} />
              ))}
            </ul>
          </>
        );
      })}
    </section>
  );
}

function Card({ session }: { session: SessionRow }) {
  return (
    <li data-status={session.status}>
      <a class="card" href={`/sessions/${session.id}`}>
        <Lamp status={session.status} />
        <strong>{session.product || "unnamed"}</strong> <span class="quiet">{session.version}</span>
        <span class="card-said">{session.headline}</span>
        <span class="card-facts">
          {session.hostname === "" ? "" : `${session.hostname} · `}
          <span data-since={session.status === "active" ? session.created_at : undefined}>
            {duration(session.updated_at - session.created_at)}
          </span>{" "}
          · {many(session.events, "event")}
          {session.exceptions > 0 ? ` · ${many(session.exceptions, "exception")}` : ""}
        </span>
      </a>
    </li>
  );
}

type ProductsProps = { counts: VersionCounts[]; days: VersionDay[]; now: number };

/** One table for all: versions of a product stand together under its name. */
function Products({ counts, days, now }: ProductsProps) {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  return (
    <section class="panel" aria-labelledby="products-title">
      <header class="panel-head">
        <h2 id="products-title">Products</h2>
        <span class="count">
          {many(
            counts.reduce((sum, row) => sum + row.sessions, 0),
            "session",
          )}
        </span>
      </header>
      <div class="scroller">
        <table class="versions">
          <thead>
            <tr>
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
          {[...Map.groupBy(counts, ({ product }) => product)].map(([product, versionsOf]) => (
            <tbody>
              <tr>
                <th scope="rowgroup" colspan={7}>
                  <a class="product" href={address("/sessions", { product: asking(product) })}>
                    {product || "unnamed"}
                  </a>
                  {versionsOf.length > HOME_VERSIONS ? (
                    <span class="quiet">
                      {" "}
                      and {many(versionsOf.length - HOME_VERSIONS, "older version")}
                    </span>
                  ) : null}
                </th>
              </tr>
              {versionsOf.slice(0, HOME_VERSIONS).map((row) => (
                <Version
                  row={row}
                  days={days.filter(
                    (day) => day.product === product && day.version === row.version,
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

type VersionProps = { row: VersionCounts; days: VersionDay[]; today: number };

function Version({ row, days, today }: VersionProps) {
  const { product, version, sessions, crashed, ever_hung } = row;
  const named = { product: asking(product), version: asking(version) };
  const listed = (status: string) => address("/sessions", { ...named, status });
  return (
    <tr>
      <th scope="row">
        <a href={address("/sessions", named)}>{version || "no version"}</a>
      </th>
      <td class="number">{digits(sessions)}</td>
      <td class="number">{row.active === 0 ? <span class="quiet">–</span> : digits(row.active)}</td>
      <td class="number">
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
                  <Lamp status="crashed" />
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

function Exceptions({ db }: { db: D1Database }) {
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
        const { items } = await exceptionGroups(db, { status: "open", limit: HOME_ROWS });
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
        <span class="quiet">{many(group.sessions, "session")}</span>
        <Time at={group.last_at} show="age" />
      </a>
    </li>
  );
}

function FirstRecording({ url }: { url: string }) {
  return (
    <section class="first">
      <h1>Nothing is recorded yet.</h1>
      <p>
        Datacat is a flight recorder for programs. Record any command as it is, or add a few lines
        to your own program; this page fills by itself.
      </p>
      <QuickStart url={url} now={Date.now()} />
    </section>
  );
}
