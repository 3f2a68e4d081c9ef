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
import type { Env } from "../env.ts";
import { Select } from "./exceptions.tsx";
import { CHART_GROUPS } from "./limits.ts";
import { readFilter, type SessionSearch, searchQuery } from "./search.ts";
import { KIND_WORDS, MoreFilters, ProductSelects, Suggested } from "./sessions.tsx";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { digits, many, quantity } from "./ui/quantity.ts";
import { Legend, Plot } from "./ui/plot.tsx";
import { duration } from "./ui/time.tsx";

export const metrics = new Hono<{ Bindings: Env }>();

const AGGREGATES = {
  mean: "Mean",
  max: "Max",
  min: "Min",
  count: "Count",
  sum: "Sum",
  rate: "Rate (counters)",
  p50: "p50 of each session",
  p95: "p95 of each session",
  p99: "p99 of each session",
} as const;
type Aggregate = keyof typeof AGGREGATES;
/** Drawn as a point for each session: what a strip keeps of its buckets has no quantiles. */
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
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
  aggregate: Aggregate;
};

function readQuestion(url: string): Question {
  const query = new URL(url).searchParams;
  const search = readFilter(query);
  const aggregate = query.get("aggregate") ?? "";
  return {
    search,
    name: search.metric,
    by: GROUPINGS.find((each) => each === query.get("by")) ?? "version",
    axis: query.get("axis") === "clock" ? "clock" : "elapsed",
    aggregate: isAggregate(aggregate) ? aggregate : "mean",
  };
}

function isAggregate(word: string): word is Aggregate {
  return Object.hasOwn(AGGREGATES, word);
}

function isQuantile(aggregate: Aggregate): aggregate is keyof typeof QUANTILES {
  return Object.hasOwn(QUANTILES, aggregate);
}

metrics.get("/metrics", async (c) => {
  const question = readQuestion(c.req.url);
  const db = c.env.CATALOG;
  const answer = <Answer db={db} question={question} />;
  if (c.req.header("hx-request") && !c.req.header("hx-history-restore-request"))
    return c.html(answer);
  const [known, names] = await Promise.all([versions(db), metricNames(db)]);
  return c.render(
    <>
      <h1 class="page-title">Metrics across sessions</h1>
      <Ask question={question} known={known} />
      {question.name === undefined ? <Names names={names} /> : answer}
    </>,
    { title: question.name ?? "Metrics", here: "/metrics", name: "list-page" },
  );
});

function Ask({ question, known }: { question: Question; known: VersionCounts[] }) {
  const { search, name, by, axis, aggregate } = question;
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
      hx-push-url="true"
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
        <Select name="by" word="Group" now={by} options={GROUP_WORDS} />
        <Select name="aggregate" word="Show" now={aggregate} options={AGGREGATES} />
        <Select name="axis" word="Axis" now={axis} options={AXES} />
        <button class="button without-script">Show</button>
      </div>
      <MoreFilters search={search} />
    </form>
  );
}

