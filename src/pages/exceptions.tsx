/** Exceptions over all sessions: the same failure is one group, with its trend, an example, and what was decided about it. */
import { sessionOf } from "../session/client.ts";
import { formatCount, formatNumber } from "../core/format.ts";
import { type Context, Hono } from "hono";
import {
  type ExceptionGroup,
  exceptionDays,
  exceptionGroup,
  exceptionGroups,
  GROUP_SORTS,
  type GroupDay,
  type GroupQuery,
} from "../catalog/exceptions.ts";
import { asking, nameAsked } from "../catalog/filter.ts";
import { type VersionCounts, versions } from "../catalog/products.ts";
import { listSessions } from "../catalog/sessions.ts";
import type { AccessEnv } from "../access/access.ts";
import { Refusal } from "../core/refusal.ts";
import { GROUP_STATUSES } from "../core/vocabulary.ts";
import type { Env } from "../env.ts";
import { decide, listDecisions } from "../registry/decisions.ts";
import { fragment, isFragment } from "./fragment.tsx";
import { TREND_DAYS } from "../catalog/limits.ts";
import { GROUP_ROWS, LIST_ROWS } from "./limits.ts";
import { Exception } from "./session/exception.tsx";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { Select } from "./ui/select.tsx";
import { SessionTable } from "./ui/session-table.tsx";
import { DAY_MS } from "../core/limits.ts";
import { Trend } from "./ui/sparkline.tsx";
import { Time } from "./ui/time.tsx";

export const exceptions = new Hono<AccessEnv>();

type Search = Pick<GroupQuery, "product" | "status" | "text" | "sort" | "cursor">;

function readSearch(query: Record<string, string>): Search {
  const search: Search = {};
  const status = GROUP_STATUSES.find((each) => each === query.status);
  const sort = GROUP_SORTS.find((each) => each === query.sort);
  if (query.product) search.product = nameAsked(query.product);
  if (query.text?.trim()) search.text = query.text.trim();
  if (query.cursor) search.cursor = query.cursor;
  // Without a word about it, what nobody has dealt with yet.
  if (query.status !== "all") search.status = status ?? "open";
  if (sort) search.sort = sort;
  return search;
}

/** The search as an address says it; what is as always is left out. */
function searchQuery({ product, status, text, sort }: Search): Record<string, string | undefined> {
  return {
    product: product === undefined ? undefined : asking(product),
    status: status === undefined ? "all" : status === "open" ? undefined : status,
    text,
    sort: sort === "last_at" ? undefined : sort,
  };
}

exceptions.get("/exceptions", async (c) => {
  const search = readSearch(c.req.query());
  const list = <Groups env={c.env} search={search} />;
  const title = titleOf(search);
  if (isFragment(c)) {
    return fragment(c, { path: address("/exceptions", searchQuery(search)), title }, list);
  }
  return c.render(
    <>
      <h1 class="page-title">Exceptions</h1>
      <SearchForm search={search} known={await versions(c.env.CATALOG)} />
      {list}
    </>,
    { title, here: "/exceptions", name: "list-page" },
  );
});

function titleOf({ product, status, text }: Search): string {
  const standing = status === "open" ? undefined : STATUS_CHOICES[status ?? "all"].toLowerCase();
  return ["Exceptions", product, standing, text].filter(Boolean).join(" ");
}

const STATUS_CHOICES = { open: "Open", resolved: "Resolved", muted: "Muted", all: "All" };
const SORT_CHOICES = {
  last_at: "Newest",
  first_at: "First seen",
  sessions: "Most sessions",
  count: "Most often",
};

function SearchForm({ search, known }: { search: Search; known: VersionCounts[] }) {
  return (
    <form
      class="search panel"
      method="get"
      action="/exceptions"
      role="search"
      aria-label="Exceptions"
      hx-get="/exceptions"
      hx-trigger="submit, input delay:300ms"
      hx-target="#list"
      hx-swap="outerHTML"
      hx-sync="this:replace"
    >
      <div class="search-main">
        <input
          type="search"
          name="text"
          value={search.text ?? ""}
          placeholder="Type, message, fingerprint"
          aria-label="Search exceptions"
          autocomplete="off"
          data-search
        />
        <Select
          name="product"
          word="Product"
          now={search.product === undefined ? "" : asking(search.product)}
          options={productsOf(known)}
        />
        <Select
          name="status"
          word="Decision"
          now={search.status ?? "all"}
          options={STATUS_CHOICES}
        />
        <Select name="sort" word="Sort by" now={search.sort ?? "last_at"} options={SORT_CHOICES} />
        <button class="button without-script">Search</button>
      </div>
    </form>
  );
}

