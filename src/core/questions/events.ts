/** A page of a session's events that match a filter. Opens only segments that may hold a match. */
import type { EventPage, EventRow } from "../answers/events.ts";
import { type EventFilter, matches } from "../events/event.ts";
import type { SessionSpan } from "../events/fields.ts";
import { eventSearch } from "../events/search.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import type { Query } from "../query/tree.ts";
import { mayMatch } from "../segments/segment-summary.ts";
import type { SegmentInfo, Segments } from "../segments/segments.ts";
import { inOrder, isAfterCursor, segmentsFrom } from "./history.ts";
import { MAX_SEARCHED_SEGMENTS } from "./limits.ts";

export type EventsQuery = EventFilter & {
  /** Of core/events/fields.ts. */
  query?: Query | undefined;
  cursor?: string;
  limit?: number;
  order?: "asc" | "desc";
};

export function eventPage(store: Segments, query: EventsQuery, span: SessionSpan): EventPage {
  const { limit = DEFAULT_PAGE } = query;
  const search = query.query && eventSearch(query.query, span);
  // What no summary decides may be in none of the events of a long session.
  const maxOpened = search || query.text !== undefined ? MAX_SEARCHED_SEGMENTS : Infinity;
  const items: EventRow[] = [];
  let opened = 0;
  let last: SegmentInfo | undefined;
  for (const info of segmentsFrom(store, query)) {
    if (info.summary && !mayMatch(info.summary, query)) continue;
    if (info.summary && search?.mayHold(info.summary) === false) continue;
    if (opened === maxOpened && last) return { items, ...searchedTo(last, query) };
    opened++;
    last = info;
    const events = store.open(info)?.reader.events() ?? [];
    for (const event of inOrder(events, query)) {
      if (!isAfterCursor(event.seq, query) || !matches(event, query)) continue;
      if (search?.passes(event) === false) continue;
      if (items.length === limit) return { items, next: String(items.at(-1)?.seq) };
      items.push(event);
    }
  }
  return { items, next: null };
}

/** Where the search goes on after a segment. */
function searchedTo(
  { firstSeq, lastSeq, fromAt, summary }: SegmentInfo,
  { order }: EventsQuery,
): { next: string; searched_to: number } {
  return order === "desc"
    ? { next: String(firstSeq), searched_to: summary?.events.from ?? fromAt }
    : { next: String(lastSeq), searched_to: summary?.events.to ?? fromAt };
}
