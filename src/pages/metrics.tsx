/** Metrics across sessions: grouped by anything, over time or against each other, as lines, points, bars and tables. */
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { type SessionFilter, STATUS_KINDS } from "../catalog/search/filter.ts";
import { MAX_DISTRIBUTED_SESSIONS } from "../catalog/limits.ts";
import { type VersionCounts, versions } from "../catalog/products.ts";
import { ungrouped } from "../core/comparison/grouping.ts";
import { SESSION_FIGURES } from "../core/comparison/scatter.ts";
import { type GroupStatistics, statistics } from "../core/comparison/statistics.ts";
import { MAX_LISTED_SERIES } from "../core/limits.ts";
import { type Bar, distribution } from "../core/metrics/bars.ts";
import { formatCount, formatNumber } from "../core/text/format.ts";
import { asking } from "../core/text/names.ts";
import { nameLabel, plainText } from "../core/text/recorded-text.ts";
import { Refusal } from "../core/refusal.ts";
import type { MetricType } from "../core/vocabulary.ts";
import { KIND_LABELS, MoreFilters, Suggested, written, Within } from "./filters.tsx";
import { fragment, isFragment, parametersBefore } from "./fragment.tsx";
import { METRICS_AT_ONCE, UNLISTED_LINKS } from "./limits.ts";
import { inOrder } from "./metrics/columns.ts";
import { Bars } from "./metrics/distribution.tsx";
import { metricsJson, statisticsCsv } from "./metrics/download.ts";
import { findMetrics, type Found, type FoundMetric } from "./metrics/found.ts";
import { Names } from "./metrics/names.tsx";
import { Overview } from "./metrics/overview.tsx";
import { drawnOf, examplesOf, OverTime, type Range, rangeOf } from "./metrics/over-time.tsx";
import {
  aggregatesOf,
  AXES,
  type Question,
  questionQuery,
  readQuestion,
  readTypedQuestion,
  shownOf,
  titleOf,
} from "./metrics/question.ts";
import { FIGURE_LABELS, ScatterPanel, xFigureOf } from "./metrics/scatter.tsx";
import { Statistics } from "./metrics/statistics.tsx";
import { StepSessions } from "./metrics/step.tsx";
import { isMoved, passing, type SessionSearch } from "./search.ts";
import { ProductSelects, SearchBox, SharedParts } from "./search-fields.tsx";
import { address } from "./ui/address.ts";
import { Empty, Unpublished } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { NotUnderstood, readBox, SearchForm } from "./ui/search-form.tsx";
import { Select } from "./ui/select.tsx";
import { Views } from "./views.tsx";

export const metrics = new Hono<AccessEnv>();

metrics.get("/metrics", async (c) => {
  const query = new URL(c.req.url).searchParams;
  const before = isFragment(c) ? parametersBefore(c) : undefined;
  const { question, changed } = before
    ? readTypedQuestion(query, before, Date.now())
    : { question: readQuestion(query, Date.now()), changed: new Set<never>() };
  if (!isFragment(c) && isMoved(query, question.search))
    return c.redirect(address("/metrics", questionQuery(question)));
  const db = c.env.CATALOG;
  const title = titleOf(question);
  const filter = readBox(() => filterOf(question));
  const found =
    question.names.length === 0 || filter instanceof Refusal
      ? undefined
      : findMetrics(c.env, c.var.access, question, filter);
  // If the catalog fails, the panel shows it.
  const asked = await found?.catch(() => undefined);
  const types = { y: asked?.metrics[0]?.type ?? "gauge", x: asked?.x?.type ?? "gauge" };
  const known = await versions(db);
  const path = address("/metrics", questionQuery(question));
  const answer =
    filter instanceof Refusal ? (
      <div id="answer" class="answer">
        <section class="panel" aria-label="Answer">
          <NotUnderstood query={question.search.query} refusal={filter} />
        </section>
      </div>
    ) : (
      <Answer db={db} question={question} filter={filter} found={found} />
    );
  if (isFragment(c)) {
    return fragment(
      c,
      { path, title },
      <>
        {answer}
        <SharedParts
          search={question.search}
          changed={changed}
          known={known}
          placeholder={PLACEHOLDER}
          status={<StatusSelect search={question.search} />}
        />
        <hx-partial hx-target="#shown" hx-swap="outerHTML">
          <Shown question={question} types={types} />
        </hx-partial>
        <hx-partial hx-target="#chosen" hx-swap="outerHTML">
          <Chosen question={question} />
        </hx-partial>
        <hx-partial hx-target="#views" hx-swap="outerHTML">
          <Views db={c.env.REGISTRY} page="/metrics" query={path.replace(/^[^?]*\??/, "")} />
        </hx-partial>
      </>,
    );
  }
  return c.render(
    <>
      <h1 class="page-title">Metrics across sessions</h1>
      <Views db={c.env.REGISTRY} page="/metrics" query={path.replace(/^[^?]*\??/, "")} />
      <Search question={question} known={known} types={types} />
      {answer}
    </>,
    {
      title,
      here: "/metrics",
      name: "list-page",
      styles: ["sessions", "plots"],
      scripts: ["plots.js"],
    },
  );
});

