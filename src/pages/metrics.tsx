/** One metric across sessions: by version or machine, over clock time or since start, as lines, bars and a table. */
import { asking } from "../core/text/names.ts";
import { nameLabel } from "../core/text/recorded-text.ts";
import { fold } from "../core/text/fold.ts";
import { formatCount, formatDuration, formatNumber } from "../core/text/format.ts";
import { stepGap } from "../core/metrics/gaps.ts";
import { Hono } from "hono";
import { STATUS_KINDS } from "../catalog/search/filter.ts";
import { titled } from "./ui/session-table.tsx";
import {
  type MetricName,
  metricNames,
  type SessionMetric,
  type SessionMetrics,
  sessionMetrics,
  unitOf,
} from "../catalog/metrics.ts";
import { type VersionCounts, versions } from "../catalog/products.ts";
import { distribution } from "../core/metrics/bars.ts";
import { Refusal } from "../core/refusal.ts";
import {
  type Grouping,
  type GroupStatistics,
  overTime,
  quantilesOverTime,
  statistics,
} from "../core/comparison/comparison.ts";
import { APPROXIMATE, type MetricType, percentOf } from "../core/vocabulary.ts";
import type { AccessEnv } from "../access/access.ts";
import { Select } from "./ui/select.tsx";
import {
  KIND_LABELS,
  MoreFilters,
  ProductSelects,
  Suggested,
  VersionSelect,
  written,
  Within,
} from "./filters.tsx";
import { fragment, isFragment } from "./fragment.tsx";
import { CHART_GROUPS, UNLISTED_LINKS } from "./limits.ts";
import { MAX_LISTED_SERIES } from "../core/limits.ts";
import { Bars } from "./metrics/distribution.tsx";
import {
  type Aggregate,
  aggregatesOf,
  AXES,
  GROUP_LABELS,
  isQuantile,
  type Question,
  questionQuery,
  readQuestion,
  shownOf,
  titleOf,
} from "./metrics/question.ts";
import { groupLabel, Statistics, statisticsCsv } from "./metrics/statistics.tsx";
import { address } from "./ui/address.ts";
import { askHeld } from "../session/client.ts";
import { Empty, Unpublished } from "./ui/empty.tsx";
import { BY_NAME } from "./ui/order.ts";
import { guarded, Panel } from "./ui/panel.tsx";
import { NotUnderstood, readBox, SearchField, SearchForm } from "./ui/search-form.tsx";
import { Legend, Plot } from "./ui/plot.tsx";
import { withMerged } from "../registry/merges.ts";
import { passing, type SessionSearch } from "./search.ts";
import { Time } from "./ui/time.tsx";

export const metrics = new Hono<AccessEnv>();

metrics.get("/metrics", async (c) => {
  const question = readQuestion(c.req.url, Date.now());
  const db = c.env.CATALOG;
  const title = titleOf(question);
  const { name, search } = question;
  const quantile_steps = isQuantile(question.aggregate);
  const filter = readBox(() => passing(search, Date.now()));
  const found =
    name === undefined || filter instanceof Refusal
      ? undefined
      : sessionMetrics(
          db,
          { ...(await withMerged(c.env.REGISTRY, filter)), name, quantile_steps },
          askHeld(c.env, c.var.access),
        );
  const answer =
    filter instanceof Refusal ? (
      <div id="answer" class="answer">
        <section class="panel" aria-label="Answer">
          <NotUnderstood query={search.query} refusal={filter} />
        </section>
      </div>
    ) : (
      <Answer db={db} question={question} found={found} />
    );
  // If the catalog fails, the panel shows it.
  const type = (await found?.catch(() => undefined))?.items[0]?.type ?? "gauge";
  if (isFragment(c)) {
    const path = address("/metrics", questionQuery(question));
    const known = await versions(db);
    return fragment(
      c,
      { path, title },
      <>
        {answer}
        <hx-partial hx-target="#versions" hx-swap="outerHTML">
          <VersionSelect filter={search.filter} known={known} />
        </hx-partial>
        <hx-partial hx-target="#shown" hx-swap="outerHTML">
          <Shown question={question} type={type} />
        </hx-partial>
      </>,
    );
  }
  return c.render(
    <>
      <h1 class="page-title">Metrics across sessions</h1>
      <Search question={question} known={await versions(db)} type={type} />
      {answer}
    </>,
    { title, here: "/metrics", name: "list-page", styles: ["plots"], scripts: ["plots.js"] },
  );
});

