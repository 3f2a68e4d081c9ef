/** Random queries over random events, compared with predicates that use neither the parser nor the evaluation. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventRow } from "../../../src/core/answers/events.ts";
import { eventRow } from "../../../src/core/events/event.ts";
import { EVENT_LIST } from "../../../src/core/events/fields.ts";
import { eventSearch } from "../../../src/core/events/search.ts";
import { parseQueryOf } from "../../../src/core/query/parse.ts";
import { refusalOf } from "../../../src/core/refusal.ts";
import { newContents } from "../../../src/core/segments/contents.ts";
import { summariseSegment } from "../../../src/core/segments/segment-summary.ts";
import type { Event } from "../../../src/core/wire.ts";
import { type Case, queriesOf } from "../query/cases.ts";

const NOON = Date.UTC(2026, 10, 23, 12);
const END = NOON + 120_000;
const SPAN = { from: NOON, to: END };
const NOW = END + 60_000;

const thrown = fc.constantFrom<Partial<Event>>(
  {},
  { exception_type: "ValueError", exception_msg: "no such Door", handled: false },
  { exception_type: "KeyError", stacktrace: ["File game.py"], attributes: { errno: 2 } },
);
const tested = fc.constantFrom<Partial<Event>>(
  {},
  { test: { id: ["tests/test_door.py", "test_opens"], result: "passed", duration_ms: 800 } },
  { test: { id: ["tests/test_door.py", "test_merge deep"], result: "failed", duration_ms: 20 } },
);
const anyEvent: fc.Arbitrary<EventRow> = fc
  .record({
    at: fc.integer({ min: 0, max: 120 }).map((seconds) => NOON + seconds * 1_000),
    name: fc.constantFrom("door_opened", "door_closed", "tick", "Straße"),
    category: fc.constantFrom(undefined, "debug", "warn", "error", "FATAL", "combat"),
    group: fc.constantFrom(undefined, "", "game.ui", "net"),
    labels: fc.constantFrom(undefined, ["vip"], ["door:front", "vip"], ["door:back"]),
    message: fc.constantFrom(undefined, "", "The old Door opened", "STRASSE gesperrt", "tick 12"),
    data: fc.constantFrom(
      undefined,
      {},
      { door: { id: 3, state: "open" } },
      { door: { id: "3" }, "a.b": true },
      { ids: [1, "two", null], door: null },
    ),
    source_file: fc.constantFrom(undefined, "/src/game.py"),
    more: fc.tuple(thrown, tested),
  })
  .map(({ more: [exception, test], ...event }) => {
    const known = Object.fromEntries(
      Object.entries({ ...event, ...exception, ...test }).filter(
        ([, value]) => value !== undefined,
      ),
    ) as Event; // as: of the fields above
    return eventRow({ ...known, op: "event" }, 1);
  });

const door = ({ data }: EventRow) => (data?.["door"] ?? {}) as { id?: unknown; state?: unknown };
const hasMessage = ({ message, exception_msg }: EventRow, part: string) =>
  [message, exception_msg].some((text) => (text ?? "").toLowerCase().includes(part));
const seconds = ({ at }: EventRow) => (at - NOON) / 1_000;

const leaves: Case<EventRow>[] = [
  { text: "name:tick", of: ({ name }) => name === "tick" },
  { text: "event:door_*", of: ({ name }) => name.startsWith("door_") },
  { text: "name:!tick,door_opened", of: ({ name }) => !["tick", "door_opened"].includes(name) },
  { text: "name:*_*ed", of: ({ name }) => name.startsWith("door_") },
  { text: "category:combat", of: ({ category }) => category === "combat" },
  { text: "level:>=warning", of: ({ category }) => ["warn", "error", "FATAL"].includes(category) },
  { text: "level:critical", of: ({ category }) => category === "FATAL" },
  { text: "severity:debug..info", of: ({ category }) => ["debug", "info"].includes(category) },
  { text: "level:fatal,debug", of: ({ category }) => ["debug", "FATAL"].includes(category) },
  { text: "level:!error", of: ({ category }) => !["error", "combat"].includes(category) },
  { text: "message:DOOR", of: (event) => hasMessage(event, "door") },
  { text: "message:old*open", of: (event) => hasMessage(event, "the old door opened") },
  { text: 'message:"old door"', of: (event) => hasMessage(event, "old door") },
  { text: "message:straße", of: (event) => hasMessage(event, "strasse") },
  { text: "group:net", of: ({ group }) => group === "net" },
  { text: "group:*", of: ({ group }) => Boolean(group) },
  { text: "group:!net", of: ({ group }) => group === "game.ui" },
  { text: "tag:vip", of: ({ labels }) => labels?.includes("vip") === true },
  { text: "label:!vip", of: ({ labels }) => labels?.includes("vip") === false },
  { text: "tag.door", of: ({ labels }) => labels?.some((l) => l.startsWith("door:")) === true },
  { text: "tag.door:front", of: ({ labels }) => labels?.includes("door:front") === true },
  { text: "tag.door:!front", of: ({ labels }) => labels?.includes("door:back") === true },
  { text: "exception:ValueError", of: (event) => event.exception_type === "ValueError" },
  { text: "exception:*", of: (event) => event.exception_type !== undefined },
  { text: "is:exception", of: (event) => event.exception_type !== undefined },
  { text: "is:unhandled,test", of: (e) => e.handled === false || e.test !== undefined },
  { text: "has:stack", of: ({ stacktrace }) => stacktrace !== undefined },
  { text: "has:data", of: ({ data }) => Object.keys(data ?? {}).length > 0 },
  { text: "has:message", of: ({ message }) => Boolean(message) },
  { text: 'test:"MERGE deep"', of: ({ test }) => test?.result === "failed" },
  { text: "result:passed,error", of: ({ test }) => test?.result === "passed" },
  { text: "duration:>=0.5s", of: ({ test }) => (test?.duration_ms ?? 0) >= 500 },
  { text: "file:game", of: ({ source_file }) => source_file !== undefined },
  { text: "since_start:<10s", of: (event) => seconds(event) < 10 },
  { text: "since_start:1m..90s", of: (event) => seconds(event) >= 60 && seconds(event) <= 90 },
  { text: "before_end:<=5s", of: (event) => seconds(event) >= 115 },
  { text: "at:2026-11-23T12:01", of: (event) => seconds(event) >= 60 && seconds(event) < 120 },
  { text: "at:<61s", of: (event) => seconds(event) > 119 },
  { text: "data.door.id:3", of: (event) => door(event)?.id === 3 || door(event)?.id === "3" },
  { text: 'data.door.id:"3"', of: (event) => door(event)?.id === "3" },
  { text: "data.door.id:>2", of: (event) => door(event)?.id === 3 },
  { text: "data.door.state:o*n", of: (event) => door(event)?.state === "open" },
  { text: "data.door:null", of: ({ data }) => data !== undefined && data["door"] === null },
  { text: 'data."a.b":true', of: ({ data }) => data?.["a.b"] === true },
  { text: "data.ids:two", of: ({ data }) => data?.["ids"] !== undefined },
  { text: "data.ids.0:1", of: ({ data }) => data?.["ids"] !== undefined },
  { text: "attribute.errno:2", of: ({ attributes }) => attributes !== undefined },
  { text: "door", of: (event) => JSON.stringify(event).toLowerCase().includes("door") },
  { text: '"old door"', of: (event) => hasMessage(event, "old door") },
  { text: "game.py", of: (e) => e.source_file !== undefined || e.stacktrace !== undefined },
];

const events = fc.array(anyEvent, { minLength: 1, maxLength: 12 });
const search = (text: string) => eventSearch(parseQueryOf(EVENT_LIST, text, NOW), SPAN);

test.each(leaves)("$text", ({ text, of }) => {
  const { passes } = search(text);
  fc.assert(
    fc.property(anyEvent, (event) => {
      expect(passes(event), JSON.stringify(event)).toBe(of(event));
    }),
    { numRuns: 300 },
  );
});

test("a query finds the events that it means, and opens every segment that has one", () => {
  fc.assert(
    fc.property(queriesOf(leaves), events, ({ text, of }, all) => {
      const { passes, mayHold } = search(text);
      const expected = all.filter(of);
      expect(all.filter(passes), text).toEqual(expected);
      const summary = summariseSegment({ ...newContents(), events: all }, () => undefined);
      if (expected.length > 0) expect(mayHold(summary), text).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

/** Of three events: two doors of the group `ui` in the first minute, and a tick. */
const summary = summariseSegment(
  {
    ...newContents(),
    events: [
      { op: "event" as const, at: NOON, name: "door", group: "ui", labels: ["front"] },
      { op: "event" as const, at: NOON + 1_000, name: "door", group: "ui", data: { id: 3 } },
      { op: "event" as const, at: NOON + 59_000, name: "tick", message: "the clock" },
    ].map((event) => eventRow(event, 1)),
  },
  () => undefined,
);