type Types = { x: MetricType; y: MetricType };
type SearchProps = { question: Question; known: VersionCounts[]; types: Types };

function Search({ question, known, types }: SearchProps) {
  const { search, names, by, wrongBy } = question;
  return (
    <SearchForm path="/metrics" label="Metrics" target="#answer" id="metrics-form">
      <div class="search-main fields">
        <Suggested label="Metric" name="metric" value={written(names[0])} what="metrics" />
        <Chosen question={question} />
        <Suggested label="Group by" name="by" value={wrongBy ?? by} what="groupings" />
        <Shown question={question} types={types} />
        <button class="button without-script">Show</button>
      </div>
      <div class="search-main">
        <SearchBox query={search.query} placeholder={PLACEHOLDER} />
        <ProductSelects filter={search.filter} known={known} />
        <StatusSelect search={search} />
        <Within search={search} />
      </div>
      <MoreFilters search={search} />
    </SearchForm>
  );
}

const PLACEHOLDER = "All sessions, or those with text, version:>=1.2, state.level:>3";

function StatusSelect({ search }: { search: SessionSearch }) {
  return (
    <Select
      id="status"
      name="status"
      label="Status"
      now={search.filter.status?.[0] ?? ""}
      options={{
        "": "Any status",
        ...Object.fromEntries(STATUS_KINDS.map((kind) => [kind, KIND_LABELS[kind]])),
      }}
    />
  );
}

/** Further metrics, each with a link to the page without it, and a field for one more. */
function Chosen({ question }: { question: Question }) {
  const [, ...further] = question.names;
  return (
    <span id="chosen" class="together" hidden={question.names.length === 0}>
      {further.map((name) => {
        const others = question.names.filter((each) => each !== name);
        return (
          <>
            <input type="hidden" name="also" value={asking(name)} />
            <a
              class="chip"
              href={address("/metrics", questionQuery({ ...question, names: others }))}
            >
              <span class="hidden">Remove: </span>
              <span>{nameLabel(name)}</span>
              <span aria-hidden="true">×</span>
            </a>
          </>
        );
      })}
      {question.names.length < METRICS_AT_ONCE ? (
        <Suggested label="Add a metric" name="also" value="" what="further-metrics" />
      ) : null}
    </span>
  );
}

