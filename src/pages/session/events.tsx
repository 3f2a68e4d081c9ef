/** All events, newest first, with what narrows them down: words, category, name, group. More come as the list is scrolled. */
import { Hono } from "hono";
import type { EventCount, EventRow, Summary } from "../../core/answers.ts";
import type { Env } from "../../env.ts";
import { LIST_ROWS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded } from "../ui/panel.tsx";
import { digits } from "../ui/quantity.ts";
import { Moment } from "../ui/time.tsx";
import { EventText } from "./event.tsx";
import { Exception } from "./exception.tsx";
import { type Recording, recordingOf } from "./recording.ts";
import { sessionId, viewOf } from "./view.ts";

/** What the filter form says, as it says it. */
export type Filter = {
  text?: string | undefined;
  category?: string | undefined;
  name?: string | undefined;
  group?: string | undefined;
  label?: string | undefined;
  order?: string | undefined;
  from?: number | undefined;
  to?: number | undefined;
  cursor?: string | undefined;
};

const FIELDS = ["text", "category", "name", "group", "label", "order"] as const;

export function filterOf(query: Record<string, string>): Filter {
  const { from, to } = viewOf(query);
  const filter: Filter = { from, to, cursor: query.cursor || undefined };
  for (const field of FIELDS) filter[field] = query[field]?.trim() || undefined;
  return filter;
}

type EventsProps = { recording: Recording; summary: Summary; filter: Filter };

export function EventsPanel({ recording, summary, filter }: EventsProps) {
  return (
    <section id="events" class="panel events" aria-labelledby="events-title">
      <header class="panel-head">
        <h2 id="events-title">Events</h2>
        <span id="events-count" class="count">
          {digits(summary.counts.events)}
        </span>
      </header>
      {guarded("the events", async () => (
        <>
          <EventsFilter id={summary.id} counts={await recording.eventCounts()} filter={filter} />
          <EventsList recording={recording} filter={filter} />
        </>
      ))}
    </section>
  );
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
      hx-trigger="submit, input delay:250ms, range from:body"
      hx-target="#event-list"
      hx-swap="outerHTML"
      hx-sync="this:replace"
    >
      <input
        type="search"
        name="text"
        value={filter.text ?? ""}
        placeholder="Search names, messages, data"
        aria-label="Search events"
        autocomplete="off"
        data-search
      />
      <Select name="category" word="Any category" options={categories} now={filter.category} />
      <Select name="name" word="Any name" options={names} now={filter.name} />
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
  word: string;
  options: [string, number][];
  now?: string | undefined;
};

function Select({ name, word, options, now }: SelectProps) {
  return (
    <label class="select">
      <span class="hidden">{word}</span>
      <select name={name}>
        <option value="">{word}</option>
        {options.map(([option, count]) => (
          <option value={option} selected={option === now}>
            {`${option} (${digits(count)})`}
          </option>
        ))}
      </select>
    </label>
  );
}

type ListProps = { recording: Recording; filter: Filter };

function EventsList({ recording, filter }: ListProps) {
  return guarded("the events", async () => {
    const page = await recording.events(queryOf(filter));
    const { id } = recording;
    return (
      <ol
        id="event-list"
        class="event-list"
        hx-get={`/sessions/${id}/events`}
        hx-include="#view, #events-filter"
        hx-trigger="live-list from:body throttle:500ms"
        hx-swap="outerMorph"
        hx-sync="#events-filter:drop"
      >
        {page.items.length === 0 ? (
          <li>
            <Empty title={isNarrow(filter) ? "No event matches." : "No events yet."}>
              {isNarrow(filter) ? <p>Widen the search, or zoom out.</p> : null}
            </Empty>
          </li>
        ) : null}
        {page.items.map((event) => (
          <EventItem id={id} event={event} />
        ))}
        {page.next === null ? null : <More id={id} filter={filter} cursor={page.next} />}
      </ol>
    );
  });
}

function queryOf({ order, ...filter }: Filter) {
  return { ...filter, order: order === "asc" ? "asc" : "desc", limit: LIST_ROWS } as const;
}

function isNarrow({ text, category, name, group, label, from, to }: Filter): boolean {
  return [text, category, name, group, label, from, to].some((each) => each !== undefined);
}

/** The list's end while there is more: a link without script, and fetched by itself when it comes into view. */
function More({ id, filter, cursor }: { id: string; filter: Filter; cursor: string }) {
  const query = { ...filter, cursor };
  return (
    <li
      class="more"
      hx-get={address(`/sessions/${id}/events`, query)}
      hx-trigger="intersect once"
      hx-select=".event-list > li"
      hx-swap="outerHTML"
    >
      <a href={`${address(`/sessions/${id}`, query)}#events`}>More events</a>
    </li>
  );
}

function EventItem({ id, event }: { id: string; event: EventRow }) {
  const { labels = [], data } = event;
  const isException = event.exception_type !== undefined;
  return (
    <li id={`event-${event.seq}`} class="event" data-category={event.category}>
      <Moment id={id} at={event.at} />
      <details>
        <summary>
          <span class="category" data-category={event.category}>
            {event.category}
          </span>
          <span class="event-text">
            {event.group ? <span class="group">{event.group}</span> : null}
            <EventText event={event} />
            {labels.map((label) => (
              <span class="tag">{label}</span>
            ))}
          </span>
        </summary>
        <div class="event-body">
          {isException ? <Exception event={event} /> : null}
          {!isException && event.message ? <pre class="message">{event.message}</pre> : null}
          {data && Object.keys(data).length > 0 ? (
            <pre class="data">{JSON.stringify(data, null, 2)}</pre>
          ) : null}
          {event.source_file && !isException ? (
            <p class="quiet">
              {event.source_file}
              {event.source_line === undefined ? "" : `:${event.source_line}`}
            </p>
          ) : null}
        </div>
      </details>
    </li>
  );
}

export const eventRoutes = new Hono<{ Bindings: Env }>();

eventRoutes.get("/sessions/:id/events", async (c) => {
  const recording = recordingOf(c.env, sessionId(c.req.param("id")));
  return c.html(<EventsList recording={recording} filter={filterOf(c.req.query())} />);
});
