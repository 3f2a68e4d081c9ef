/** One metric over many sessions: by version or machine, over clock time or since start, as lines, bars and a table. */
import { Hono } from "hono";
import {
  type Bar,
  distribution,
  GROUPINGS,
  type Grouping,
  type GroupStatistics,
  type MetricName,
  metricNames,
  overTime,
  sessionQuantiles,
  type SessionMetrics,
  sessionMetrics,
  statistics,
  STATUS_KINDS,
  type Step,
  type VersionCounts,
  versions,
} from "../catalog/index.ts";
import type { MetricType } from "../core/vocabulary.ts";
import type { Env } from "../env.ts";
import { Select } from "./exceptions.tsx";
import { fragment, isFragment } from "./fragment.tsx";
import { CHART_GROUPS, STATISTICS_ROWS } from "./limits.ts";
import { readFilter, type SessionSearch, searchQuery } from "./search.ts";
import {
  KIND_WORDS,
  MoreFilters,
  ProductSelects,
  Suggested,
  VersionSelect,
  Within,
} from "./filters.tsx";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { BY_NAME } from "./ui/order.ts";
import { guarded, Panel } from "./ui/panel.tsx";
import { digits, many, mark, quantity } from "./ui/quantity.ts";
import { Legend, LineMark, Plot } from "./ui/plot.tsx";
import { scaleOf } from "./ui/scale.ts";

export const metrics = new Hono<{ Bindings: Env }>();

const AGGREGATES = {
  mean: "Mean",
  max: "Max",
  min: "Min",
  count: "Count",
  sum: "Sum",
  rate: "Rate per session",
  p50: "p50 of each session",
  p95: "p95 of each session",
  p99: "p99 of each session",
} as const;
type Aggregate = keyof typeof AGGREGATES;
/** Drawn as a point for each session: what a strip keeps of its buckets has no quantiles. */
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
/** What says something of a type of metric, the most telling first. A counter's mean would be of its running total, which means nothing. */
const TELLING: Record<MetricType, readonly Aggregate[]> = {
  gauge: ["mean", "max", "min", "count", "p50", "p95", "p99"],
  counter: ["rate", "count", "max"],
  timer: ["mean", "max", "min", "count", "sum", "p50", "p95", "p99"],
  histogram: ["mean", "max", "min", "count", "sum", "p50", "p95", "p99"],
};
/** Of a counter every value is its total so far, and every point an update. */
const COUNTER_WORDS: Partial<Record<Aggregate, string>> = {
  count: "Updates",
  max: "Highest total",
};

function aggregatesOf(type: MetricType): Partial<Record<Aggregate, string>> {
  return Object.fromEntries(
    TELLING[type].map((each) => [
      each,
      (type === "counter" ? COUNTER_WORDS[each] : undefined) ?? AGGREGATES[each],
    ]),
  );
}

const GROUP_WORDS: Record<Grouping, string> = {
  none: "All together",
  product: "By product",
  version: "By version",
  machine: "By machine",
  status: "By status",
  session: "By session",
};
const AXES = { elapsed: "Since start", clock: "Clock time" };

type Question = {
  search: SessionSearch;
  name: string | undefined;
  by: Grouping;
  axis: "elapsed" | "clock";
  /** What is shown; undefined: what says most of a metric of its type. */
  aggregate: Aggregate | undefined;
};

function readQuestion(url: string, now: number): Question {
  const query = new URL(url).searchParams;
  const search = readFilter(query, now);
  const aggregate = query.get("aggregate") ?? "";
  return {
    search,
    name: search.metric,
    by: GROUPINGS.find((each) => each === query.get("by")) ?? "version",
    axis: query.get("axis") === "clock" ? "clock" : "elapsed",
    aggregate: isAggregate(aggregate) ? aggregate : undefined,
  };
}

function shownOf({ aggregate }: Question, type: MetricType): Aggregate {
  return TELLING[type].find((each) => each === aggregate) ?? TELLING[type][0] ?? "mean";
}

function isAggregate(word: string): word is Aggregate {
  return Object.hasOwn(AGGREGATES, word);
}

function isQuantile(aggregate: Aggregate): aggregate is keyof typeof QUANTILES {
  return Object.hasOwn(QUANTILES, aggregate);
}