/** What is shown depends on the metrics' types, so it is sent again with each answer; the ids keep the focus. */
function Shown({ question, types }: { question: Question; types: Types }) {
  const { axis, x, isLog, low, high, names } = question;
  return (
    <span id="shown" class="together">
      <label class="select">
        <span class="hidden">Show</span>
        <select id="aggregate" name="aggregate">
          {Object.entries(aggregatesOf(types.y)).map(([value, label]) => (
            <option value={value} selected={value === shownOf(question, types.y)}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label class="select">
        <span class="hidden">Horizontal axis</span>
        <select id="axis" name="axis">
          {Object.entries(AXES).map(([value, label]) => (
            <option value={value} selected={value === axis}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {axis === "metric" ? (
        <>
          <Suggested label="Horizontal" name="x" value={written(x)} what="x-metrics" />
          <label class="select">
            <span class="hidden">Figure of the horizontal axis</span>
            <select id="x-figure" name="x_figure">
              {SESSION_FIGURES.map((figure) => (
                <option value={figure} selected={figure === xFigureOf(question, types.x)}>
                  {FIGURE_LABELS[figure]}
                </option>
              ))}
            </select>
          </label>
        </>
      ) : null}
      {question.sort === undefined ? null : (
        <>
          <input type="hidden" name="table_sort" value={question.sort} />
          <input type="hidden" name="table_order" value={question.order} />
        </>
      )}
      <label class="check">
        <input id="scale" type="checkbox" name="scale" value="log" checked={isLog} /> Log
      </label>
      {names.length === 1 && axis !== "metric" ? (
        <>
          <Bound name="low" label="Values from" value={low} />
          <Bound name="high" label="to" value={high} />
        </>
      ) : null}
    </span>
  );
}

/** An end of the vertical axis; plots.js sets it. */
function Bound({ name, label, value }: { name: string; label: string; value: number | undefined }) {
  return (
    <label class="bound">
      {label}{" "}
      <input
        id={`bound-${name}`}
        name={name}
        value={value === undefined ? "" : String(value)}
        inputmode="decimal"
        placeholder="auto"
        aria-label={name === "low" ? "Least value shown" : "Greatest value shown"}
        autocomplete="off"
      />
    </label>
  );
}

type AnswerProps = {
  db: D1Database;
  question: Question;
  filter: SessionFilter;
  /** Undefined: no metric is chosen yet. */
  found: Promise<Found> | undefined;
};

function Answer({ db, question, filter, found }: AnswerProps) {
  const { names, search } = question;
  return (
    <div id="answer" class="answer">
      {guarded("the metrics", async () => {
        const all = await found;
        if (all === undefined)
          return (
            <>
              {guarded("the most recorded metrics", async () => (
                <Overview db={db} question={question} filter={filter} />
              ))}
              <Names db={db} search={search} />
            </>
          );
        if (all.sessions > 0) return <Everything question={question} found={all} />;
        return (
          <>
            <section class="panel" aria-label="Answer">
              <Empty
                title={`No metric ${names.map((name) => `“${nameLabel(name)}”`).join(", ")} in sessions that match these filters`}
              >
                <Unpublished figures />
                <Unlisted sessions={all.unlisted} />
              </Empty>
            </section>
            <Names db={db} search={search} typed={names[0] ?? ""} />
          </>
        );
      })}
    </div>
  );
}

function Everything({ question, found }: { question: Question; found: Found }) {
  const { wrongBy } = question;
  const range = rangeOf(found, question);
  return (
    <>
      {wrongBy === undefined ? null : (
        <p class="panel-note warned">
          {`Nothing is called “${plainText(wrongBy)}” here: groups are by product, version, machine, status, session, os, language, browser, exit_code, day, tag.KEY or state.PATH. These are by version.`}
        </p>
      )}
      {found.metrics.map((metric, index) => (
        <OneMetric
          question={question}
          found={found}
          metric={metric}
          range={range}
          suffix={index === 0 ? "" : `-${index + 1}`}
        />
      ))}
      <Unlisted sessions={found.unlisted} />
    </>
  );
}

type OneProps = {
  question: Question;
  found: Found;
  metric: FoundMetric;
  range: Range | undefined;
  suffix: string;
};

function OneMetric({ question, found, metric, range, suffix }: OneProps) {
  const { by, axis, step } = question;
  const { items, type, unit, name } = metric;
  if (items.length === 0)
    return (
      <section class="panel" aria-label={nameLabel(name)}>
        <Empty title={`No metric “${nameLabel(name)}” in sessions that match these filters`} />
      </section>
    );
  const rows = inOrder(statistics(items, by), question);
  const drawn = drawnOf(rows, question);
  const unknown = ungrouped(items, by);
  const bars = type === "counter" ? [] : distribution(items);
  const props = { question, metric, rows, drawn, suffix };
  return (
    <>
      {axis === "metric" ? (
        <ScatterPanel {...props} x={found.x} />
      ) : (
        <OverTime {...props} found={found} range={range} />
      )}
      {step?.metric === name && axis !== "metric" ? (
        <StepSessions question={question} metric={metric} at={step.at} range={range} />
      ) : null}
      {unknown === 0 ? null : (
        <p class="panel-note quiet">
          {`${formatCount(unknown, "session")} ${unknown === 1 ? "is" : "are"} in no group: the catalog does not have this value of ${unknown === 1 ? "it" : "them"}.`}
        </p>
      )}
      <Statistics {...props} examples={examplesOf(metric, question)} />
      {type === "counter" ? null : (
        <Panel
          id={`distribution${suffix}`}
          title="Distribution of all values"
          aside={<span class="quiet">{countOf(rows, bars)}</span>}
        >
          <Bars bars={bars} unit={unit} />
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

/** Of how many values the distribution is, if those of some sessions were not read. */
function countOf(rows: GroupStatistics[], bars: Bar[]): string {
  const all = rows.reduce((sum, { count }) => sum + count, 0);
  const drawn = bars.reduce((sum, { count }) => sum + count, 0);
  return drawn < all
    ? `${formatNumber(drawn)} of ${formatCount(all, "value")}, those of the newest ${formatNumber(MAX_DISTRIBUTED_SESSIONS)} sessions`
    : formatCount(all, "value");
}

metrics.get("/metrics.csv", async (c) => {
  const question = readQuestion(new URL(c.req.url).searchParams, Date.now());
  const found = await findMetrics(c.env, c.var.access, question, filterOf(question));
  return c.body(statisticsCsv(found, question), 200, {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="metrics.csv"',
  });
});

metrics.get("/metrics.json", async (c) => {
  const question = readQuestion(new URL(c.req.url).searchParams, Date.now());
  const found = await findMetrics(c.env, c.var.access, question, filterOf(question));
  return c.json(metricsJson(found, question));
});

/** Throws a Refusal (invalid_query). */
function filterOf({ search }: Question): SessionFilter {
  return passing(search, Date.now());
}
