/** The answer of the page of metrics: plots, points and tables of the metrics that are chosen, or names to choose from. */
import { MAX_DISTRIBUTED_SESSIONS } from "../../catalog/limits.ts";
import type { SessionFilter } from "../../catalog/search/filter.ts";
import { ungrouped } from "../../core/comparison/grouping.ts";
import type { GroupStatistics } from "../../core/comparison/statistics.ts";
import { MAX_LISTED_SERIES } from "../../core/limits.ts";
import { type Bar, distribution } from "../../core/metrics/bars.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { UNLISTED_LINKS } from "../limits.ts";
import { Empty, Unpublished } from "../ui/empty.tsx";
import { guarded, Panel } from "../ui/panel.tsx";
import { examplesOf, rowsOf } from "./columns.ts";
import { Bars } from "./distribution.tsx";
import type { Found, FoundMetric } from "./found.ts";
import { Names } from "./names.tsx";
import { drawnOf, OverTime, type Range, rangeOf } from "./over-time.tsx";
import { Overview } from "./overview.tsx";
import type { Question } from "./question.ts";
import { ScatterPanel } from "./scatter.tsx";
import { Statistics } from "./statistics.tsx";
import { StepSessions } from "./step.tsx";

type AnswerProps = {
  db: D1Database;
  question: Question;
  filter: SessionFilter;
  /** Undefined: no metric is chosen yet. */
  found: Promise<Found> | undefined;
};

export function Answer({ db, question, filter, found }: AnswerProps) {
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
  const rows = rowsOf(items, question);
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
      <Statistics {...props} examples={examplesOf(items, by)} />
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
