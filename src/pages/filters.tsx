/** Filters of sessions: the fields that the list, the metrics and the comparison have in common, and the active filters as chips. */
import { nameLabel } from "../core/text/recorded-text.ts";
import { formatCount } from "../core/text/format.ts";
import type { Child } from "hono/jsx";
import { type SessionFilter, type StateFilter, type StatusKind } from "../catalog/search/filter.ts";
import { asking } from "../core/text/names.ts";
import type { VersionCounts } from "../catalog/products.ts";
import { FAILED_LABEL } from "../core/status/outcome.ts";
import { STATUS_LABELS, STATUSES } from "../core/vocabulary.ts";
import { TYPING_MS } from "./limits.ts";
import { VALUE_TYPES, type ValueType } from "../core/state/values.ts";
import { pathText, type SessionSearch, searchQuery, WITHIN } from "./search.ts";
import { address } from "./ui/address.ts";
import { Time } from "./ui/time.tsx";

/** The label of each kind of status that sessions are searched by. */
export const KIND_LABELS: Record<StatusKind, string> = {
  ...STATUS_LABELS,
  // A session that failed is not labelled "Ended" anywhere.
  ended: "Ended or failed",
  failed: FAILED_LABEL,
  succeeded: STATUS_LABELS.ended,
  ever_hung: "Ever hung",
  hung_recovered: "Hung, recovered",
  hung_ended: "Hung, then ended",
  hung_crashed: "Hung, then crashed",
};

/** A range that is relative to the time at which the address is opened. */
export function Within({ search }: { search: SessionSearch }) {
  return (
    <label class="select">
      <span class="hidden">Started</span>
      <select name="within">
        <option value="">Any time</option>
        {Object.entries(WITHIN).map(([name, { label }]) => (
          <option value={name} selected={name === search.within}>
            {capital(label)}
          </option>
        ))}
      </select>
    </label>
  );
}

function capital(label: string): string {
  return label.slice(0, 1).toUpperCase() + label.slice(1);
}

/** The kinds of status that the catalog counts; it does not count outcomes after a hang. */
export const COUNTED = [...STATUSES, "failed", "succeeded", "ever_hung"] as const;
export type Counted = (typeof COUNTED)[number];

export function isCounted(kind: StatusKind): kind is Counted {
  return COUNTED.some((each) => each === kind);
}

/** The number of sessions of the product and version, or of one status among them; other filters are ignored. */
export function counted(
  known: VersionCounts[],
  { product, version }: SessionFilter,
  of: Counted | "sessions" = "sessions",
): number {
  const rows = known.filter(
    (row) => (product ?? row.product) === row.product && (version ?? row.version) === row.version,
  );
  return rows.reduce(
    (sum, row) => sum + (of === "succeeded" ? row.ended - row.failed : row[of]),
    0,
  );
}

/** The filters other than product, version and status. `column`: the metric is a column of the list. */
export function MoreFilters({ search, column }: { search: SessionSearch; column?: boolean }) {
  const { filter } = search;
  const isUsed =
    [
      filter.machine,
      filter.hostname,
      search.within === undefined ? filter.from : undefined,
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
        <TimeField
          label="Started after"
          name="from"
          at={search.within === undefined ? filter.from : undefined}
        />
        <TimeField label="Started before" name="to" at={filter.to} />
        <Field label="Host" name="hostname" value={written(filter.hostname)} />
        <Field label="Machine id" name="machine" value={written(filter.machine)} />
        <Field label="Tag" name="tag" value={written(filter.tag)} />
        <Suggested
          label="State path"
          name="path"
          value={filter.state && pathText(filter.state.path)}
          what="state-paths"
        />
        <Suggested
          label="State value"
          name="value"
          value={filter.state?.value}
          what="state-values"
        />
        <label>
          Value type
          <select name="type">
            <option value="">Any</option>
            {VALUE_TYPES.map((type) => (
              <option value={type} selected={type === filter.state?.type}>
                {VALUE_LABELS[type]}
              </option>
            ))}
          </select>
        </label>
        <Suggested label="Event" name="event" value={written(filter.event)} what="events" />
        {column ? (
          <Suggested
            label="Show metric"
            name="metric"
            value={written(search.metric)}
            what="metrics"
          />
        ) : null}
      </div>
    </details>
  );
}