function Names({ names }: { names: MetricName[] }) {
  return (
    <section id="answer" class="panel" aria-label="All metrics">
      {names.length === 0 ? (
        <Empty title="No session has logged a number yet." />
      ) : (
        <ul class="names">
          {names.map(({ name, type, unit }) => (
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

function Answer({ db, question }: { db: D1Database; question: Question }) {
  return (
    <div id="answer" class="answer">
      {guarded("this metric", async () => {
        const { name = "" } = question;
        const found = await sessionMetrics(db, { ...question.search.filter, name });
        if (found.items.length === 0) {
          return <Empty title={`No session that passes has a metric “${name}”.`} />;
        }
        return <Found question={question} found={found} />;
      })}
    </div>
  );
}

function Found({ question, found }: { question: Question; found: SessionMetrics }) {
  const { name = "", by, axis, aggregate } = question;
  const unit = found.items[0]?.unit ?? "";
  const rows = statistics(found.items, by);
  const shown = new Set(rows.slice(0, CHART_GROUPS).map(({ group }) => group));
  const time = overTime(found.items, { by, axis });
  const quantiles = isQuantile(aggregate)
    ? sessionQuantiles(found.items, by, QUANTILES[aggregate])
    : null;
  // In the table's order, so that colours agree.
  const lines = rows.flatMap(({ group }) => {
    if (!shown.has(group)) return [];
    const series = quantiles?.find((each) => each.group === group)?.points;
    const steps = time.groups.find((each) => each.group === group)?.steps ?? [];
    return [{ name: group, points: series ?? steps.flatMap((step) => pointOf(step, aggregate)) }];
  });
  const starts = quantiles?.flatMap(({ points }) => points.map(([at]) => at)) ?? [];
  // A session's quantile is at its start, which "since start" would put all in one place.
  const isElapsed = axis === "elapsed" && quantiles === null;
  const shownWhen = quantiles ? "at its start" : isElapsed ? "since start" : "over time";
  return (
    <>
      <Panel
        id="over-time"
        title={`${name}, ${AGGREGATES[aggregate].toLowerCase()} ${shownWhen}`}
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
          unit={aggregate === "count" ? "" : unit}
          tick={(at) =>
            isElapsed
              ? duration(at)
              : `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`
          }
          title={`${name} over time`}
        />
        <Legend names={lines.map((line) => line.name)} />
      </Panel>
      <Statistics question={question} rows={rows} unit={unit} />
      <Panel id="distribution" title="Distribution of all values">
        <Bars bars={distribution(found.items)} unit={unit} />
      </Panel>
    </>
  );
}

function pointOf(step: Step, aggregate: Aggregate): [number, number][] {
  const value = isQuantile(aggregate) ? null : step[aggregate];
  return value === null ? [] : [[step.at, value]];
}

const COLUMNS = [
  "sessions",
  "points",
  "mean",
  "min",
  "max",
  "p50",
  "p95",
  "p99",
  "stddev",
  "rate",
] as const;

/** Characters of a session's id: enough to tell those of one list apart, and what its page is called. */
const SHOWN_ID = 13;

type TableProps = { question: Question; rows: GroupStatistics[]; unit: string };

function Statistics({ question, rows, unit }: TableProps) {
  return (
    <Panel
      id="table"
      title="Statistics"
      aside={
        <a class="tool" href={address("/metrics.csv", questionQuery(question))}>
          CSV
        </a>
      }
    >
      <div class="scroller" tabindex={0} role="group" aria-label="Statistics">
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">{GROUP_WORDS[question.by]}</th>
              {COLUMNS.map((column) => (
                <th scope="col" class="number">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr>
                <th scope="row">
                  {question.by === "session" ? (
                    <a href={`/sessions/${encodeURIComponent(row.group)}`} title={row.group}>
                      {row.group.slice(0, SHOWN_ID)}
                    </a>
                  ) : (
                    row.group || "all"
                  )}
                </th>
                {COLUMNS.map((column) => (
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

function cell(row: GroupStatistics, column: (typeof COLUMNS)[number], unit: string): string {
  const value = row[column];
  if (value === null) return "–";
  if (column === "sessions" || column === "points") return digits(value);
  return column === "rate" ? `${digits(value)}/s` : quantity(Number(value.toPrecision(5)), unit);
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
      <svg
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
      <div class="plot-x" aria-hidden="true">
        <span>{rounded(least, unit)}</span>
        <span>{rounded(most, unit)}</span>
      </div>
    </figure>
  );
}

const WIDTH = 1_000;
/** Between bars, so that equal neighbours can be told apart. */
const GAP = 1.5;

function rounded(value: number, unit: string): string {
  return quantity(Number(value.toPrecision(4)), unit);
}

function questionQuery({
  search,
  by,
  axis,
  aggregate,
}: Question): Record<string, string | number | undefined> {
  return { ...searchQuery(search), by, axis, aggregate };
}

metrics.get("/metrics.csv", async (c) => {
  const question = readQuestion(c.req.url);
  const { items } = await sessionMetrics(c.env.CATALOG, {
    ...question.search.filter,
    name: question.name ?? "",
  });
  const head = ["group", ...COLUMNS].join(",");
  const lines = statistics(items, question.by).map((row) =>
    [quoted(row.group), ...COLUMNS.map((column) => row[column] ?? "")].join(","),
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
