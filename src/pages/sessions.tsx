/** All sessions: found by words, facets and what they ever were, in any order, and all of it in the address. */
import { type Context, Hono } from "hono";
import {
  eventNames,
  listSessions,
  listViews,
  metricNames,
  saveView,
  deleteView,
  type SessionFilter,
  SESSION_SORTS,
  STATUS_KINDS,
  type StatusKind,
  statePaths,
  stateValues,
  strips,
  type VersionCounts,
  versions,
} from "../catalog/index.ts";
import { valueText } from "../core/values.ts";
import type { Env } from "../env.ts";
import { ask } from "../session/ask.ts";
import { LIST_ROWS, SUGGESTIONS } from "./limits.ts";
import { readFilter, type SessionSearch, searchQuery } from "./search.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded } from "./ui/panel.tsx";
import { digits } from "./ui/quantity.ts";
import { SessionTable } from "./ui/session-table.tsx";
import { Sparkline } from "./ui/sparkline.tsx";
import { Time } from "./ui/time.tsx";

export const sessions = new Hono<{ Bindings: Env }>();

sessions.get("/sessions", async (c) => {
  const search = readFilter(new URL(c.req.url).searchParams);
  const known = await versions(c.env.CATALOG);
  if (isFragment(c)) {
    return c.html(
      <>
        <List env={c.env} search={search} />
        {COUNTED.map((kind) => (
          <hx-partial hx-target={`#count-${kind}`} hx-swap="textContent">
            {counted(known, search.filter, kind)}
          </hx-partial>
        ))}
      </>,
    );
  }
  return c.render(
    <>
      <h1 class="page-title">Sessions</h1>
      <Views db={c.env.CATALOG} search={search} />
      <Search search={search} known={known} />
      <List env={c.env} search={search} />
    </>,
    { title: titleOf(search), here: "/sessions", name: "list-page" },
  );
});

/** Going back in history asks for the whole page, whatever asked first. */
function isFragment(c: Context): boolean {
  return (
    c.req.header("hx-request") === "true" && c.req.header("hx-history-restore-request") !== "true"
  );
}

function titleOf({ filter }: SessionSearch): string {
  const { product, version, status } = filter;
  return ["Sessions", product, version, status?.join(", ")].filter(Boolean).join(" ");
}

export const KIND_WORDS: Record<(typeof STATUS_KINDS)[number], string> = {
  active: "Running",
  suspended: "Silent",
  hung: "Hung now",
  crashed: "Crashed",
  ended: "Ended",
  ever_hung: "Ever hung",
  hung_recovered: "Hung, recovered",
  hung_ended: "Hung, then ended",
  hung_crashed: "Hung, then crashed",
};

const SORT_WORDS: Record<(typeof SESSION_SORTS)[number], string> = {
  created_at: "Start",
  updated_at: "Last heard",
  status: "Status",
  events: "Events",
  exceptions: "Exceptions",
  points: "Points",
};

type SearchProps = { search: SessionSearch; known: VersionCounts[] };

