/** An event in the list: a line that opens to all that it has. */
import type { EventRow } from "../../core/answers/events.ts";
import { quoted } from "../../core/query/complete.ts";
import { framesOf } from "../../core/stack/frame.ts";
import { nameLabel, plainJson, plainText } from "../../core/text/recorded-text.ts";
import { address } from "../ui/address.ts";
import { Coloured } from "../ui/coloured.tsx";
import { Frames } from "../ui/frames.tsx";
import { Tag } from "../ui/tag.tsx";
import { Moment } from "../ui/time.tsx";
import { EventText } from "./event.tsx";
import { type Filter, filterQuery } from "./events-filter.tsx";
import { Exception } from "./exception.tsx";

type ItemProps = { id: string; event: EventRow; marks: string[]; filter: Filter };

export function EventItem({ id, event, marks, filter }: ItemProps) {
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