type SearchProps = { question: Question; known: VersionCounts[]; type: MetricType };

function Search({ question, known, type }: SearchProps) {
  const { search, name, by, axis } = question;
  return (
    <SearchForm path="/metrics" label="Metrics" target="#answer">
      <div class="search-main fields">
        <Suggested label="Metric" name="metric" value={written(name)} what="metrics" />
        <SearchField
          value={search.query}
          label="Search sessions"
          placeholder="Of sessions: version:>=1.2 state.level:>3"
          suggestions="/suggest/query"
        />
        <ProductSelects filter={search.filter} known={known} />
        <Select
          name="status"
          label="Status"
          now={search.filter.status?.[0] ?? ""}
          options={{
            "": "Any status",
            ...Object.fromEntries(STATUS_KINDS.map((kind) => [kind, KIND_LABELS[kind]])),
          }}
        />
        <Within search={search} />
        <Select name="by" label="Group" now={by} options={GROUP_LABELS} />
        <Shown question={question} type={type} />
        <Select name="axis" label="Axis" now={axis} options={AXES} />
        <button class="button without-script">Show</button>
      </div>
      <MoreFilters search={search} />
    </SearchForm>
  );
}

/** The aggregates depend on the metric's type, so they are sent again with each answer; the id keeps the focus. */
function Shown({ question, type }: { question: Question; type: MetricType }) {
  const now = shownOf(question, type);
  return (
    <label id="shown" class="select">
      <span class="hidden">Show</span>
      <select id="aggregate" name="aggregate">
        {Object.entries(aggregatesOf(type)).map(([value, label]) => (
          <option value={value} selected={value === now}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

type NamesProps = { db: D1Database; search: SessionSearch; typed?: string };

/** The metrics that can be chosen: those of the product, whose names contain what was typed. */
async function Names({ db, search, typed = "" }: NamesProps) {
  const { product } = search.filter;
  const { cursor } = search.page;
  const { items, next, searched_to } = await metricNames(db, { product, cursor });
  const names = items.filter(({ name }) => fold(name).includes(fold(typed)));
  const query = { metric: typed === "" ? undefined : asking(typed), product: written(product) };
  const last = items.at(-1)?.name ?? "";
  if (names.length === 0 && typed !== "" && next === null) return null;
  if (items.length === 0)
    return (
      <section class="panel" aria-label="All metrics">
        <Empty title={product === undefined ? "No metrics yet" : "No metrics of this product"}>
          <p>Gauges, counters, histograms and timers of programs are compared here.</p>
          <Unpublished />
        </Empty>
      </section>
    );
  return (
    <section class="panel" aria-labelledby="names-title">
      <header class="panel-header">
        <h2 id="names-title">Choose a metric</h2>
        <span class="count">{formatNumber(names.length)}</span>
        {next === null ? null : (
          <span class="quiet">{`in alphabetical order up to “${nameLabel(last)}”`}</span>
        )}
        {product === undefined ? null : (
          <span class="quiet">of {nameLabel(product, "the unnamed product")}</span>
        )}
        {searched_to === null ? null : (
          <span class="quiet">
            in sessions since <Time at={searched_to} show="minute" />
          </span>
        )}
      </header>
      <ul class="names">
        {inNameOrder(names).map(({ name, type, unit }) => (
          <li>
            <a
              href={address("/metrics", { ...query, metric: asking(name) })}
              title={titled(nameLabel(name))}
            >
              {nameLabel(name)}
            </a>{" "}
            <span class="quiet">
              {type}
              {unit ? `, ${nameLabel(unit)}` : ""}
            </span>
          </li>
        ))}
      </ul>
      {next === null && cursor === undefined ? null : (
        <footer class="list-foot">
          <nav class="pages" aria-label="Pages of the names">
            {cursor === undefined ? null : (
              <a class="tool" href={address("/metrics", query)}>
                « First names
              </a>
            )}
            {next === null ? null : (
              <a class="tool" rel="next" href={address("/metrics", { ...query, cursor: next })}>
                Further names ›
              </a>
            )}
          </nav>
        </footer>
      )}
    </section>
  );
}

function inNameOrder(names: MetricName[]): MetricName[] {
  return names.toSorted((a, b) => BY_NAME.compare(a.name, b.name));
}

type AnswerProps = {
  db: D1Database;
  question: Question;
  /** Undefined: no metric is chosen yet. */
  found: Promise<SessionMetrics> | undefined;
};

function Answer({ db, question, found }: AnswerProps) {
  const { name, search } = question;
  return (
    <div id="answer" class="answer">
      {guarded("the metrics", async () => {
        const all = await found;
        if (all === undefined) return <Names db={db} search={search} />;
        if (all.items.length > 0) return <Found question={question} found={all} />;
        return (
          <>
            <section class="panel" aria-label="Answer">
              <Empty
                title={`No metric “${nameLabel(name ?? "")}” in sessions that match these filters`}
              >
                <Unpublished />
                <Unlisted sessions={all.unlisted} />
              </Empty>
            </section>
            <Names db={db} search={search} typed={name} />
          </>
        );
      })}
    </div>
  );
}

function Found({ question, found }: { question: Question; found: SessionMetrics }) {
  const { by, axis } = question;
  const name = nameLabel(question.name ?? "");
  const type = found.items[0]?.type ?? "gauge";
  const unit = nameLabel(unitOf(found.items), "");
  const aggregate = shownOf(question, type);
  const rows = inOrder(statistics(found.items, by), by);
  const drawn = drawnOf(rows, by);
  const time = linesOverTime(found.items, question, aggregate);
  const label = aggregatesOf(type)[aggregate] ?? "";
  const lines = drawn.map((group, index) => ({
    points: [],
    ...time.groups.find((each) => each.group === group),
    name: groupLabel(group, by),
    index,
    aggregate: {
      label: `${label.toLowerCase()} in ${formatDuration(time.step_ms)}`,
      from: (at: number) => at,
      ms: time.step_ms,
    },
  }));
  const shownWhen = axis === "elapsed" ? "since start" : "over time";
  return (
    <>
      <Panel
        id="over-time"
        title={`${name}, ${label.toLowerCase()} ${shownWhen}`}
        aside={
          <span class="quiet">
            {time.isExact ? "" : `${APPROXIMATE} ${accuracyLabel(type, time.accuracy)}, `}
            {formatCount(found.sessions, "session")}
            {found.partial ? ", the newest that match" : ""}
          </span>
        }
      >
        <Plot
          lines={lines}
          from={time.from}
          to={time.to}
          axis={axis}
          unit={aggregate === "count" ? "" : unit}
          perSecond={aggregate === "rate"}
          title={`${name} ${shownWhen}`}
        />
        {by === "none" ? null : <Legend lines={lines} />}
        {rows.length > drawn.length ? (
          <p class="panel-note quiet">{`${drawn.length} of ${formatNumber(rows.length)} lines are drawn.`}</p>
        ) : null}
        <Unlisted sessions={found.unlisted} />
      </Panel>
      <Statistics question={question} rows={rows} drawn={drawn} unit={unit} type={type} />
      {type === "counter" ? null : (
        <Panel
          id="distribution"
          title="Distribution of all values"
          aside={<span class="quiet">{countOf(rows)}</span>}
        >
          <Bars bars={distribution(found.items)} unit={unit} />
        </Panel>
      )}
    </>
  );
}

/** Sessions that may have the metric and are not compared. */
function Unlisted({ sessions }: { sessions: string[] }) {
  if (sessions.length === 0) return null;
  return (
    <p class="panel-note quiet">
      Only the first {MAX_LISTED_SERIES} series of a session are compared; this may be a later one
      of{" "}
      {sessions.slice(0, UNLISTED_LINKS).map((id, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a href={`/sessions/${id}`}>{id}</a>
        </>
      ))}
      {sessions.length > UNLISTED_LINKS
        ? ` and ${formatCount(sessions.length - UNLISTED_LINKS, "other session")}`
        : ""}
      .
    </p>
  );
}

/** How near the quantiles are that are not exact. */
function accuracyLabel(type: MetricType, accuracy: number): string {
  return type === "histogram"
    ? "from the histogram’s buckets"
    : `within ${Math.max(1, percentOf(accuracy))} %`;
}

type LinesOverTime = {
  from: number;
  to: number;
  step_ms: number;
  groups: { group: string; points: [at: number, value: number][]; gap: number }[];
  isExact: boolean;
  /** The greatest relative error of a quantile, if it exceeds 1 %; else 0. */
  accuracy: number;
};

function linesOverTime(
  items: SessionMetric[],
  { by, axis }: Question,
  aggregate: Aggregate,
): LinesOverTime {
  if (isQuantile(aggregate)) {
    const time = quantilesOverTime(items, { by, axis });
    const groups = time.groups.map(({ group, steps }) => ({
      group,
      points: steps.map((step): [number, number] => [step.at, step[aggregate]]),
      gap: stepGap(steps, time.step_ms),
    }));
    const isExact = time.groups.every(({ steps }) => steps.every(({ exact }) => exact));
    const errors = time.groups.flatMap(({ steps }) => steps.map((step) => step.accuracy ?? 0));
    return { ...time, groups, isExact, accuracy: errors.reduce((a, b) => Math.max(a, b), 0) };
  }
  const time = overTime(items, { by, axis });
  const groups = time.groups.map(({ group, steps }) => ({
    group,
    points: steps.flatMap((step): [number, number][] => {
      const value = step[aggregate];
      return value === null ? [] : [[step.at, value]];
    }),
    gap: stepGap(steps, time.step_ms),
  }));
  return { ...time, groups, isExact: true, accuracy: 0 };
}

function countOf(rows: GroupStatistics[]): string {
  return formatCount(
    rows.reduce((sum, { count }) => sum + count, 0),
    "value",
  );
}

/** Versions and sessions from the newest, everything else by name. */
function inOrder(rows: GroupStatistics[], by: Grouping): GroupStatistics[] {
  if (by === "session") return rows;
  const way = by === "version" ? -1 : 1;
  return rows.toSorted((a, b) => way * BY_NAME.compare(a.group, b.group));
}

/** The groups with a line, in the table's order: the newest versions, otherwise those with most points. */
function drawnOf(rows: GroupStatistics[], by: Grouping): string[] {
  const preferred = by === "version" ? rows : rows.toSorted((a, b) => b.points - a.points);
  const drawn = new Set(preferred.slice(0, CHART_GROUPS));
  return rows.filter((row) => drawn.has(row)).map(({ group }) => group);
}

metrics.get("/metrics.csv", async (c) => {
  const question = readQuestion(c.req.url, Date.now());
  const filter = await withMerged(c.env.REGISTRY, passing(question.search, Date.now()));
  const asked = { ...filter, name: question.name ?? "" };
  const { items } = await sessionMetrics(c.env.CATALOG, asked, askHeld(c.env, c.var.access));
  const rows = inOrder(statistics(items, question.by), question.by);
  return c.body(statisticsCsv(rows, items[0]?.type ?? "gauge"), 200, {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="metrics.csv"',
  });
});
