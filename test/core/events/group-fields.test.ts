/** Random queries over random exception groups, compared with predicates that use neither the parser nor the evaluation. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { GROUP_LIST, GROUPS, type SearchedGroup } from "../../../src/core/events/group-fields.ts";
import { matcherOf } from "../../../src/core/query/evaluate.ts";
import { parseQueryOf } from "../../../src/core/query/parse.ts";
import { GROUP_STATUSES } from "../../../src/core/vocabulary.ts";
import { type Case, queriesOf } from "../query/cases.ts";

const NOW = Date.UTC(2026, 10, 29, 12);
const DAY = 86_400_000;
const daysAgo = fc.integer({ min: 0, max: 60 }).map((days) => NOW - days * DAY - 1_000);

const group: fc.Arbitrary<SearchedGroup> = fc
  .record({
    product: fc.constantFrom("game", "Space Probe", ""),
    fingerprints: fc.constantFrom(["f1"], ["f2"], ["f3", "f1"]),
    type: fc.constantFrom("ValueError", "KeyError", ""),
    message: fc.constantFrom("no such Door", "Straße 7 gesperrt", ""),
    place: fc.constantFrom("open_door (door.py:12)", ""),
    sessions: fc.integer({ min: 1, max: 20 }),
    count: fc.integer({ min: 1, max: 50 }),
    unhandled: fc.integer({ min: 0, max: 2 }),
    times: fc.tuple(daysAgo, daysAgo),
    status: fc.constantFrom(...GROUP_STATUSES),
    returned: fc.boolean(),
    versions: fc.subarray(["1.9", "1.10", "2.0-rc.1", ""]),
  })
  .map(({ times: [a, b], returned, ...rest }) => ({
    ...rest,
    first_at: Math.min(a, b),
    last_at: Math.max(a, b),
    returned_at: returned && rest.status === "resolved" ? Math.max(a, b) : null,
    search: `${rest.type} ${rest.message} ${rest.place}`.toLowerCase().replace("ß", "ss"),
  }));

const isOpen = ({ status, returned_at }: SearchedGroup) =>
  status === "open" || returned_at !== null;

const leaves: Case<SearchedGroup>[] = [
  { text: "type:ValueError", of: ({ type }) => type === "ValueError" },
  { text: "type:*Error", of: ({ type }) => type !== "" },
  { text: "exception:KeyError,f2", of: (g) => g.type === "KeyError" || g.fingerprints[0] === "f2" },
  { text: "fingerprint:f1", of: ({ fingerprints }) => fingerprints.includes("f1") },
  { text: "message:DOOR", of: ({ message }) => message.includes("Door") },
  { text: "message:!STRASSE", of: ({ message }) => message.includes("Door") },
  { text: "place:door.py", of: ({ place }) => place !== "" },
  { text: 'product:"Space Probe"', of: ({ product }) => product === "Space Probe" },
  { text: "version:1.9", of: ({ versions }) => versions.includes("1.9") },
  {
    text: "version:>=1.10",
    of: ({ versions }) => versions.includes("1.10") || versions.includes("2.0-rc.1"),
  },
  { text: "-version:*", of: ({ versions }) => versions.every((version) => version === "") },
  { text: "status:open", of: isOpen },
  { text: "status:!open", of: (each) => !isOpen(each) },
  { text: "is:resolved", of: (each) => each.status === "resolved" && !isOpen(each) },
  { text: "is:returned", of: ({ returned_at }) => returned_at !== null },
  { text: "is:unhandled", of: ({ unhandled }) => unhandled > 0 },
  { text: "is:merged", of: ({ fingerprints }) => fingerprints.length > 1 },
  { text: "sessions:>10", of: ({ sessions }) => sessions > 10 },
  { text: "count:5..30", of: ({ count }) => count >= 5 && count <= 30 },
  { text: "unhandled:0", of: ({ unhandled }) => unhandled === 0 },
  { text: "first:<7d", of: ({ first_at }) => first_at > NOW - 7 * DAY },
  { text: "last:>=30d", of: ({ last_at }) => last_at <= NOW - 30 * DAY },
  { text: "last:2026-11-29", of: ({ last_at }) => last_at >= Date.UTC(2026, 10, 29) },
  { text: "door", of: ({ message, place }) => message.includes("Door") || place !== "" },
  { text: '"straße 7"', of: ({ message }) => message.includes("Straße") },
];

const passes = (text: string) => matcherOf(parseQueryOf(GROUP_LIST, text, NOW), GROUPS);

test.each(leaves)("$text", ({ text, of }) => {
  fc.assert(
    fc.property(group, (each) => {
      expect(passes(text)(each), JSON.stringify(each)).toBe(of(each));
    }),
    { numRuns: 300 },
  );
});

test("a query finds the groups that it means", () => {
  fc.assert(
    fc.property(queriesOf(leaves), fc.array(group, { maxLength: 20 }), ({ text, of }, all) => {
      expect(all.filter(passes(text)), text).toEqual(all.filter(of));
    }),
    { numRuns: 2_000 },
  );
});
