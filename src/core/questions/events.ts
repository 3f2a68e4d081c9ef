/** A page of a session's events that match a filter. Opens only segments that may hold a match. */
import type { EventRow, Page } from "../answers.ts";
import { mayMatch } from "../segments/segment-summary.ts";
import { type EventFilter, matches } from "../events/event.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { inOrder, isAfterCursor, segmentsFrom } from "./history.ts";
import type { Segments } from "../segments/segments.ts";

export type EventsQuery = EventFilter & { cursor?: string; limit?: number; order?: "asc" | "desc" };

export function eventPage(store: Segments, query: EventsQuery): Page<EventRow> {
  const { limit = DEFAULT_PAGE } = query;
  const items: EventRow[] = [];
  for (const info of segmentsFrom(store, query)) {
    if (info.summary && !mayMatch(info.summary, query)) continue;
    const events = store.open(info)?.reader.events() ?? [];
    for (const event of inOrder(events, query)) {
      if (!isAfterCursor(event.seq, query) || !matches(event, query)) continue;
      if (items.length === limit) return { items, next: String(items.at(-1)?.seq) };
      items.push(event);
    }
  }
  return { items, next: null };
}
