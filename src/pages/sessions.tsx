/** The list of sessions with its search, filters, sorting and saved views; all of it is in the address. */
import { nameLabel } from "../core/text/recorded-text.ts";
import { formatCount, formatNumber, formatQuantity } from "../core/text/format.ts";
import { Hono } from "hono";
import { STATUS_KINDS } from "../catalog/search/filter.ts";
import { Refusal } from "../core/refusal.ts";
import { rollups } from "../catalog/metrics.ts";
import { type VersionCounts, versions } from "../catalog/products.ts";
import { type KeyedList, keyedSessions, type SessionList } from "../catalog/search/sessions.ts";
import { columnValues } from "../catalog/columns.ts";
import { matchesOf } from "../catalog/search/matches.ts";
import type { Env } from "../env.ts";
import type { AccessEnv } from "../access/access.ts";
import type { Access } from "../core/access/authority.ts";
import { askHeld } from "../session/client.ts";
import {
  Chips,
  COUNTED,
  type Counted,
  counted,
  isCounted,
  KIND_LABELS,
  MoreFilters,
  Within,
} from "./filters.tsx";
import { withMerged } from "../registry/merges.ts";
import { fragment, isFragment, parametersBefore } from "./fragment.tsx";
import { LIST_ROWS, MAX_COMPARED } from "./limits.ts";
import {
  isMoved,
  passing,
  readFilter,
  readTyped,
  type SessionSearch,
  searchQuery,
} from "./search.ts";
import { ProductSelects, SearchBox, SharedParts } from "./search-fields.tsx";
import { address } from "./ui/address.ts";
import { Empty, Unpublished } from "./ui/empty.tsx";
import { guarded } from "./ui/panel.tsx";
import { NotUnderstood, readBox, SearchForm } from "./ui/search-form.tsx";
import { SessionTable } from "./ui/session-table.tsx";
import { FIGURES } from "../core/query/fields.ts";
import { distinctStep } from "../core/text/scale.ts";
import { Sparkline } from "./ui/sparkline.tsx";
import { Time } from "./ui/time.tsx";
import { Views } from "./views.tsx";
import { ColumnFields, columnNamed, PLAIN_COLUMNS } from "./sessions/columns.tsx";
import { Newer, newer } from "./sessions/newer.tsx";

export const sessions = new Hono<AccessEnv>();
sessions.route("/", newer);

sessions.get("/sessions", async (c) => {
  const query = new URL(c.req.url).searchParams;
  const before = isFragment(c) ? parametersBefore(c) : undefined;
  const { search, changed } = before
    ? readTyped(query, before, Date.now())
    : { search: readFilter(query, Date.now()), changed: new Set<never>() };
  if (!isFragment(c) && isMoved(query, search))
    return c.redirect(
      address("/sessions", { ...searchQuery(search), cursor: query.get("cursor") ?? "" }),
    );
  const known = await versions(c.env.CATALOG);
  const title = titleOf(search);
  const list = <List env={c.env} access={c.var.access} search={search} known={known} />;
  if (isFragment(c)) {
    return fragment(
      c,
      { path: address("/sessions", searchQuery(search)), title },
      <>
        {list}
        <SharedParts
          search={search}
          changed={changed}
          known={known}
          placeholder={PLACEHOLDER}
          status={<Kinds search={search} known={known} />}
        />
        {COUNTED.map((kind) => (
          <hx-partial hx-target={`#count-${kind}`} hx-swap="textContent">
            {statusCount(search, known, kind)}
          </hx-partial>
        ))}
      </>,
    );
  }
  return c.render(
    <>
      <h1 class="page-title">Sessions</h1>
      <Views
        db={c.env.REGISTRY}
        page="/sessions"
        query={address("", searchQuery(search)).slice(1)}
      />
      <Search search={search} known={known} />
      {list}
    </>,
    {
      title,
      here: "/sessions",
      name: "list-page",
      styles: ["sessions"],
      scripts: ["selection.js"],
    },
  );
});

function titleOf({ filter, query }: SessionSearch): string {
  const { product, version, status } = filter;
  const kinds = status?.map((kind) => KIND_LABELS[kind].toLowerCase()).join(", ");
  return ["Sessions", product, version, kinds, query].filter(Boolean).join(" ");
}

/** What the list can be sorted by, by label: every column, and what it is sorted by now. */
function sortsOf({ sort, columns }: SessionSearch): [name: string, label: string][] {
  const named = [...columns, sort].flatMap((name) => columnNamed(name) ?? []);
  const all = [{ name: "status", label: "Status" }, ...PLAIN_COLUMNS, ...named];
  return [...new Map(all.map(({ name, label }) => [name, label]))];
}