metrics.get("/metrics", async (c) => {
  const question = readQuestion(c.req.url, Date.now());
  const db = c.env.CATALOG;
  const title = titleOf(question);
  const { name, search } = question;
  const found = name === undefined ? undefined : sessionMetrics(db, { ...search.filter, name });
  // If the catalog does not answer, the panel says so.
  const type = (await found?.catch(() => undefined))?.items[0]?.type ?? "gauge";
  if (isFragment(c)) {
    const path = address("/metrics", questionQuery(question));
    const known = await versions(db);
    return fragment(
      c,
      { path, title },
      <>
        {found ? (
          <Answer question={question} found={found} />
        ) : (
          <Names names={await metricNames(db)} />
        )}
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
      <Ask question={question} known={await versions(db)} type={type} />
      {found ? (
        <Answer question={question} found={found} />
      ) : (
        <Names names={await metricNames(db)} />
      )}
    </>,
    { title, here: "/metrics", name: "list-page", scripts: ["plots.js"] },
  );
});

function titleOf({ name, by, search: { filter } }: Question): string {
  const { product, version, status } = filter;
  if (name === undefined) return "Metrics";
  const grouped = by === "none" ? undefined : GROUP_WORDS[by].toLowerCase();
  return [name, grouped, product, version, status?.join(", ")].filter(Boolean).join(" ");
}

type AskProps = { question: Question; known: VersionCounts[]; type: MetricType };

function Ask({ question, known, type }: AskProps) {
  const { search, name, by, axis } = question;
  return (
    <form
      class="search panel"
      method="get"
      action="/metrics"
      role="search"
      aria-label="Metrics"
      hx-get="/metrics"
      hx-trigger="submit, input delay:300ms"
      hx-target="#answer"
      hx-swap="outerHTML"
      hx-sync="this:replace"
    >
      <div class="search-main fields">
        <Suggested word="Metric" name="metric" value={name} what="metrics" />
        <ProductSelects filter={search.filter} known={known} />
        <Select
          name="status"
          word="Status"
          now={search.filter.status?.[0] ?? ""}
          options={{
            "": "Any status",
            ...Object.fromEntries(STATUS_KINDS.map((kind) => [kind, KIND_WORDS[kind]])),
          }}
        />
        <Within search={search} />
        <Select name="by" word="Group" now={by} options={GROUP_WORDS} />
        <Shown question={question} type={type} />
        <Select name="axis" word="Axis" now={axis} options={AXES} />
        <button class="button without-script">Show</button>
      </div>
      <MoreFilters search={search} />
    </form>
  );
}

/** What can be shown depends on the metric's type, so it comes again with each answer; by its id it keeps the focus. */
function Shown({ question, type }: { question: Question; type: MetricType }) {
  const now = shownOf(question, type);
  return (
    <label id="shown" class="select">
      <span class="hidden">Show</span>
      <select id="aggregate" name="aggregate">
        {Object.entries(aggregatesOf(type)).map(([value, word]) => (
          <option value={value} selected={value === now}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}

function Names({ names }: { names: MetricName[] }) {
  return (
    <section id="answer" class="panel" aria-label="All metrics">
      {names.length === 0 ? (
        <Empty title="No session has logged a number yet." />
      ) : (
        <ul class="names">
          {inNameOrder(names).map(({ name, type, unit }) => (
            <li>
              <a href={address("/metrics", { metric: name })}>{name}</a>{" "}
              <span class="quiet">
                {type}
                {unit ? `, ${unit}` : ""}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function inNameOrder(names: MetricName[]): MetricName[] {
  return names.toSorted((a, b) => BY_NAME.compare(a.name, b.name));
}

function Answer({ question, found }: { question: Question; found: Promise<SessionMetrics> }) {
  return (
    <div id="answer" class="answer">
      {guarded("this metric", async () => {
        const all = await found;
        if (all.items.length > 0) return <Found question={question} found={all} />;
        return (
          <section class="panel">
            <Empty title={`No session that passes has a metric “${question.name}”.`} />
          </section>
        );
      })}
    </div>
  );
}

function Found({ question, found }: { question: Question; found: SessionMetrics }) {
  const { name = "", by, axis } = question;
  const { unit, type } = found.items[0] ?? { unit: "", type: "gauge" };
  const aggregate = shownOf(question, type);
  const rows = inOrder(statistics(found.items, by), by);
  const drawn = drawnOf(rows, by);
  const time = overTime(found.items, { by, axis });
  const quantiles = isQuantile(aggregate)
    ? sessionQuantiles(found.items, by, QUANTILES[aggregate])
    : null;
  const lines = drawn.map((group, index) => {
    const series = quantiles?.find((each) => each.group === group)?.points;
    const steps = time.groups.find((each) => each.group === group)?.steps ?? [];
    const points = series ?? steps.flatMap((step) => pointOf(step, aggregate));
    return { name: group, index, points };
  });
  const starts = quantiles?.flatMap(({ points }) => points.map(([at]) => at)) ?? [];
  // A session's quantile is at its start, which "since start" would put all in one place.
  const isElapsed = axis === "elapsed" && quantiles === null;
  const shownWhen = quantiles ? "at its start" : isElapsed ? "since start" : "over time";
  const word = aggregatesOf(type)[aggregate] ?? "";
  return (
    <>
      <Panel
        id="over-time"
        title={`${name}, ${word.toLowerCase()} ${shownWhen}`}
        aside={
          <span class="quiet">
            {many(found.sessions, "session")}
            {found.partial ? ", the newest that pass" : ""}
          </span>
        }
      >
        <Plot
          lines={lines}
          from={starts.length > 0 ? Math.min(...starts) : time.from}
          to={starts.length > 0 ? Math.max(...starts) : time.to}
          dots={quantiles !== null}
          axis={isElapsed ? "elapsed" : "clock"}
          unit={aggregate === "count" ? "" : unit}
          perSecond={aggregate === "rate"}
          title={`${name} ${shownWhen}`}
        />
        {by === "none" ? null : <Legend lines={lines} />}
        {rows.length > drawn.length ? (
          <p class="panel-note quiet">{`${drawn.length} of ${digits(rows.length)} lines are drawn.`}</p>
        ) : null}
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

function pointOf(step: Step, aggregate: Aggregate): [number, number][] {
  const value = isQuantile(aggregate) ? null : step[aggregate];
  return value === null ? [] : [[step.at, value]];
}

function countOf(rows: GroupStatistics[]): string {
  return many(
    rows.reduce((sum, { count }) => sum + count, 0),
    "value",
  );
}

/** Versions from the newest; sessions as they were found, also from the newest; everything else by name. */
function inOrder(rows: GroupStatistics[], by: Grouping): GroupStatistics[] {
  if (by === "session") return rows;
  const way = by === "version" ? -1 : 1;
  return rows.toSorted((a, b) => way * BY_NAME.compare(a.group, b.group));
}

/** The groups that get a line, in the table's order: the newest versions, else those with most points. */
function drawnOf(rows: GroupStatistics[], by: Grouping): string[] {
  const telling = by === "version" ? rows : rows.toSorted((a, b) => b.points - a.points);
  const drawn = new Set(telling.slice(0, CHART_GROUPS));
  return rows.filter((row) => drawn.has(row)).map(({ group }) => group);
}

const WORDS = {
  sessions: "Sessions",
  points: "Points",
  count: "Samples",
  total: "Total",
  rate: "Rate",
  mean: "Mean",
  min: "Min",
  max: "Max",
  p50: "p50",
  p95: "p95",
  p99: "p99",
  stddev: "Std dev",
} as const;
type Column = keyof typeof WORDS;
const QUANTILE_COLUMNS = ["p50", "p95", "p99"] as const;
/** Only what means something: the squares of a histogram's samples are unknown, a counter's values are its total so far. */
const COLUMNS: Record<MetricType, readonly Column[]> = {
  gauge: ["sessions", "points", "mean", "min", "max", ...QUANTILE_COLUMNS, "stddev"],
  counter: ["sessions", "points", "total", "rate"],
  timer: ["sessions", "points", "mean", "min", "max", ...QUANTILE_COLUMNS, "stddev"],
  histogram: ["sessions", "count", "mean", "min", "max", ...QUANTILE_COLUMNS],
};

/** Characters of a session's id: enough to tell those of one list apart, and what its page is called. */
const SHOWN_ID = 13;

type TableProps = {
  question: Question;
  rows: GroupStatistics[];
  drawn: string[];
  unit: string;
  type: MetricType;
};

function Statistics({ question, rows, drawn, unit, type }: TableProps) {
  const columns = COLUMNS[type];
  return (
    <Panel
      id="table"
      title="Statistics"
      aside={
        <>
          {rows.length > STATISTICS_ROWS ? (
            <span class="quiet">{`${STATISTICS_ROWS} of ${digits(rows.length)}, all of them in the CSV`}</span>
          ) : null}
          <a class="tool" href={address("/metrics.csv", questionQuery(question))}>
            CSV
          </a>
        </>
      }
    >
      <div class="scroller" tabindex={0} role="group" aria-label="Statistics">
        <table class="plain-table statistics">
          <thead>
            <tr>
              <th scope="col">{GROUP_WORDS[question.by]}</th>
              {columns.map((column) => (
                <th scope="col" class="number">
                  {type === "counter" && column === "points" ? "Updates" : WORDS[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, STATISTICS_ROWS).map((row) => (
              <tr>
                <th scope="row">
                  {drawn.includes(row.group) ? (
                    <LineMark index={drawn.indexOf(row.group)} />
                  ) : (
                    <span class="no-mark"></span>
                  )}
                  <GroupName group={row.group} by={question.by} />
                </th>
                {columns.map((column) => (
                  <td class="number">{cell(row, column, unit)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function GroupName({ group, by }: { group: string; by: Grouping }) {
  if (by === "session") {
    return (
      <a href={`/sessions/${encodeURIComponent(group)}`} title={group}>
        {group.slice(0, SHOWN_ID)}
      </a>
    );
  }
  return (
    <span class="name" title={group}>
      {group || (by === "none" ? "all" : "unnamed")}
    </span>
  );
}

function cell(row: GroupStatistics, column: Column, unit: string): string {
  const value = row[column];
  if (value === null) return "–";
  if (column === "sessions" || column === "points" || column === "count") return digits(value);
  const said = quantity(Number(value.toPrecision(5)), unit);
  return column === "rate" ? `${said}/s` : said;
}

/** Every bar is as wide as the values that it holds and as high as they are dense, so that areas compare. */
function Bars({ bars, unit }: { bars: Bar[]; unit: string }) {
  if (bars.length === 0) return <Empty title="Nothing to count." />;
  const least = bars[0]?.from ?? 0;
  const most = bars.at(-1)?.to ?? 0;
  const range = most - least || 1;
  const drawn = bars.map((bar) => {
    const width = (bar.to - bar.from) / range || 1; // one value alone fills the plot
    return { ...bar, x: (bar.from - least) / range, width, density: bar.count / width };
  });
  const densest = drawn.reduce((top, { density }) => Math.max(top, density), 0);
  return (
    <figure class="plot distribution">
      <div class="plot-y" aria-hidden="true">
        <span>{digits(drawn.find(({ density }) => density === densest)?.count ?? 0)}</span>
        <span>0</span>
      </div>
      <svg
        class="plot-ink"
        viewBox={`0 0 ${WIDTH} 100`}
        preserveAspectRatio="none"
        role="img"
        aria-label="How values are distributed"
      >
        {drawn.map(({ from, to, count, x, width, density }) => (
          <rect
            x={x * WIDTH + GAP / 2}
            width={Math.max(GAP, width * WIDTH - GAP)}
            y={100 - (density / densest) * 100}
            height={(density / densest) * 100}
          >
            <title>{`${rounded(from, unit)} to ${rounded(to, unit)}: ${digits(count)}`}</title>
          </rect>
        ))}
      </svg>
      <svg class="plot-x" aria-hidden="true">
        {scaleOf(least, most, unit)
          .ticks.filter((tick) => tick >= least && tick <= most)
          .map((tick) => (
            <text
              x={`${(least === most ? 0.5 : (tick - least) / range) * 100}%`}
              y="1em"
              text-anchor="middle"
            >
              {mark(tick, unit)}
            </text>
          ))}
      </svg>
    </figure>
  );
}

const WIDTH = 1_000;
/** Between bars, so that equal neighbours can be told apart. */
const GAP = 1.5;

function rounded(value: number, unit: string): string {
  return quantity(Number(value.toPrecision(4)), unit);
}

/** As an address says it: what is as always is left out. */
function questionQuery({
  search,
  by,
  axis,
  aggregate,
}: Question): Record<string, string | number | undefined> {
  return {
    ...searchQuery(search),
    by: by === "version" ? undefined : by,
    axis: axis === "elapsed" ? undefined : axis,
    aggregate,
  };
}

metrics.get("/metrics.csv", async (c) => {
  const question = readQuestion(c.req.url, Date.now());
  const { items } = await sessionMetrics(c.env.CATALOG, {
    ...question.search.filter,
    name: question.name ?? "",
  });
  const columns = COLUMNS[items[0]?.type ?? "gauge"];
  const head = ["group", ...columns].join(",");
  const lines = inOrder(statistics(items, question.by), question.by).map((row) =>
    [quoted(row.group), ...columns.map((column) => row[column] ?? "")].join(","),
  );
  return c.body(`${[head, ...lines].join("\r\n")}\r\n`, 200, {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="metrics.csv"',
  });
});

/** For CSV; and a spreadsheet must not take a name for a formula. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
