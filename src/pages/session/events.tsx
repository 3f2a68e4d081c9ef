/** The list of events, newest first, with its filters: a query, category, name, group. More are fetched when it is scrolled. */
import { asking, nameAsked } from "../../core/text/names.ts";
import { nameLabel, plainJson, plainText } from "../../core/text/recorded-text.ts";
import { Coloured } from "../ui/coloured.tsx";
import type { AccessEnv } from "../../access/access.ts";
import type { SessionClient } from "../../session/client.ts";
import { formatNumber } from "../../core/text/format.ts";
import { Hono } from "hono";
import type { EventCount, EventPage, EventRow } from "../../core/answers/events.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { EVENT_LIST } from "../../core/events/fields.ts";
import { quoted } from "../../core/query/complete.ts";
import { parseQueryOf } from "../../core/query/parse.ts";
import { phrasesOf } from "../../core/query/tree.ts";
import { Refusal } from "../../core/refusal.ts";
import { LIST_ROWS, REFRESH_MS, TYPING_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded } from "../ui/panel.tsx";
import { NotUnderstood, readBox, SearchField } from "../ui/search-form.tsx";
import { Tag } from "../ui/tag.tsx";
import { Moment, Time } from "../ui/time.tsx";
import { EventText } from "./event.tsx";
import { framesOf } from "../../core/stack/frame.ts";
import { Frames } from "../ui/frames.tsx";
import { Exception } from "./exception.tsx";
import { sessionIn, viewOf } from "./view.ts";