function productsOf(known: VersionCounts[]): Record<string, string> {
  return {
    "": "Any product",
    ...Object.fromEntries(known.map(({ product }) => [asking(product), product || "unnamed"])),
  };
}

function Groups({ env, search }: { env: Env; search: Search }) {
  return (
    <section id="list" class="panel list" aria-label="Exceptions found">
      {guarded("the exceptions", async () => {
        const now = Date.now();
        const decisions = await listDecisions(env.REGISTRY, search.product);
        const query = { ...search, limit: GROUP_ROWS };
        const { items, next } = await exceptionGroups(env.CATALOG, query, decisions);
        const trends = await exceptionDays(env.CATALOG, items, now, TREND_DAYS);
        if (items.length === 0) {
          return (
            <Empty
              title={
                search.text || search.product ? "No exception is like that." : "No exceptions here."
              }
            >
              <p>
                Exceptions that programs log, or die of, are grouped here by where they come from.
              </p>
            </Empty>
          );
        }
        return (
          <>
            <ol class="groups">
              {items.map((group, index) => (
                <Group group={group} days={trends[index] ?? []} now={now} />
              ))}
            </ol>
            {next === null ? null : (
              <footer class="list-foot">
                <a
                  class="tool"
                  rel="next"
                  href={address("/exceptions", { ...searchQuery(search), cursor: next })}
                >
                  Older ›
                </a>
              </footer>
            )}
          </>
        );
      })}
    </section>
  );
}

type GroupProps = { group: ExceptionGroup; days: GroupDay[]; now: number };

function Group({ group, days, now }: GroupProps) {
  return (
    <li class="group-row" data-standing={standing(group)}>
      <a class="group-said" href={pathOf(group)}>
        <strong class="exception-type">{group.type || "Exception"}</strong>
        <span>{group.message}</span>
      </a>
      <GroupTrend days={days} now={now} />
      <span class="group-facts">
        <span>
          <strong>{formatNumber(group.count)}</strong>×
        </span>
        <span>{formatCount(group.sessions, "session")}</span>
        <span class="quiet">{group.product}</span>
        <span class="quiet">
          <Time at={group.first_at} show="age" /> – <Time at={group.last_at} show="age" />
        </span>
        <Standing group={group} />
      </span>
    </li>
  );
}

function GroupTrend({ days, now }: { days: GroupDay[]; now: number }) {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const perDay = Map.groupBy(days, ({ day_at }) => day_at);
  return (
    <Trend
      days={[...perDay].map(([at, rows]) => {
        const count = rows.reduce((sum, row) => sum + row.count, 0);
        return { at, all: count, bad: count };
      })}
      from={today - (TREND_DAYS - 1) * DAY_MS}
      to={today}
      word={`How often per day, last ${TREND_DAYS} days`}
    />
  );
}

function standing({ status, returned_at }: ExceptionGroup): string {
  return returned_at === null ? status : "returned";
}

function Standing({ group }: { group: ExceptionGroup }) {
  const { status, resolved_version, returned_at } = group;
  if (returned_at !== null) {
    return (
      <span class="tag danger">
        came back <Time at={returned_at} show="age" />
      </span>
    );
  }
  if (status === "resolved")
    return <span class="tag">resolved{resolved_version ? ` in ${resolved_version}` : ""}</span>;
  return status === "muted" ? <span class="tag">muted</span> : null;
}

export function pathOf({
  fingerprint,
  product,
}: Pick<ExceptionGroup, "fingerprint" | "product">): string {
  return address(`/exceptions/${encodeURIComponent(fingerprint)}`, { product: asking(product) });
}

