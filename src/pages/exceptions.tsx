/** Exceptions of all sessions: equal ones form a group, with its trend, an example and the decision about it. */
import { formatCount, formatDuration, formatNumber } from "../core/text/format.ts";
import { nameLabel, plainText } from "../core/text/recorded-text.ts";
import { Hono } from "hono";
import {
  type ExceptionGroup,
  exceptionDays,
  exceptionGroups,
  GROUP_SORTS,
  type GroupDay,
  type GroupQuery,
} from "../catalog/exceptions.ts";
import { asking, nameAsked } from "../core/text/names.ts";
import { type VersionCounts, versions } from "../catalog/products.ts";
import type { AccessEnv } from "../access/access.ts";
import { MAX_LISTED_EXCEPTIONS } from "../core/limits.ts";
import { GROUP_LIST } from "../core/events/group-fields.ts";
import { parseQueryOf } from "../core/query/parse.ts";
import { Refusal } from "../core/refusal.ts";
import { GROUP_STATUSES, type GroupStatus } from "../core/vocabulary.ts";
import type { Env } from "../env.ts";
import { listDecided } from "../registry/merges.ts";
import { groupRoutes } from "./exceptions/group.tsx";
import { mergeRoutes, SelectGroup } from "./exceptions/merged.tsx";
import { GroupTrend, pathOf, GroupStatusTag, groupStatus } from "./exceptions/group-status.tsx";
import { fragment, isFragment } from "./fragment.tsx";
import { GROUP_ROWS } from "./limits.ts";
import { TREND_DAYS } from "../catalog/limits.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded } from "./ui/panel.tsx";
import { NotUnderstood, readBox, SearchField, SearchForm } from "./ui/search-form.tsx";
import { Select } from "./ui/select.tsx";
import { Time } from "./ui/time.tsx";

export const exceptions = new Hono<AccessEnv>();

type Search = Pick<GroupQuery, "product" | "status" | "sort" | "cursor"> & {
  /** A query (core/events/group-fields.ts). */
  text?: string;
};

function readSearch(query: Record<string, string>): Search {
  const search: Search = {};
  const status = GROUP_STATUSES.find((each) => each === query.status);
  const sort = GROUP_SORTS.find((each) => each === query.sort);
  if (query.product) search.product = nameAsked(query.product);
  if (query.text?.trim()) search.text = query.text.trim();
  if (query.cursor) search.cursor = query.cursor;
  const shown = status ?? (query.status === "all" ? undefined : defaultStatus(search.text));
  if (shown) search.status = shown;
  if (sort) search.sort = sort;
  return search;
}

/** The open groups, unless the query has a condition on that; undefined: all. */
function defaultStatus(text = ""): GroupStatus | undefined {
  return /\b(status|is):/i.test(text) ? undefined : "open";
}

/** The search as query parameters, without those that have their default. */
function searchQuery({ product, status, text, sort }: Search): Record<string, string | undefined> {
  return {
    product: product === undefined ? undefined : asking(product),
    status: status === defaultStatus(text) ? undefined : (status ?? "all"),
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
      <Search search={search} known={await versions(c.env.CATALOG)} />
      {list}
    </>,
    { title, here: "/exceptions", name: "list-page", styles: ["exceptions"] },
  );
});

function titleOf({ product, status, text }: Search): string {
  const decision = status === "open" ? undefined : STATUS_CHOICES[status ?? "all"].toLowerCase();
  return ["Exceptions", product, decision, text].filter(Boolean).join(" ");
}

const STATUS_CHOICES = { open: "Open", resolved: "Resolved", muted: "Muted", all: "All" };
const SORT_CHOICES = {
  last_at: "Newest",
  first_at: "First seen",
  sessions: "Most sessions",
  count: "Most often",
};

function Search({ search, known }: { search: Search; known: VersionCounts[] }) {
  return (
    <SearchForm path="/exceptions" label="Exceptions" target="#list">
      <div class="search-main">
        <SearchField
          value={search.text}
          label="Search exceptions"
          placeholder="Text, or conditions as type:ValueError sessions:>10 first:<7d"
          suggestions="/suggest/exceptions"
        />
        <Select
          name="product"
          label="Product"
          now={search.product === undefined ? "" : asking(search.product)}
          options={productsOf(known)}
        />
        <Select
          name="status"
          label="Decision"
          now={search.status ?? "all"}
          options={STATUS_CHOICES}
        />
        <Select name="sort" label="Sort by" now={search.sort ?? "last_at"} options={SORT_CHOICES} />
        <button class="button without-script">Search</button>
      </div>
    </SearchForm>
  );
}