/** The fields of the filter form. */
type Filter = {
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
const FAILED_TESTS = "failed";
const ALL_TESTS = "all";

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

type EventsProps = { session: SessionClient; summary: Summary; filter: Filter };

/** Of a test run it is fetched when it is scrolled into view: its tests, which are above it, have what most readers look for. */
export function EventsPanel({ session, summary, filter }: EventsProps) {
  if (summary.tests && !isNarrow(filter) && !filter.tests) return <LaterEvents summary={summary} />;
  return <EventsNow session={session} summary={summary} filter={filter} />;
}

function LaterEvents({ summary: { id, counts } }: { summary: Summary }) {
  const query = { tests: FAILED_TESTS };
  return (
    <section
      id="events"
      class="panel events"
      aria-label="Events"
      hx-get={address(`/sessions/${id}/events/panel`, query)}
      hx-trigger="intersect once"
      hx-swap="outerHTML"
    >
      <header class="panel-header">
        <h2>Events</h2>
        <span class="count">{formatNumber(counts.events)}</span>
      </header>
      <p class="panel-note">
        <a href={`${address(`/sessions/${id}`, query)}#events`}>
          Events that are not of tests, and failed tests
        </a>
      </p>
    </section>
  );
}

function EventsNow({ session, summary, filter: asked }: EventsProps) {
  const isRun = summary.tests !== null && summary.tests !== undefined;
  const filter = { ...asked, tests: isRun ? (asked.tests ?? ALL_TESTS) : undefined };
  return (
    <section id="events" class="panel events" aria-label="Events">
      {guarded("the events", async () => {
        const [counts, found] = await Promise.all([
          session.ask("eventCounts"),
          eventsFound(session, filter),
        ]);
        return (
          <>
            <header class="panel-header">
              <h2>Events</h2>
              <span class="count">
                <span id="events-matched">{matchedText(filter, found, counts)}</span>
                <span id="events-count">{formatNumber(summary.counts.events)}</span>
              </span>
            </header>
            <EventsFilter id={summary.id} counts={counts} filter={filter} />
            <EventsList id={summary.id} found={found} filter={filter} />
          </>
        );
      })}
    </section>
  );
}

/** `marks`: texts that are marked in the events. */
type Found = EventPage & { marks: string[] };

/** A refusal: the text is no query. */
async function eventsFound(session: SessionClient, filter: Filter): Promise<Found | Refusal> {
  const { order, tests, text, seen: _, ...asked } = filter;
  const query = readBox(() => text && parseQueryOf(EVENT_LIST, text, Date.now()));
  if (query instanceof Refusal) return query;
  const page = await session.ask("events", {
    ...asked,
    ...(query && { query }),
    ...(tests === FAILED_TESTS && { quietTests: false as const }),
    order: order === "asc" ? "asc" : "desc",
    limit: LIST_ROWS,
  });
  return { ...page, marks: query ? phrasesOf(query) : [] };
}

/** "42 of ": exact if the counts by name and category have it or the list has ended; else "50+ of ", the number seen. */
function matchedText(filter: Filter, found: Found | Refusal, counts: EventCount[]): string {
  if (!isNarrow(filter) || found instanceof Refusal) return "";
  const { items, next } = found;
  if (isCounted(filter)) {
    const rows = counts.filter(
      ({ name, category }) =>
        (filter.name ?? name) === name && (filter.category ?? category) === category,
    );
    return `${formatNumber(rows.reduce((sum, { count }) => sum + count, 0))} of `;
  }
  return `${formatNumber((filter.seen ?? 0) + items.length)}${next === null ? "" : "+"} of `;
}

function isCounted({ text, group, tag, from, to, tests }: Filter): boolean {
  if (tests === FAILED_TESTS) return false;
  return [text, group, tag, from, to].every((each) => each === undefined);
}

type FilterProps = { id: string; counts: EventCount[]; filter: Filter };

function EventsFilter({ id, counts, filter }: FilterProps) {
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

type ListProps = { id: string; found: Found | Refusal; filter: Filter };

function EventsList({ id, found, filter }: ListProps) {
  return (
    <ol
      id="event-list"
      class="event-list"
      hx-get={`/sessions/${id}/events`}
      hx-include="#view, #events-filter"
      hx-trigger={`live-list from:body throttle:${REFRESH_MS.events}ms`}
      hx-swap="outerMorph"
      hx-sync="#events-filter:drop"
    >
      {found instanceof Refusal ? (
        <li>
          <NotUnderstood query={filter.text ?? ""} refusal={found} />
        </li>
      ) : (
        <Rows id={id} found={found} filter={filter} />
      )}
    </ol>
  );
}

function Rows({ id, found, filter }: { id: string; found: Found; filter: Filter }) {
  const { items, next, searched_to, marks } = found;
  const seen = (filter.seen ?? 0) + items.length;
  return (
    <>
      {seen === 0 && next === null ? (
        <li>
          <Empty title={isNarrow(filter) ? "No events match these filters" : "No events"}>
            {isNarrow(filter) ? <p>Clear the filters or zoom out.</p> : null}
          </Empty>
        </li>
      ) : null}
      {items.map((event) => (
        <EventItem id={id} event={event} marks={marks} filter={filter} />
      ))}
      {next === null ? null : (
        <MoreEvents id={id} filter={filter} cursor={next} seen={seen} searchedTo={searched_to} />
      )}
    </>
  );
}

function isNarrow({ text, category, name, group, tag, from, to, tests }: Filter): boolean {
  if (tests === FAILED_TESTS) return true;
  return [text, category, name, group, tag, from, to].some((each) => each !== undefined);
}

type MoreProps = {
  id: string;
  filter: Filter;
  cursor: string;
  seen: number;
  /** Where the search was when it had looked at as much as one request may. */
  searchedTo: number | undefined;
};

/** The end of the list while there is more: fetched when it comes into view; a link without script. */
function MoreEvents({ id, filter, cursor, seen, searchedTo }: MoreProps) {
  const query = { ...filterQuery(filter), cursor, seen };
  return (
    <li
      class="more"
      hx-get={address(`/sessions/${id}/events`, query)}
      hx-trigger="intersect once"
      hx-select=".event-list > li"
      hx-swap="outerHTML"
    >
      <a href={`${address(`/sessions/${id}`, query)}#events`}>
        {searchedTo === undefined ? (
          "More events"
        ) : (
          <>
            {seen === 0 ? "None found so far, to " : "Searched to "}
            <Time at={searchedTo} show="clock" />. Search further
          </>
        )}
      </a>
    </li>
  );
}

/** The filter as query parameters. */
function filterQuery(filter: Filter): Record<string, string | number | undefined> {
  const fields = FIELDS.map((field) => {
    const value = filter[field];
    return [field, value === undefined || field === "text" ? value : asking(value)];
  });
  return { ...Object.fromEntries(fields), from: filter.from, to: filter.to };
}

type ItemProps = { id: string; event: EventRow; marks: string[]; filter: Filter };

function EventItem({ id, event, marks, filter }: ItemProps) {
  const { labels = [], data } = event;
  const isException = event.exception_type !== undefined;
  return (
    <li id={`event-${event.seq}`} class="event" data-category={event.category}>
      <Moment id={id} at={event.at} />
      <details>
        <summary>
          <span class="category" data-category={event.category} title={plainText(event.category)}>
            {nameLabel(event.category)}
          </span>
          <span class="event-text">
            {event.group ? <span class="group">{nameLabel(event.group)}</span> : null}
            <EventText event={event} marks={marks} />
            {labels.map((label) => (
              <Tag text={label} />
            ))}
          </span>
        </summary>
        <div class="event-body">
          <TagLinks id={id} tags={labels} filter={filter} />
          {isException ? <Exception event={event} /> : null}
          {!isException && event.message ? (
            <pre class="message">
              <Coloured text={event.message} />
            </pre>
          ) : null}
          {isException ? null : <Frames frames={framesOf(event.stacktrace ?? [])} />}
          {data && Object.keys(data).length > 0 ? (
            <pre class="data">{plainJson(data, 2)}</pre>
          ) : null}
          {event.source_file && !isException ? (
            <p class="quiet">
              {plainText(event.source_file)}
              {event.source_line === undefined ? "" : `:${event.source_line}`}
            </p>
          ) : null}
        </div>
      </details>
    </li>
  );
}

/** The tags of an event, each as a search for it in the list. Links inside of its summary would open it as well. */
function TagLinks({ id, tags, filter }: { id: string; tags: string[]; filter: Filter }) {
  if (tags.length === 0) return null;
  const search = (tag: string) => filterQuery({ ...filter, text: `tag:${quoted(tag)}` });
  return (
    <p class="event-tags">
      <span class="quiet">Events with</span>
      {tags.map((tag) => (
        <Tag text={tag} href={`${address(`/sessions/${id}`, search(tag))}#events`} />
      ))}
    </p>
  );
}

export const eventRoutes = new Hono<AccessEnv>();

eventRoutes.get("/sessions/:id/events/panel", async (c) => {
  const session = sessionIn(c);
  const summary = await session.ask("summary");
  return c.html(<EventsNow session={session} summary={summary} filter={filterOf(c.req.query())} />);
});

eventRoutes.get("/sessions/:id/events", async (c) => {
  const session = sessionIn(c);
  const filter = filterOf(c.req.query());
  const [found, counts] = await Promise.all([
    eventsFound(session, filter),
    isNarrow(filter) && isCounted(filter) ? session.ask("eventCounts") : [],
  ]);
  return c.html(
    <>
      <EventsList id={session.id} found={found} filter={filter} />
      <hx-partial hx-target="#events-matched" hx-swap="innerHTML">
        {matchedText(filter, found, counts)}
      </hx-partial>
    </>,
  );
});