exceptions.get("/exceptions/:fingerprint", async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const db = c.env.CATALOG;
  const product = c.req.query("product");
  const group = await findGroup(c.env, fingerprint, product && nameAsked(product));
  const now = Date.now();
  const [[days = []], found] = await Promise.all([
    exceptionDays(db, [group], now, TREND_DAYS),
    listSessions(db, { product: group.product, exception: fingerprint, limit: LIST_ROWS }),
  ]);
  return c.render(
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href="/exceptions">Exceptions</a>
        <a href={address("/exceptions", { product: asking(group.product) })}>
          {group.product || "unnamed"}
        </a>
      </nav>
      <header class="group-header" data-standing={standing(group)}>
        <h1>
          <span class="exception-type">{group.type || "Exception"}</span>
        </h1>
        <p class="group-message">{group.message}</p>
        <dl class="facts">
          <Fact word="Happened">{formatCount(group.count, "time")}</Fact>
          <Fact word="In">{formatCount(group.sessions, "session")}</Fact>
          <Fact word="Versions">
            {[...new Set(days.map(({ version }) => version))].join(", ") || "–"}
          </Fact>
          <Fact word="First">
            <Time at={group.first_at} />
          </Fact>
          <Fact word="Last">
            <Time at={group.last_at} />
          </Fact>
          <Fact word={`Last ${TREND_DAYS} days`}>
            <GroupTrend days={days} now={now} />
          </Fact>
        </dl>
        <Decide group={group} newest={found.items[0]?.version} />
      </header>
      <Panel
        id="example"
        title="Its last occurrence"
        aside={
          <>
            <a class="tool" href={`/sessions/${group.session_id}?t=${group.session_at}`}>
              Session at that moment
            </a>
            <a class="tool" href={address("/compare", { ids: group.session_id, with: "good" })}>
              Compare with the last good run
            </a>
          </>
        }
      >
        {guarded("the example", () => example(c, group))}
      </Panel>
      <Panel
        id="sessions"
        title="Sessions that had it"
        aside={<span class="count">{formatNumber(group.sessions)}</span>}
      >
        <div class="scroller">
          <SessionTable rows={found.items} caption="Sessions that had it" />
        </div>
        {found.next === null ? null : (
          <footer class="list-foot">
            <a
              class="tool"
              href={address("/sessions", {
                product: asking(group.product),
                exception: fingerprint,
              })}
            >
              All of them
            </a>
          </footer>
        )}
      </Panel>
    </>,
    { title: `${group.type} · Exceptions`, here: "/exceptions", name: "group-page" },
  );
});

function Fact({ word, children }: { word: string; children: unknown }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

async function example(c: Context<AccessEnv>, group: ExceptionGroup) {
  const session = sessionOf(c.env, c.var.access, group.session_id);
  const page = await session.ask("events", {
    exceptions: true,
    from: group.session_at,
    order: "asc",
    limit: LIST_ROWS,
  });
  const event = page.items.find(({ fingerprint }) => fingerprint === group.fingerprint);
  return event ? <Exception event={event} /> : <Empty title="Its session no longer has it." />;
}

/** Resolving says in which version, so that coming back in a later one is news. */
function Decide({ group, newest }: { group: ExceptionGroup; newest: string | undefined }) {
  const isOpen = group.status === "open" || group.returned_at !== null;
  return (
    <form
      class="decide"
      method="post"
      action={`/exceptions/${encodeURIComponent(group.fingerprint)}`}
    >
      <input type="hidden" name="product" value={group.product} />
      <Standing group={group} />
      {isOpen ? (
        <>
          <label>
            Resolved in version{" "}
            <input name="version" value={newest ?? ""} size={10} autocomplete="off" />
          </label>
          <button class="button" name="status" value="resolved">
            Mark resolved
          </button>
          <button class="button quiet-button" name="status" value="muted">
            Mute
          </button>
        </>
      ) : (
        <button class="button quiet-button" name="status" value="open">
          Open again
        </button>
      )}
    </form>
  );
}

exceptions.post("/exceptions/:fingerprint", async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const form = await c.req.parseBody();
  const status = GROUP_STATUSES.find((each) => each === form.status);
  const product = typeof form.product === "string" ? form.product : "";
  if (!status) throw new Refusal("invalid_body", "A group can be open, resolved or muted.");
  const version = typeof form.version === "string" ? form.version.trim() : "";
  await findGroup(c.env, fingerprint, product);
  const { by } = c.var.access;
  await decide(c.env.REGISTRY, { product, fingerprint, status, version, by }, Date.now());
  return c.redirect(pathOf({ fingerprint, product }), 303);
});

/** The group of a fingerprint (in this product) that happened last, with its decision; refuses if there is none. */
async function findGroup(
  env: Env,
  fingerprint: string,
  product: string | undefined,
): Promise<ExceptionGroup> {
  const decisions = await listDecisions(env.REGISTRY, product);
  const [group] = await exceptionGroup(env.CATALOG, fingerprint, product, decisions);
  if (group) return group;
  throw new Refusal(
    "not_found",
    "No session has had this exception, or all that had it are deleted.",
  );
}