const VALUE_LABELS: Record<ValueType, string> = {
  string: "Text",
  number: "Number",
  boolean: "true or false",
  null: "null",
};

function valueLabel({ value, type }: StateFilter): string {
  if (value === undefined) return "";
  return ` = ${type === "string" ? `"${nameLabel(value)}"` : nameLabel(value)}`;
}

/** The field's value for a name. */
export function written(name: string | undefined): string | undefined {
  return name === undefined ? undefined : asking(name);
}

type FieldProps = { label: string; name: string; value?: string | undefined };

function Field({ label, name, value }: FieldProps) {
  return (
    <label>
      {label}
      <input type="text" name={name} value={value ?? ""} autocomplete="off" />
    </label>
  );
}

/** A field for a time: in UTC, or with script in the zone of the page. */
function TimeField({ label, name, at }: { label: string; name: string; at: number | undefined }) {
  return (
    <label>
      <span>
        {label} <span data-zone-label>(UTC)</span>
      </span>
      <input
        type="datetime-local"
        name={name}
        value={at === undefined ? "" : new Date(at).toISOString().slice(0, 19)}
        step="1"
        autocomplete="off"
      />
    </label>
  );
}

/** A field with suggestions from the catalog. They are fetched when the field gets the focus and while one types. */
export function Suggested(props: FieldProps & { what: string }) {
  const { label, name, value, what } = props;
  return (
    <label>
      {label}
      <input
        name={name}
        value={value ?? ""}
        list={`${what}-list`}
        autocomplete="off"
        hx-get={`/suggest/${what}`}
        hx-include="closest form"
        hx-trigger={`focus once, input changed delay:${TYPING_MS}ms`}
        hx-target={`#${what}-list`}
        hx-swap="innerHTML"
      />
      <datalist id={`${what}-list`}></datalist>
    </label>
  );
}

type Chip = { label: Child; without: SessionSearch };

/** The active filters, each a link to the list without it. */
export function Chips({ search, count }: { search: SessionSearch; count: number | undefined }) {
  const chips = chipsOf(search);
  const to = (other: SessionSearch) => address("/sessions", searchQuery(other));
  return (
    <header class="chips">
      <strong>{count === undefined ? "Sessions" : formatCount(count, "session")}</strong>
      {chips.map(({ label, without }) => (
        <a class="chip" href={to(without)}>
          <span class="hidden">Remove: </span>
          <span>{label}</span>
          <span aria-hidden="true">×</span>
        </a>
      ))}
      {chips.length > 1 ? (
        <a href={to({ ...search, filter: {}, query: "", within: undefined })}>Clear all</a>
      ) : null}
    </header>
  );
}

function chipsOf(search: SessionSearch): Chip[] {
  const { filter, query, within } = search;
  const { product, version, status = [], from, to, state } = filter;
  const chips: Chip[] = [];
  const add = (label: Child, name: keyof SessionFilter) => {
    const { [name]: _, ...without } = filter;
    chips.push({ label, without: { ...search, filter: without } });
  };
  if (product !== undefined) add(nameLabel(product, "unnamed"), "product");
  if (version !== undefined) add(nameLabel(version, "no version"), "version");
  for (const kind of status) {
    const others = { ...filter, status: status.filter((each) => each !== kind) };
    chips.push({ label: KIND_LABELS[kind], without: { ...search, filter: others } });
  }
  if (query !== "") chips.push({ label: nameLabel(query), without: { ...search, query: "" } });
  for (const name of Object.keys(CHIP_LABELS) as (keyof typeof CHIP_LABELS)[]) {
    if (filter[name] !== undefined)
      add(`${CHIP_LABELS[name]} ${nameLabel(filter[name] ?? "")}`, name);
  }
  if (state) {
    add(`ever ${nameLabel(pathText(state.path))}${valueLabel(state)}`, "state");
  }
  if (within !== undefined)
    chips.push({ label: WITHIN[within].label, without: { ...search, within: undefined } });
  else if (from !== undefined)
    add(
      <>
        after <Time at={from} show="minute" />
      </>,
      "from",
    );
  if (to !== undefined)
    add(
      <>
        before <Time at={to} show="minute" />
      </>,
      "to",
    );
  return chips;
}

const CHIP_LABELS = {
  hostname: "host",
  machine: "machine",
  tag: "tag",
  event: "event",
  exception: "exception",
} as const;
