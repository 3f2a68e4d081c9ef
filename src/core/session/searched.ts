/**
 * What a search through all sessions looks through in one of them, beside its own row: exceptions, tests, names and messages of events, values of the
 * state, names of attachments, and the last lines of output. It is bounded; what is left out is looked for in the session's log.
 *
 * Messages of events are kept by the index as they arrive: each different one once, the newest ones as far as there is room.
 */
import type { EventRow } from "../answers/events.ts";
import { isException } from "../events/event.ts";
import {
  MAX_OUTPUT_LINE,
  MAX_SEARCHED_MESSAGE,
  MAX_SEARCHED_MESSAGES,
  MAX_SEARCHED_OUTPUT,
  MAX_SEARCHED_TEXT,
} from "../limits.ts";
import { isMarker } from "../state/values.ts";
import type { ListedTest } from "../tests/listed.ts";
import { fold } from "../text/fold.ts";
import { EVENT_OUTPUT } from "../vocabulary.ts";
import type { RecordedTexts, SessionIndex } from "./session-index.ts";

/** What of a session is looked through, as the catalog lists it. */
export type Searched = {
  exceptions: {
    type: string;
    message: string;
    place: string;
    first_at: number;
    first_seq: number;
  }[];
  tests: ListedTest[];
  attachments: { name: string; at: number }[];
  event_counts: { name: string; first_at: number }[];
  state_values: { value: string; first_at: number }[];
  texts: Pick<RecordedTexts, "messages" | "output" | "leftOut">;
};

/** The folded lines as far as there is room for them, and whether none was left out. */
export function searchedOf(searched: Searched): { searched: string; isWhole: boolean } {
  let isWhole = !searched.texts.leftOut;
  let length = 0;
  const lines = new Set<string>();
  for (const text of textsOf(searched)) {
    const line = searchable(text);
    if (line === "" || lines.has(line)) continue;
    if (length + line.length > MAX_SEARCHED_TEXT) isWhole = false;
    else {
      length += line.length + 1;
      lines.add(line);
    }
  }
  return { searched: [...lines].join("\n"), isWhole };
}

/** What names a failure first, and of each kind the newest first. */
export function* textsOf(searched: Searched): Generator<string> {
  const { exceptions, tests, attachments, event_counts, state_values, texts } = searched;
  const newest = <Item>(items: Item[]) => [...items].reverse();
  for (const { type, message, place } of newest(exceptions))
    yield [type, message, place].filter(Boolean).join(" ");
  for (const test of tests) if (!isQuiet(test)) yield testText(test);
  for (const { text } of newest(texts.output)) yield text;
  for (const { name } of attachments) yield name;
  for (const { name } of event_counts) yield name;
  for (const { text } of newest(texts.messages)) yield text;
  for (const { value } of state_values) if (!isMarker(value)) yield value.slice(1);
  for (const test of tests) if (isQuiet(test)) yield testText(test);
}

function isQuiet({ result }: ListedTest): boolean {
  return result === "passed" || result === "skipped";
}

function testText({ text, failure }: ListedTest): string {
  return failure === "" ? text : `${text} ${failure}`;
}

/** A text as a search compares it: folded, in one line. */
export function searchable(text: string): string {
  return fold(oneLine(text));
}

export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, " ");
}

/** The texts of an event that a search looks through beside its name. Tests have lists of their own (tests/listed.ts). */
export function textsOfEvent(event: EventRow): string[] {
  if (event.test) return [];
  const thrown = (isException(event) ? [event, ...(event.causes ?? [])] : []).map(
    ({ exception_type: type = "", exception_msg: message = "" }) => thrownText(type, message),
  );
  return [event.message ?? "", ...thrown].filter((text) => text !== "");
}

function thrownText(type: string, message: string): string {
  return [type, message].filter(Boolean).join(" ");
}

/** Keeps the texts of an event, after it was counted. */
export function noteTexts(index: SessionIndex, event: EventRow): void {
  const { message = "" } = event;
  if (event.name === EVENT_OUTPUT) {
    const text = message.slice(0, MAX_OUTPUT_LINE);
    if (text.trim() !== "") add(index.texts, "output", text, event);
  } else if (isException(event)) {
    for (const text of textsOfEvent(event))
      if (!isListed(index, event, text)) noteMessage(index.texts, text, event);
  } else if (message !== "" && !event.test) noteMessage(index.texts, message, event);
}

/** Whether the list of exceptions has this text. */
function isListed({ exceptions }: SessionIndex, event: EventRow, text: string): boolean {
  const listed = exceptions.find(({ fingerprint }) => fingerprint === event.fingerprint);
  return listed !== undefined && thrownText(listed.type, listed.message) === text;
}

/** A message that is there already moves to the end. */
function noteMessage(texts: RecordedTexts, text: string, event: EventRow): void {
  const { messages } = texts;
  if (text.length > MAX_SEARCHED_MESSAGE) texts.leftOut = true;
  const kept = text.slice(0, MAX_SEARCHED_MESSAGE);
  // Programs repeat their newest messages.
  for (let at = messages.length - 1; at >= 0; at--) {
    if (messages[at]?.text !== kept) continue;
    const [known] = messages.splice(at, 1);
    if (known) messages.push(Object.assign(known, { at: event.at, seq: event.seq }));
    return;
  }
  if (add(texts, "messages", kept, event)) texts.leftOut = true;
}

const ROOM = { messages: MAX_SEARCHED_MESSAGES, output: MAX_SEARCHED_OUTPUT } as const;

/** Adds a text, and removes the oldest ones for which there is no room any more. True if there were any. */
function add(
  texts: RecordedTexts,
  list: keyof typeof ROOM,
  text: string,
  { at, seq }: EventRow,
): boolean {
  const entries = texts[list];
  entries.push({ text, at, seq });
  texts.lengths[list] += text.length;
  texts.added++;
  let isFull = false;
  while (texts.lengths[list] > ROOM[list]) {
    texts.lengths[list] -= entries.shift()?.text.length ?? 0;
    isFull = true;
  }
  return isFull;
}
