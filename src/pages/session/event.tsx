/** One event, as a line or opened: used wherever events are shown. */
import type { EventRow } from "../../core/answers.ts";
import { ROW_TEXT } from "../limits.ts";
import { plain } from "../ui/coloured.tsx";
import { Moment } from "../ui/time.tsx";

/** In one line: when, how grave, what. */
export function EventLine({ id, event }: { id: string; event: EventRow }) {
  return (
    <li class="line" data-category={event.category}>
      <Moment id={id} at={event.at} />
      <span class="line-text">
        <EventText event={event} />
      </span>
    </li>
  );
}

/** What an event says, shortest first: its name, then its message or exception, or else its data. */
export function EventText({ event }: { event: EventRow }) {
  const said = saidBy(event);
  const isOutput = event.name === "output";
  return (
    <>
      {isOutput ? null : <span class="event-name">{event.name || "(unnamed)"}</span>}
      {said === "" ? null : <span class="event-said">{short(plain(said))}</span>}
    </>
  );
}

function saidBy({ exception_type, exception_msg, message, data }: EventRow): string {
  if (exception_type) return `${exception_type}: ${exception_msg ?? ""}`;
  if (message) return message;
  return data && Object.keys(data).length > 0 ? JSON.stringify(data) : "";
}

export function short(text: string, length = ROW_TEXT): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
