/** The form of the page of metrics: which metrics, of which sessions, grouped and shown how. */
import type { VersionCounts } from "../../catalog/products.ts";
import { STATUS_KINDS } from "../../catalog/search/filter.ts";
import { SESSION_FIGURES } from "../../core/comparison/scatter.ts";
import { asking } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import type { MetricType } from "../../core/vocabulary.ts";
import { KIND_LABELS, MoreFilters, Suggested, Within, written } from "../filters.tsx";
import { METRICS_AT_ONCE } from "../limits.ts";
import { ProductSelects, SearchBox } from "../search-fields.tsx";
import type { SessionSearch } from "../search.ts";
import { address } from "../ui/address.ts";
import { SearchForm } from "../ui/search-form.tsx";
import { Select } from "../ui/select.tsx";
import { aggregatesOf, AXES, type Question, questionQuery, shownOf } from "./question.ts";
import { FIGURE_LABELS, xFigureOf } from "./scatter.tsx";

type Types = { x: MetricType; y: MetricType };
type SearchProps = { question: Question; known: VersionCounts[]; types: Types };

export function Search({ question, known, types }: SearchProps) {
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

export const PLACEHOLDER = "All sessions, or those with text, version:>=1.2, state.level:>3";

export function StatusSelect({ search }: { search: SessionSearch }) {
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
export function Chosen({ question }: { question: Question }) {
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
export function Shown({ question, types }: { question: Question; types: Types }) {
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