test.each([
  ["name:door", true],
  ["name:gate", false],
  ["name:g*", false],
  ["-name:door", true],
  ["-name:door,tick", false],
  ["-(name:door OR level:info)", false],
  ["level:>=warning", false],
  ["-level:info", false],
  ["level:info,error", true],
  ["group:net", false],
  ["-group:net", true],
  ["tag:front", true],
  ["tag:back", false],
  ["-tag:back", true],
  ["tag.front:1", false],
  ["is:test OR name:gate", true],
  ["exception:ValueError", false],
  ["attribute.errno:1", false],
  ["data.id:3", true],
  ["data.colour:3", false],
  ["message:clock", true],
  ["message:water", false],
  ["water", false],
  ["-water", true],
  ["since_start:>1m", false],
  ["since_start:<=0s", true],
  ["-since_start:<1m", false],
  ["-since_start:<59s", true],
  ["before_end:<=1m", false],
  ["before_end:<62s", true],
  ["at:2026-11-23T12:01", false],
  ["at:2026-11-23", true],
  ["-at:2026-11-23", false],
])("a segment may have events for %s: %s", (text, expected) => {
  expect(search(text).mayHold(summary)).toBe(expected);
});

test.each([
  ["colour:red", 0, /no field colour\. Did you mean tag\.colour or data\.colour\?/],
  ["nam:door", 0, /Did you mean name\?/],
  ["state.level:3", 0, /no field state.level/],
  ["metric.fps.mean:3", 0, /no field metric.fps.mean/],
  ["a level:hgih", 8, /level:hgih is unknown\. Known are debug, info, warning, error, critical/],
  ["level:>=waning", 6, /Did you mean warning\?/],
  ["has:datum", 4, /has:datum is unknown/],
  ["message:>a", 8, /no order/],
  ["data.id:>high", 8, /not a number/],
  ["since_start:soon", 12, /not a duration/],
])("%s is refused at character %d", (text, position, message) => {
  let refused: unknown;
  try {
    search(text);
  } catch (thrown) {
    refused = thrown;
  }
  const refusal = refusalOf(refused);
  expect(refusal?.code).toBe("invalid_query");
  expect(refusal?.details["position"]).toBe(position);
  expect(refusal?.message).toMatch(message);
});
