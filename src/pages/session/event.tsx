/** One event, as a line or opened: used wherever events are shown. */
import { formatDuration } from "../../core/format.ts";
import type { EventRow } from "../../core/answers.ts";
import { EVENT_CRASHED, EVENT_HUNG, EVENT_RECOVERED } from "../../core/vocabulary.ts";
import type { JsonObject } from "../../core/wire.ts";
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
export function EventText({ event, words = "" }: { event: EventRow; words?: string | undefined }) {
  const said = saidBy(event);
  const isOutput = event.name === "output";
  return (
    <>
      {isOutput ? null : (
        <span class="event-name">
          <Marked text={event.name || "(unnamed)"} words={words} />
        </span>
      )}
      {said === "" ? null : (
        <span class="event-said">
          <Marked text={short(plain(said))} words={words} />
        </span>
      )}
    </>
  );
}

/** A text with the words that were searched for marked in it. */
function Marked({ text, words }: { text: string; words: string }) {
  if (words === "") return <>{text}</>;
  const pieces = text.split(new RegExp(`(${RegExp.escape(words)})`, "gi"));
  return <>{pieces.map((piece, index) => (index % 2 === 1 ? <mark>{piece}</mark> : piece))}</>;
}

function saidBy(event: EventRow): string {
  const { name, exception_type, exception_msg, message, data = {} } = event;
  if (exception_type) return `${exception_type}: ${exception_msg ?? ""}`;
  if (message) return message;
  return (Object.hasOwn(OWN, name) && OWN[name]?.(data)) || fields(data);
}

/** Datacat's own events, which 1.x told by their data, in words. What they hold that is not known here is shown as data. */
const OWN: Record<string, (data: JsonObject) => string> = {
  [EVENT_CRASHED]: ({ reason, signal }) => {
    if (typeof signal === "string" && signal !== "") {
      const how = typeof reason === "string" && reason !== "" ? reason : "ended";
      return how.includes(signal) ? how : `${how} by ${signal}`;
    }
    return typeof reason === "string" ? reason : "";
  },
  [EVENT_HUNG]: ({ seconds_since_heartbeat: seconds, process_state: state }) =>
    [
      typeof seconds === "number" ? `no heartbeat for ${formatDuration(seconds * 1_000)}` : "",
      typeof state === "string" ? `its process is ${state}` : "",
    ]
      .filter(Boolean)
      .join(", "),
  [EVENT_RECOVERED]: ({ duration_ms: ms }) =>
    typeof ms === "number" ? `after ${formatDuration(ms)} without a heartbeat` : "",
};

/** `door=21 took_ms=32`: as people read logs. */
function fields(data: JsonObject): string {
  return Object.entries(data)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

export function short(text: string, length = ROW_TEXT): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
