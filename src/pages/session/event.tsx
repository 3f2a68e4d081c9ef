/** One event as a line of text, used wherever events are shown. */
import { Redacted } from "../ui/coloured.tsx";
import { formatDuration } from "../../core/text/format.ts";
import type { EventRow } from "../../core/answers/events.ts";
import { EVENT_CRASHED, EVENT_HUNG, EVENT_OUTPUT, EVENT_RECOVERED } from "../../core/vocabulary.ts";
import { testName } from "../../core/tests/id.ts";
import { TEST_LABELS } from "../../core/tests/vocabulary.ts";
import type { JsonObject } from "../../core/wire.ts";
import { ROW_TEXT } from "../limits.ts";
import { nameLabel, plainJson, plainText } from "../../core/text/recorded-text.ts";
import { Moment } from "../ui/time.tsx";

/** The time, the category (as a colour) and the text. */
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

/** The text of an event: its name, then its exception, message or data. */
export function EventText({ event, marks = [] }: { event: EventRow; marks?: string[] }) {
  const text = textOf(event);
  const isOutput = event.name === EVENT_OUTPUT;
  return (
    <>
      {isOutput ? null : (
        <span class="event-name">
          <Marked text={nameLabel(event.name)} marks={marks} />
        </span>
      )}
      {text === "" ? null : (
        <span class="event-message">
          <Marked text={short(plainText(text))} marks={marks} />
        </span>
      )}
    </>
  );
}

/** A text in which what is searched is marked. */
function Marked({ text, marks }: { text: string; marks: string[] }) {
  const patterns = marks.filter(Boolean).map((mark) => RegExp.escape(mark));
  if (patterns.length === 0) return <Redacted text={text} />;
  const pieces = text.split(new RegExp(`(${patterns.join("|")})`, "gi"));
  return (
    <>
      {pieces.map((piece, index) =>
        index % 2 === 1 ? <mark>{piece}</mark> : <Redacted text={piece} />,
      )}
    </>
  );
}

function textOf(event: EventRow): string {
  const { name, exception_type, exception_msg, message, data = {}, test } = event;
  const thrown = exception_type
    ? `${nameLabel(exception_type)}${exception_msg ? `: ${exception_msg}` : ""}`
    : message;
  if (test) {
    const result = test.result === undefined ? "started" : TEST_LABELS[test.result].toLowerCase();
    return [`${testName(test)} ${result}`, thrown].filter(Boolean).join(": ");
  }
  if (thrown) return thrown;
  return (Object.hasOwn(OWN_EVENTS, name) && OWN_EVENTS[name]?.(data)) || fields(data);
}

/** Datacat's own events, whose data 1.x defined. An event without a text here is shown by its data. */
const OWN_EVENTS: Record<string, (data: JsonObject) => string> = {
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
      typeof state === "string" ? `process ${state}` : "",
    ]
      .filter(Boolean)
      .join(", "),
  [EVENT_RECOVERED]: ({ duration_ms: ms }) =>
    typeof ms === "number" ? `after ${formatDuration(ms)} without a heartbeat` : "",
};

/** The logfmt of the data: `door=21 took_ms=32`. */
function fields(data: JsonObject): string {
  return Object.entries(data)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : plainJson(value)}`)
    .join(" ");
}

export function short(text: string, length = ROW_TEXT): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