function productsOf(known: VersionCounts[]): Record<string, string> {
  return {
    "": "Any product",
    ...Object.fromEntries(
      known.map(({ product }) => [asking(product), nameLabel(product, "unnamed")]),
    ),
  };
}

function Groups({ env, search }: { env: Env; search: Search }) {
  return (
    <section id="list" class="panel list" aria-label="Exceptions found">
      {guarded("the exceptions", async () => {
        const now = Date.now();
        const { text, ...asked } = search;
        const query = readBox(() => (text ? parseQueryOf(GROUP_LIST, text, now) : undefined));
        if (query instanceof Refusal) return <NotUnderstood query={text ?? ""} refusal={query} />;
        const decided = await listDecided(env.REGISTRY, search.product);
        const { items, next, incomplete_sessions } = await exceptionGroups(
          env.CATALOG,
          { ...asked, query, limit: GROUP_ROWS },
          decided,
        );
        const further = next && address("/exceptions", { ...searchQuery(search), cursor: next });
        const trends = await exceptionDays(env.CATALOG, items, now, TREND_DAYS);
        if (items.length === 0) {
          return (
            <Empty
              title={
                further
                  ? "None found so far"
                  : search.text || search.product
                    ? "No exceptions match these filters"
                    : "No exceptions"
              }
            >
              {further ? (
                <p>
                  Not all groups were searched. <a href={further}>Search further</a>
                </p>
              ) : null}
              <p>Logged and uncaught exceptions are grouped here by type and place in the code.</p>
              <Ungrouped sessions={incomplete_sessions} />
            </Empty>
          );
        }
        return (
          <>
            <form id="merge" method="post" action="/exceptions/merges">
              <ol class="groups">
                {items.map((group, index) => (
                  <Group group={group} days={trends[index] ?? []} now={now} />
                ))}
              </ol>
            </form>
            <Ungrouped sessions={incomplete_sessions} />
            <footer class="list-foot">
              {items.length < 2 ? null : (
                <button
                  class="tool"
                  form="merge"
                  title="Select two or more groups of one product that have one cause. They are shown as one, under the name of the oldest, until you split them."
                >
                  Merge selected
                </button>
              )}
              {further === null ? null : (
                <a class="tool" rel="next" href={further}>
                  Older ›
                </a>
              )}
            </footer>
          </>
        );
      })}
    </section>
  );
}

/** What the groups leave out. */
function Ungrouped({ sessions }: { sessions: number }) {
  if (sessions === 0) return null;
  return (
    <p class="panel-note quiet">
      {formatCount(sessions, "session")} had exceptions of more than {MAX_LISTED_EXCEPTIONS} kinds,
      or {sessions === 1 ? "is" : "are"} damaged; what is in no group is on the pages of the
      sessions only.
    </p>
  );
}

type GroupProps = { group: ExceptionGroup; days: GroupDay[]; now: number };

function Group({ group, days, now }: GroupProps) {
  return (
    <li class="group-row" data-group-status={groupStatus(group)}>
      <SelectGroup group={group} />
      <a class="group-title" href={pathOf(group)}>
        <strong class="exception-type">{nameLabel(group.type, "Exception")}</strong>
        <span title={plainText(group.message)}>
          {plainText(group.count === 1 ? group.message : group.template)}
        </span>
        {group.place === "" ? null : <code class="exception-place">{plainText(group.place)}</code>}
      </a>
      <GroupTrend days={days} now={now} />
      <span class="group-figures">
        <span>
          <strong>{formatNumber(group.count)}</strong>×
        </span>
        <span>
          {group.sessions_at_most ? "at most " : ""}
          {formatCount(group.sessions, "session")}
        </span>
        {group.fingerprints.length > 1 ? (
          <span class="tag">{group.fingerprints.length} merged</span>
        ) : null}
        {group.unhandled > 0 ? (
          <span class="tag danger">
            {group.unhandled === group.count
              ? "unhandled"
              : `${formatNumber(group.unhandled)} unhandled`}
          </span>
        ) : null}
        <span class="quiet">{nameLabel(group.product, "unnamed")}</span>
        <span class="quiet">
          <Time at={group.last_at} show="age" />
          {group.first_at === group.last_at
            ? null
            : `, ${formatDuration(group.last_at - group.first_at)} after the first`}
        </span>
        <GroupStatusTag group={group} />
      </span>
    </li>
  );
}

exceptions.route("/", mergeRoutes);
exceptions.route("/", groupRoutes);
