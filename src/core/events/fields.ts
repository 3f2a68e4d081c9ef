/** The list of a session's events: the fields of a query, and what an event has of each. */
import type { EventRow } from "../answers/events.ts";
import type { RowList, Scalar } from "../query/evaluate.ts";
import { queryList } from "../query/list.ts";
import { valueAt } from "../state/merge.ts";
import { testName } from "../tests/id.ts";
import { TEST_RESULTS } from "../tests/vocabulary.ts";
import { EVENT_OUTPUT } from "../vocabulary.ts";
import type { Json } from "../wire.ts";
import { isException, searchText } from "./event.ts";
import { LEVELS, rankOfLevel } from "./level.ts";

const LEVEL = { kind: "rank", choices: LEVELS, rankOf: rankOfLevel } as const;

export const EVENT_LIST = queryList(
  [
    { name: "name", kind: "text", about: "Name of the event" },
    { name: "event", kind: "text", about: "The same as name" },
    { name: "category", kind: "text", about: "Category" },
    { name: "level", ...LEVEL, about: "Category as a severity: level:>=warning" },
    { name: "severity", ...LEVEL, about: "The same as level" },
    { name: "message", kind: "contained", about: "Text in the message, or in the exception's" },
    { name: "group", kind: "text", about: "Group, as the logger's name" },
    { name: "tag", kind: "text", about: "Tag; tag.door:front is the tag door:front" },
    { name: "label", kind: "text", about: "The same as tag" },
    { name: "exception", kind: "text", about: "Type or fingerprint of an exception" },
    {
      name: "is",
      kind: "choice",
      about: "Kind of event",
      choices: ["exception", "unhandled", "test", "output"],
    },
    {
      name: "has",
      kind: "choice",
      about: "What was recorded with it",
      choices: ["message", "data", "tag", "group", "stack", "cause", "attribute"],
    },
    { name: "test", kind: "contained", about: "Text in the name of a test" },
    { name: "result", kind: "choice", about: "Result of a test", choices: TEST_RESULTS },
    { name: "duration", kind: "duration", about: "How long a test took, as >500ms" },
    { name: "file", kind: "contained", about: "Text in the path of the source file" },
    { name: "function", kind: "text", about: "Function that recorded it" },
    { name: "at", kind: "time", about: "Time: a date and time, or <10m for the last ten minutes" },
    { name: "since_start", kind: "duration", about: "Time since the session's start: <10s" },
    { name: "before_end", kind: "duration", about: "Time before the session's end, or now: <10s" },
    { name: "seq", kind: "number", about: "Sequence of its op" },
  ],
  [
    { name: "data", about: "Value in the data: data.door.id:3" },
    { name: "attribute", about: "Attribute of an exception: attribute.errno:2" },
    { name: "tag", about: "Value of a tag key:value : tag.door:front" },
  ],
);

/** The times of the session: its start, and its end or now. */
export type SessionSpan = { from: number; to: number };

export function eventList(span: SessionSpan): RowList<EventRow> {
  return {
    ...EVENT_LIST,
    valuesOf: (event, field, path) =>
      path ? below(event, field, path) : valuesOf(event, field, span),
    textOf: searchText,
  };
}

function valuesOf(event: EventRow, field: string, { from, to }: SessionSpan): readonly Scalar[] {
  const { test } = event;
  switch (field) {
    case "name":
    case "event":
      return [event.name];
    case "category":
      return [event.category];
    case "level":
    case "severity":
      return present(rankOfLevel(event.category));
    case "message":
      return present(event.message, event.exception_msg);
    case "group":
      return present(event.group);
    case "tag":
    case "label":
      return event.labels ?? [];
    case "exception":
      return isException(event) ? present(event.exception_type, event.fingerprint) : [];
    case "is":
      return kindsOf(event);
    case "has":
      return partsOf(event);
    case "test":
      return test ? [testName(test)] : [];
    case "result":
      return present(test?.result);
    case "duration":
      return present(test?.duration_ms);
    case "file":
      return present(event.source_file);
    case "function":
      return present(event.source_function);
    case "at":
      return [event.at];
    case "since_start":
      return [event.at - from];
    case "before_end":
      return [to - event.at];
    case "seq":
      return [event.seq];
    default:
      return [];
  }
}

/** The values that are there; a recorded empty text is none. */
function present(...values: (number | string | undefined)[]): Scalar[] {
  return values.filter((value) => value !== undefined && value !== "") as Scalar[]; // as: just filtered
}

function kindsOf(event: EventRow): string[] {
  const kinds = isException(event) ? ["exception"] : [];
  if (isException(event) && event.handled === false) kinds.push("unhandled");
  if (event.test) kinds.push("test");
  if (event.name === EVENT_OUTPUT) kinds.push("output");
  return kinds;
}

function partsOf({
  message,
  data,
  labels,
  group,
  stacktrace,
  causes,
  attributes,
}: EventRow): string[] {
  const parts: { [part: string]: unknown } = {
    message,
    data: data && Object.keys(data).length,
    tag: labels?.length,
    group,
    stack: stacktrace?.length,
    cause: causes?.length,
    attribute: attributes && Object.keys(attributes).length,
  };
  return Object.keys(parts).filter((part) => parts[part]);
}

/** Of a list the scalars in it, as in searches of the state. */
function below({ data, attributes }: EventRow, field: string, path: readonly string[]): Scalar[] {
  const value = valueAt((field === "data" ? data : attributes) ?? {}, path);
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).filter(isScalar);
}

function isScalar(value: Json): value is Scalar {
  return typeof value !== "object" || value === null;
}
