/**
 * What a search through all sessions looks through in one of them, beside its own row: exceptions, tests, names and messages of events, values of the
 * state, names of attachments, texts in the data and the tags of events, and the last lines of output. It is bounded; what is left
 * out is looked for in the session's log.
 *
 * Messages and data of events are kept by the index as they arrive: each different text once, the newest ones as far as there is room.
 */
import type { EventRow } from "../answers/events.ts";
import { nameOfPath, textsInData, visitTexts } from "../events/data-texts.ts";
import { isException } from "../events/event.ts";
import {
  MAX_EVENT_TEXTS,
  MAX_OUTPUT_LINE,
  MAX_SEARCHED_DATA,
  MAX_SEARCHED_DATUM,
  MAX_SEARCHED_MESSAGE,
  MAX_SEARCHED_MESSAGES,
  MAX_SEARCHED_OUTPUT,
  MAX_SEARCHED_TEXT,
} from "../limits.ts";
import { isMarker } from "../state/values.ts";
import type { ListedTest } from "../tests/listed.ts";
import { fold } from "../text/fold.ts";
import { EVENT_OUTPUT } from "../vocabulary.ts";
import type { OwnRow } from "./own-row.ts";
import type { RecordedTexts, SessionIndex } from "./session-index.ts";

/** What of a session is looked through, as the catalog lists it. */
export type Searched = {
  exceptions: {
    type: string;
    message: string;
    place: string;
    calls: string;
    first_at: number;
    first_seq: number;
  }[];
  tests: ListedTest[];
  attachments: { name: string; at: number }[];
  event_counts: { name: string; first_at: number }[];
  state_values: { value: string; first_at: number }[];
  texts: Pick<RecordedTexts, "messages" | "output" | "data" | "leftOut">;
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
  for (const exception of newest(exceptions)) yield exceptionText(exception);
  for (const test of tests) if (!isQuiet(test)) yield testText(test);
  for (const { text } of newest(texts.output)) yield text;
  for (const { name } of attachments) yield name;
  for (const { name } of event_counts) yield name;
  for (const { text } of newest(texts.messages)) yield text;
  for (const { text } of newest(texts.data)) yield text;
  for (const { value } of state_values) if (!isMarker(value)) yield value.slice(1);
  for (const test of tests) if (isQuiet(test)) yield testText(test);
}

export function exceptionText({
  type,
  message,
  place,
  calls,
}: Pick<Searched["exceptions"][number], "type" | "message" | "place" | "calls">): string {
  return [type, message, place, calls].filter(Boolean).join(" ");
}

function isQuiet({ result }: ListedTest): boolean {
  return result === "passed" || result === "skipped";
}

function testText({ text, failure }: ListedTest): string {
  return failure === "" ? text : `${text} ${failure}`;
}

/** The texts of a session's own row, as a search compares them; the verdict first. */
export function ownTexts({
  headline,
  id,
  product,
  version,
  hostname,
  machine_id,
  tags,
}: Own & { tags: readonly string[] }): string[] {
  return [headline, id, product, version, hostname, machine_id, ...tags].map(searchable);
}

type Own = Pick<OwnRow, "headline" | "id" | "product" | "version" | "hostname" | "machine_id">;

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
  return [...messagesOf(event), ...textsInData(event)];
}

/** The message, and of an exception what it and its causes name, with their notes. */
function messagesOf(event: EventRow): string[] {
  const { message = "", causes = [] } = event;
  const thrown = (isException(event) ? [event, ...causes] : []).flatMap(
    ({ exception_type: type = "", exception_msg: text = "", notes = [] }) => [
      thrownText(type, text),
      ...notes,
    ],
  );
  return [message, ...thrown].filter((text) => text !== "");
}

function thrownText(type: string, message: string): string {
  return [type, message].filter(Boolean).join(" ");
}

/** Keeps the texts of an event, after it was counted. */
export function noteTexts(index: SessionIndex, event: EventRow): void {
  const { message = "" } = event;
  if (event.test) return;
  if (event.name === EVENT_OUTPUT) {
    const text = message.slice(0, MAX_OUTPUT_LINE);
    if (text.trim() !== "") add(index.texts, "output", { text, ...placeOf(event) });
    return;
  }
  if (isException(event)) {
    for (const text of messagesOf(event))
      if (!isListed(index, event, text)) noteText(index.texts, "messages", text, event);
  } else if (message !== "") noteText(index.texts, "messages", message, event);
  noteData(index.texts, event);
}

/** Whether the list of exceptions has this text. */
function isListed({ exceptions }: SessionIndex, event: EventRow, text: string): boolean {
  const listed = exceptions.find(({ fingerprint }) => fingerprint === event.fingerprint);
  return listed !== undefined && thrownText(listed.type, listed.message) === text;
}

function noteData(texts: RecordedTexts, event: EventRow): void {
  let count = 0;
  visitTexts(event, (text, path) => {
    if (++count > MAX_EVENT_TEXTS) texts.leftOut = true;
    else noteText(texts, "data", text, event, path);
    return count <= MAX_EVENT_TEXTS;
  });
}

/** Characters of each list. */
export const ROOM = {
  messages: MAX_SEARCHED_MESSAGES,
  data: MAX_SEARCHED_DATA,
  output: MAX_SEARCHED_OUTPUT,
} as const;
const LONGEST = { messages: MAX_SEARCHED_MESSAGE, data: MAX_SEARCHED_DATUM } as const;

type Entry = { text: string; name?: string };

/** A text that is there already moves to the end, also one of data that was at another path. */
function noteText(
  texts: RecordedTexts,
  list: keyof typeof LONGEST,
  text: string,
  event: EventRow,
  path?: readonly string[],
): void {
  const entries: RecordedTexts["messages"] = texts[list];
  if (text.length > LONGEST[list]) texts.leftOut = true;
  const kept = text.slice(0, LONGEST[list]);
  // Programs repeat their newest texts.
  for (let at = entries.length - 1; at >= 0; at--) {
    if (entries[at]?.text !== kept) continue;
    const [known] = entries.splice(at, 1);
    if (known) entries.push(Object.assign(known, placeOf(event)));
    return;
  }
  const name = path && { name: nameOfPath(path) };
  if (add(texts, list, { text: kept, ...placeOf(event), ...name })) texts.leftOut = true;
}

function placeOf({ at, seq }: EventRow): { at: number; seq: number } {
  return { at, seq };
}

/** Adds a text, and removes the oldest ones for which there is no room any more. True if there were any. */
function add(
  texts: RecordedTexts,
  list: keyof typeof ROOM,
  entry: Entry & { at: number; seq: number },
): boolean {
  const entries: (typeof entry)[] = texts[list];
  entries.push(entry);
  texts.lengths[list] += lengthOf(entry);
  texts.added++;
  let isFull = false;
  while (texts.lengths[list] > ROOM[list]) {
    const oldest = entries.shift();
    texts.lengths[list] -= oldest ? lengthOf(oldest) : 0;
    isFull = true;
  }
  return isFull;
}

/** What an entry takes of the room of its list. */
export function lengthOf({ text, name = "" }: Entry): number {
  return text.length + name.length;
}
