/** The filter of the list of events: what is asked for, and its form. */
import type { EventCount } from "../../core/answers/events.ts";
import { formatNumber } from "../../core/text/format.ts";
import { asking, nameAsked } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { LIST_ROWS, TYPING_MS } from "../limits.ts";
import { SearchField } from "../ui/search-form.tsx";
import { viewOf } from "./view.ts";

/** The fields of the filter form. */
export type Filter = {
  /** A query (core/events/fields.ts). */
  text?: string | undefined;
  category?: string | undefined;
  name?: string | undefined;
  group?: string | undefined;
  tag?: string | undefined;
  order?: string | undefined;
  /** In a session with tests: which of their events are listed; the default is FAILED_TESTS. */
  tests?: string | undefined;
  from?: number | undefined;
  to?: number | undefined;
  cursor?: string | undefined;
  /** The number of events before the page token. */
  seen?: number | undefined;
};

const FIELDS = ["text", "category", "name", "group", "tag", "order", "tests"] as const;
/** Values of the field `tests`. */
export const FAILED_TESTS = "failed";
export const ALL_TESTS = "all";

export function filterOf(query: Record<string, string>): Filter {
  const { from, to } = viewOf(query);
  const cursor = query.cursor || undefined;
  const seen = cursor === undefined ? 0 : Number.parseInt(query.seen ?? "", 10);
  const filter: Filter = { from, to, cursor, seen: seen > 0 ? seen : undefined };
  for (const field of FIELDS) {
    const value = query[field]?.trim();
    if (value) filter[field] = field === "text" ? value : nameAsked(value);
  }
  return filter;
}

/** Whether anything but the order was chosen. */
export function isNarrow({ text, category, name, group, tag, from, to, tests }: Filter): boolean {
  if (tests === FAILED_TESTS) return true;
  return [text, category, name, group, tag, from, to].some((each) => each !== undefined);
}

/** Whether the counts by name and category have how many events pass. */
export function isCounted({ text, group, tag, from, to, tests }: Filter): boolean {
  if (tests === FAILED_TESTS) return false;
  return [text, group, tag, from, to].every((each) => each === undefined);
}

type FilterProps = { id: string; counts: EventCount[]; filter: Filter };

export function EventsFilter({ id, counts, filter }: FilterProps) {
  const categories = totals(counts, "category");
  const names = totals(counts, "name");
  return (
    <form
      id="events-filter"
      class="filter"
      method="get"
      action={`/sessions/${id}#events`}
      role="search"
      aria-label="Events"
      hx-get={`/sessions/${id}/events`}
      hx-include="#view"
      hx-trigger={`submit, input delay:${TYPING_MS}ms, range from:body`}
      hx-target="#event-list"
      hx-swap="outerHTML"
      hx-sync="this:replace"
    >
      <SearchField
        value={filter.text}
        label="Search events"
        placeholder="Text, or conditions as level:>=warning data.door:3"
        suggestions={`/sessions/${id}/suggest/events`}
      />
      <Select name="category" label="Any category" options={categories} now={filter.category} />
      <Select name="name" label="Any name" options={names} now={filter.name} />
      {filter.tests ? (
        <label class="select">
          <span class="hidden">Events of tests</span>
          <select name="tests">
            <option value={FAILED_TESTS}>Without passed tests</option>
            <option value={ALL_TESTS} selected={filter.tests === ALL_TESTS}>
              All tests
            </option>
          </select>
        </label>
      ) : null}
      <label class="select">
        <span class="hidden">Order</span>
        <select name="order">
          <option value="desc">Newest first</option>
          <option value="asc" selected={filter.order === "asc"}>
            Oldest first
          </option>
        </select>
      </label>
      <button class="button without-script">Show</button>
    </form>
  );
}

function totals(counts: EventCount[], field: "name" | "category"): [string, number][] {
  const sums = new Map<string, number>();
  for (const row of counts) sums.set(row[field], (sums.get(row[field]) ?? 0) + row.count);
  return [...sums].toSorted(([, a], [, b]) => b - a).slice(0, LIST_ROWS);
}

type SelectProps = {
  name: string;
  label: string;
  options: [string, number][];
  now?: string | undefined;
};

function Select({ name, label, options, now }: SelectProps) {
  return (
    <label class="select">
      <span class="hidden">{label}</span>
      <select name={name}>
        <option value="">{label}</option>
        {options.map(([option, count]) => (
          <option value={asking(option)} selected={option === now}>
            {`${nameLabel(option)} (${formatNumber(count)})`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The filter as query parameters. */
export function filterQuery(filter: Filter): Record<string, string | number | undefined> {
  const fields = FIELDS.map((field) => {
    const value = filter[field];
    return [field, value === undefined || field === "text" ? value : asking(value)];
  });
  return { ...Object.fromEntries(fields), from: filter.from, to: filter.to };
}
