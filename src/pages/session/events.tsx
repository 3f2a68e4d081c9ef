/** The list of events, newest first, with its filters: a query, category, name, group. More are fetched when it is scrolled. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { EventCount, EventPage } from "../../core/answers/events.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { EVENT_LIST } from "../../core/events/fields.ts";
import { parseQueryOf } from "../../core/query/parse.ts";
import { phrasesOf } from "../../core/query/tree.ts";
import { Refusal } from "../../core/refusal.ts";
import { formatNumber } from "../../core/text/format.ts";
import type { SessionClient } from "../../session/client.ts";
import { LIST_ROWS, REFRESH_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded } from "../ui/panel.tsx";
import { NotUnderstood, readBox } from "../ui/search-form.tsx";
import { Time } from "../ui/time.tsx";
import { EventItem } from "./event-item.tsx";
import {
  ALL_TESTS,
  EventsFilter,
  FAILED_TESTS,
  type Filter,
  filterOf,
  filterQuery,
  isCounted,
  isNarrow,
} from "./events-filter.tsx";
import { sessionIn } from "./view.ts";

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