type SearchProps = { search: SessionSearch; known: VersionCounts[] };

function Search({ search, known }: SearchProps) {
  const { filter } = search;
  return (
    <SearchForm path="/sessions" label="Sessions" target="#list">
      <div class="search-main">
        <SearchBox query={search.query} placeholder={PLACEHOLDER} />
        <ProductSelects filter={filter} known={known} />
        <Within search={search} />
        <label class="select">
          <span class="hidden">Sort by</span>
          <select name="sort">
            {sortsOf(search).map(([name, label]) => (
              <option value={name} selected={name === search.sort}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label class="select">
          <span class="hidden">Order</span>
          <select name="order">
            <option value="desc">Descending</option>
            <option value="asc" selected={search.order === "asc"}>
              Ascending
            </option>
          </select>
        </label>
        <button class="button without-script">Search</button>
      </div>
      <Kinds search={search} known={known} />
      <MoreFilters search={search} column />
      <ColumnFields chosen={search.columns} />
    </SearchForm>
  );
}

const PLACEHOLDER = "Any text, or conditions as version:>=1.2 state.level:>3 -is:ended";

function Kinds({ search, known }: SearchProps) {
  return (
    <fieldset id="status" class="kinds">
      <legend class="hidden">Status</legend>
      {STATUS_KINDS.map((kind) => (
        <label class="kind" data-status={kind.replace(/^(ever_)?hung.*/, "hung")}>
          <input
            type="checkbox"
            name="status"
            value={kind}
            checked={search.filter.status?.includes(kind)}
          />
          <span>{KIND_LABELS[kind]}</span>
          {isCounted(kind) ? (
            <small id={`count-${kind}`}>{statusCount(search, known, kind)}</small>
          ) : null}
        </label>
      ))}
    </fieldset>
  );
}

/** How many sessions of this status there are; "" if another filter would have to be counted too. */
function statusCount(search: SessionSearch, known: VersionCounts[], kind: Counted): string {
  return isCountedSearch(search) ? formatNumber(counted(known, search.filter, kind)) : "";
}

/** Whether it asks for nothing but a product, a version and statuses. */
function isCountedSearch({ filter, query }: SessionSearch): boolean {
  const { product: _product, version: _version, status: _status, ...rest } = filter;
  return Object.keys(rest).length === 0 && query === "";
}

type ListProps = { env: Env; access: Access; search: SessionSearch; known: VersionCounts[] };

function List(props: ListProps) {
  return (
    <section id="list" class="panel list" aria-label="Sessions found">
      {guarded("the sessions", () => found(props))}
    </section>
  );
}

async function found({ env, access, search, known }: ListProps) {
  const { metric } = search;
  const db = env.CATALOG;
  const asked = readBox(() => passing(search, Date.now()));
  if (asked instanceof Refusal)
    return (
      <>
        <Chips search={search} count={undefined} />
        <NotUnderstood query={search.query} refusal={asked} />
      </>
    );
  const filter = await withMerged(env.REGISTRY, asked);
  const query = { ...filter, ...search.page, limit: LIST_ROWS };
  const page = await keyedSessions(db, query, askHeld(env, access));
  const matches = await matchesOf(db, page, filter);
  const ids = page.items.map(({ id }) => id);
  const drawn = metric ? await rollups(db, ids, metric) : undefined;
  const { columns, values } = await chosenOf(db, page, search);
  const lastStep = distinctStep([...(drawn?.values() ?? [])].map(({ last }) => last));
  const at = (cursor: string) => address("/sessions", { ...searchQuery(search), cursor });
  const [before, after] = pagingLabels(search);
  return (
    <form method="get" action="/compare">
      <Chips search={search} count={countOf(page, search, known)} />
      <UnknownColumns names={search.unknownColumns} />
      <Newer page={page} search={search} />
      {page.items.length === 0 ? (
        <NoneFound page={page} further={page.next === null ? undefined : at(page.next)} />
      ) : (
        <div class="scroller">
          <SessionTable
            rows={page.items}
            caption="Sessions found"
            columns={columns}
            values={values}
            matches={matches}
            selectable
            sorting={{
              sort: search.sort,
              order: search.order,
              path: (sort, order) => address("/sessions", searchQuery({ ...search, sort, order })),
            }}
            extra={
              drawn && metric
                ? {
                    title: metric,
                    cell: ({ id }) => {
                      const there = drawn.get(id);
                      return there ? (
                        <span class="spark">
                          <Sparkline
                            rollup={there.rollup}
                            name={nameLabel(metric)}
                            unit={nameLabel(there.unit, "")}
                          />
                          <small title={`last value ${there.last}`}>
                            {formatQuantity(there.last, nameLabel(there.unit, ""), lastStep)}
                          </small>
                        </span>
                      ) : (
                        <span class="quiet">–</span>
                      );
                    },
                  }
                : undefined
            }
          />
        </div>
      )}
      <footer class="list-foot">
        <button class="tool" data-compare={MAX_COMPARED}>
          Compare selected
        </button>
        <button class="tool" type="button" data-untick hidden>
          Clear selection
        </button>
        {Object.keys(search.filter).length === 0 && search.query === "" ? null : (
          <a class="tool" href={address("/distinctions", searchQuery(search))}>
            What distinguishes these?
          </a>
        )}
        <Searched page={page} search={search} />
        <nav class="pages" aria-label="Pages of the list">
          {page.previous === null ? null : (
            <a class="tool" rel="prev" href={at(page.previous)}>
              ‹ {before}
            </a>
          )}
          {page.next === null ? null : (
            <a class="tool" rel="next" href={at(page.next)}>
              {after} ›
            </a>
          )}
        </nav>
      </footer>
    </form>
  );
}

/** The chosen columns, and what they show; undefined: the default ones. */
async function chosenOf(db: D1Database, { items, keys }: KeyedList, search: SessionSearch) {
  if (search.columns.length === 0) return { columns: undefined, values: undefined };
  const columns = search.columns.flatMap((name) => columnNamed(name) ?? []);
  const sorts = columns.map(({ sort }) => sort);
  return { columns, values: await columnValues(db, items, keys, sorts) };
}

function UnknownColumns({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  const shown = names.map((name) => `“${nameLabel(name)}”`).join(", ");
  return (
    <p class="unknown">
      {`${names.length === 1 ? "There is no column" : "There are no columns"} ${shown}. Write metric.NAME.FIGURE (${FIGURES.join(", ")}), event.NAME, state.PATH or tag.KEY.`}
    </p>
  );
}

/** "None" only if every session was looked at. */
function NoneFound({ page, further }: { page: SessionList; further: string | undefined }) {
  if (page.partial) {
    return (
      <Empty title="None found so far">
        {further === undefined ? (
          <p>Not all sessions were searched.</p>
        ) : (
          <p>
            Not all sessions were searched. <a href={further}>Search further</a>
          </p>
        )}
      </Empty>
    );
  }
  return (
    <Empty title="No sessions match these filters">
      {page.published_to === null ? null : <Unpublished />}
      <p>
        <a href="/sessions">Clear filters</a> or <a href="/docs">record a session</a>
      </p>
    </Empty>
  );
}

/** How far the list looked, and how to search the rest. */
function Searched({ page, search }: { page: SessionList; search: SessionSearch }) {
  const unsure = page.items.filter((row) => row.unsure).length;
  const byStart = address(
    "/sessions",
    searchQuery({ ...search, sort: "created_at", order: "desc" }),
  );
  return (
    <>
      {page.searched_to === null ? null : (
        <span class="quiet">
          Searched back to <Time at={page.searched_to} show="minute" />
          {page.next === null ? (
            <>
              . <a href={byStart}>Sort by start</a> to search older sessions
            </>
          ) : null}
        </span>
      )}
      {unsure === 0 ? null : (
        <span class="quiet">
          {formatCount(unsure, "session")} marked “maybe” could not be searched completely
        </span>
      )}
    </>
  );
}

function pagingLabels({ sort, order }: SessionSearch): [before: string, after: string] {
  if (sort !== "created_at") return ["Previous", "Next"];
  return order === "desc" ? ["Newer", "Older"] : ["Older", "Newer"];
}

/** The number of sessions that match, if it is known without counting them. */
function countOf(
  { items, next, previous, searched_to }: SessionList,
  search: SessionSearch,
  known: VersionCounts[],
): number | undefined {
  if (next === null && previous === null && searched_to === null) return items.length;
  const { filter } = search;
  const [kind, ...others] = filter.status ?? [];
  if (!isCountedSearch(search) || others.length > 0) return undefined;
  if (kind === undefined) return counted(known, filter);
  return isCounted(kind) ? counted(known, filter, kind) : undefined;
}