function Search({ search, known }: SearchProps) {
  const { filter } = search;
  return (
    <form
      id="search"
      class="search panel"
      method="get"
      action="/sessions"
      role="search"
      aria-label="Sessions"
      hx-get="/sessions"
      hx-trigger="submit, input delay:300ms"
      hx-target="#list"
      hx-swap="outerHTML"
      hx-push-url="true"
      hx-sync="this:replace"
    >
      <div class="search-main">
        <input
          type="search"
          name="text"
          value={filter.text ?? ""}
          placeholder="Words in id, product, version, machine, verdict, tags"
          aria-label="Search sessions"
          autocomplete="off"
          data-search
        />
        <ProductSelects filter={filter} known={known} />
        <label class="select">
          <span class="hidden">Sort by</span>
          <select name="sort">
            {SESSION_SORTS.map((sort) => (
              <option value={sort} selected={sort === search.sort}>
                {SORT_WORDS[sort]}
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
      <fieldset class="kinds">
        <legend class="hidden">Status</legend>
        {STATUS_KINDS.map((kind) => (
          <label class="kind" data-status={kind.replace(/^(ever_)?hung.*/, "hung")}>
            <input
              type="checkbox"
              name="status"
              value={kind}
              checked={filter.status?.includes(kind)}
            />
            <span>{KIND_WORDS[kind]}</span>
            {isCounted(kind) ? (
              <small id={`count-${kind}`}>{counted(known, filter, kind)}</small>
            ) : null}
          </label>
        ))}
      </fieldset>
      <MoreFilters search={search} column />
    </form>
  );
}

export function ProductSelects({
  filter,
  known,
}: {
  filter: SessionFilter;
  known: VersionCounts[];
}) {
  const products = [...new Set(known.map(({ product }) => product))];
  const ofProduct = known.filter(
    ({ product }) => filter.product === undefined || product === filter.product,
  );
  return (
    <>
      <label class="select">
        <span class="hidden">Product</span>
        <select name="product">
          <option value="">Any product</option>
          {products.map((product) => (
            <option value={product} selected={product === filter.product}>
              {`${product || "unnamed"} (${counted(known, { product })})`}
            </option>
          ))}
        </select>
      </label>
      <label class="select">
        <span class="hidden">Version</span>
        <select name="version">
          <option value="">Any version</option>
          {[...new Set(ofProduct.map(({ version }) => version))]
            .slice(0, SUGGESTIONS)
            .map((version) => (
              <option value={version} selected={version === filter.version}>
                {`${version || "no version"} (${counted(ofProduct, { version })})`}
              </option>
            ))}
        </select>
      </label>
    </>
  );
}

/** The statuses that the catalog counts; of what sessions turned into after a hang it does not. */
const COUNTED = ["active", "suspended", "hung", "crashed", "ended", "ever_hung"] as const;
type Counted = (typeof COUNTED)[number];

function isCounted(kind: StatusKind): kind is Counted {
  return COUNTED.some((each) => each === kind);
}

/** How many sessions there are of the product and version that are asked for, whatever else is: in all, or of a status. */
function counted(
  known: VersionCounts[],
  { product, version }: SessionFilter,
  of: Counted | "sessions" = "sessions",
): string {
  const rows = known.filter(
    (row) => (product ?? row.product) === row.product && (version ?? row.version) === row.version,
  );
  return digits(rows.reduce((sum, row) => sum + row[of], 0));
}

/** Narrows down by everything that is not a product, version or status. `column`: the metric is a column of the list. */
export function MoreFilters({ search, column }: { search: SessionSearch; column?: boolean }) {
  const { filter } = search;
  const isUsed =
    [
      filter.machine,
      filter.hostname,
      filter.from,
      filter.to,
      filter.state,
      filter.event,
      filter.tag,
    ].some((each) => each !== undefined) ||
    (column === true && search.metric !== undefined);
  return (
    <details class="more-filters" open={isUsed}>
      <summary>Time, machine, state, events{column ? ", metric column" : ""}</summary>
      <div class="fields">
        <Field word="Started after" name="from" value={local(filter.from)} type="datetime-local" />
        <Field word="Started before" name="to" value={local(filter.to)} type="datetime-local" />
        <label>
          Zone
          <select name="zone">
            <option value="utc">UTC</option>
            <option value="local">My own</option>
          </select>
        </label>
        <input type="hidden" name="offset" value="0" data-offset />
        <Field word="Host" name="hostname" value={filter.hostname} />
        <Field word="Machine id" name="machine" value={filter.machine} />
        <Field word="Tag" name="tag" value={filter.tag} />
        <Suggested
          word="Ever in state: path"
          name="path"
          value={filter.state?.path}
          what="state-paths"
        />
        <Suggested word="with value" name="value" value={filter.state?.value} what="state-values" />
        <Suggested word="Had event" name="event" value={filter.event} what="events" />
        {column ? (
          <Suggested word="Show metric" name="metric" value={search.metric} what="metrics" />
        ) : null}
      </div>
    </details>
  );
}

type FieldProps = {
  word: string;
  name: string;
  value?: string | undefined;
  type?: string | undefined;
};

function Field({ word, name, value, type }: FieldProps) {
  return (
    <label>
      {word}
      <input
        type={type ?? "text"}
        name={name}
        value={value ?? ""}
        autocomplete="off"
        step={type ? "1" : undefined}
      />
    </label>
  );
}

/** A field that offers what there is. The list comes when the field is entered, and follows what is typed. */
export function Suggested(props: FieldProps & { what: string }) {
  const { word, name, value, what } = props;
  return (
    <label>
      {word}
      <input
        name={name}
        value={value ?? ""}
        list={`${what}-list`}
        autocomplete="off"
        hx-get={`/suggest/${what}`}
        hx-include="closest form"
        hx-trigger="focus once, input changed delay:200ms"
        hx-target={`#${what}-list`}
        hx-swap="innerHTML"
      />
      <datalist id={`${what}-list`}></datalist>
    </label>
  );
}

/** As a datetime-local field wants it: always in UTC, which the zone beside it then says, whatever it was typed in. */
function local(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 19);
}

function List({ env, search }: { env: Env; search: SessionSearch }) {
  return (
    <section id="list" class="panel list" aria-label="Sessions found">
      {guarded("the sessions", () => found(env, search))}
    </section>
  );
}

async function found(env: Env, search: SessionSearch) {
  const { metric } = search;
  const db = env.CATALOG;
  // Of a path that held too many values only the session itself knows.
  const held = (id: string, path: string, value: string) =>
    ask(env, id).everHeld(path, valueText(value));
  const page = await listSessions(db, { ...search.filter, ...search.page, limit: LIST_ROWS }, held);
  const drawn = metric
    ? await strips(
        db,
        page.items.map(({ id }) => id),
        metric,
      )
    : undefined;
  const at = (cursor: string) => address("/sessions", { ...searchQuery(search), cursor });
  return (
    <form method="get" action="/compare">
      {page.items.length === 0 ? (
        <Empty title="No session is like that.">
          <p>
            <a href="/sessions">Show all sessions</a>, or learn to <a href="/docs">record one</a>
          </p>
        </Empty>
      ) : (
        <div class="scroller">
          <SessionTable
            rows={page.items}
            caption="Sessions found"
            selectable
            extra={
              drawn && metric
                ? {
                    head: metric,
                    cell: ({ id }) => {
                      const strip = drawn.get(id);
                      return strip ? (
                        <Sparkline strip={strip} name={metric} />
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
        <button class="tool">Compare those ticked</button>
        {page.searched_to === null ? null : (
          <span class="quiet">
            Looked back to <Time at={page.searched_to} show="minute" />
          </span>
        )}
        <nav class="pages" aria-label="Pages of the list">
          {page.previous === null ? null : (
            <a class="tool" rel="prev" href={at(page.previous)}>
              ‹ Newer
            </a>
          )}
          {page.next === null ? null : (
            <a class="tool" rel="next" href={at(page.next)}>
              Older ›
            </a>
          )}
        </nav>
      </footer>
    </form>
  );
}

function Views({ db, search }: { db: D1Database; search: SessionSearch }) {
  return guarded("the saved views", async () => {
    const views = await listViews(db);
    const here = address("", searchQuery(search)).slice(1);
    return (
      <details class="views" open={views.length > 0}>
        <summary>Views</summary>
        <ul>
          {views.map(({ name, query }) => (
            <li class="view">
              <a href={`/sessions?${query}`} aria-current={query === here ? "page" : undefined}>
                {name}
              </a>
              <form method="post" action="/views/delete">
                <input type="hidden" name="name" value={name} />
                <button aria-label={`Delete the view ${name}`}>×</button>
              </form>
            </li>
          ))}
        </ul>
        <form class="save-view" method="post" action="/views">
          <input type="hidden" name="query" value={here} />
          <input
            name="name"
            required
            maxlength={80}
            placeholder="Name of this view"
            aria-label="Name of this view"
          />
          <button class="tool">Save view</button>
        </form>
      </details>
    );
  });
}

sessions.post("/views", async (c) => {
  const { name, query } = await c.req.parseBody();
  if (typeof name !== "string" || typeof query !== "string" || name.trim() === "")
    return c.redirect("/sessions", 303);
  // What someone saves is read as a search again, so that nothing else can hide in it.
  const kept = address("", searchQuery(readFilter(new URLSearchParams(query)))).slice(1);
  await saveView(c.env.CATALOG, { name: name.trim(), query: kept, created_at: Date.now() });
  return c.redirect(`/sessions?${kept}`, 303);
});

sessions.post("/views/delete", async (c) => {
  const { name } = await c.req.parseBody();
  if (typeof name === "string") await deleteView(c.env.CATALOG, name);
  return c.redirect("/sessions", 303);
});

sessions.get("/suggest/:what", async (c) => {
  const db = c.env.CATALOG;
  const typed = (name: string) => c.req.query(name)?.trim() ?? "";
  const sources: Record<string, () => Promise<string[]>> = {
    "state-paths": () => statePaths(db, typed("path")),
    "state-values": () => stateValues(db, typed("path"), typed("value")),
    events: () => eventNames(db, typed("event")),
    metrics: async () => (await metricNames(db, typed("metric"))).map(({ name }) => name),
  };
  const offered = (await sources[c.req.param("what")]?.()) ?? [];
  return c.html(
    <>
      {offered.slice(0, SUGGESTIONS).map((each) => (
        <option value={each}></option>
      ))}
    </>,
  );
});
