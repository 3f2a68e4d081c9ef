/** What of a listed session a search found, and where. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { matchesOf } from "../../src/catalog/search/matches.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { keyedSessions } from "../../src/catalog/search/sessions.ts";
import { withQuery } from "../../src/catalog/search/written.ts";
import { eventCount, exception, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const LONG = "a".repeat(200);

beforeAll(async () => {
  await publish(
    db,
    publication("found", {
      session: { tags: '["ci"]', tests: 1, attachments: 1 },
      event_counts: [eventCount("door_opened", { first_at: NOON + 1 })],
      exceptions: [exception("f1", { type: "KeyError", message: "crypt", first_at: NOON + 2 })],
      state_values: [
        { path: "level", value: "=3", first_at: NOON + 3, last_at: NOON + 4 },
        { path: "level", value: "=4", first_at: NOON + 4, last_at: null },
        { path: "window.active", value: '"old menu', first_at: NOON + 5, last_at: null },
      ],
      attachments: [{ name: "Screen.PNG", at: NOON + 6 }],
      tests: [
        { text: "a.test.ts › merge", last: "merge", result: "failed", failure: "1", at: NOON + 7 },
      ],
      texts: [
        { kind: "message", text: `${LONG} Lich\nKing ${LONG}`, at: NOON + 8, seq: 8, name: null },
        { kind: "message", text: "Straße zur ﬁnalen Tür", at: NOON + 9, seq: 9, name: null },
        { kind: "output", text: "Segmentation fault", at: NOON + 10, seq: 10, name: null },
        { kind: "data", text: "Frostmourne", at: NOON + 11, seq: 11, name: "data.weapon" },
      ],
    }),
    publication("cut", { session: { left_out: 64, hostname: "other" } }),
  );
});

async function found(query: string) {
  const filter = withQuery({}, query, NOON);
  const list = await keyedSessions(db, filter);
  const matches = await matchesOf(db, list, filter);
  return matches.get("found");
}

test.each([
  ["crypt", { kind: "exception", at: NOON + 2, match: "crypt" }],
  ["door_", { kind: "event", at: NOON + 1, match: "door_" }],
  ["screen.p", { kind: "attachment", at: NOON + 6, match: "Screen.P" }],
  ["MERGE", { kind: "test", at: NOON + 7, match: "merge" }],
  ["segmentation", { kind: "output", at: NOON + 10, match: "Segmentation" }],
  ['"old me"', { kind: "state", name: "window.active", at: NOON + 5, match: "old me" }],
  [
    "strasse",
    { kind: "message", at: NOON + 9, before: "", match: "Straße", after: " zur ﬁnalen Tür" },
  ],
  ["final", { kind: "message", at: NOON + 9, match: "ﬁnal", after: "en Tür" }],
  ["frost", { kind: "data", name: "data.weapon", at: NOON + 11, match: "Frost" }],
  ['"main (game.py"', { kind: "exception", at: NOON + 2, match: "main (game.py" }],
  ["event:door_*", { kind: "event", at: NOON + 1, match: "door_opened" }],
  ["exception:KeyError", { kind: "exception", at: NOON + 2 }],
  ["test:merge", { kind: "test", at: NOON + 7 }],
  ["attachment:*.PNG", { kind: "attachment", at: NOON + 6 }],
  ["ever.level:3", { kind: "state", name: "level", at: NOON + 3, match: "3" }],
  ["state.level:>3", { kind: "state", name: "level", at: NOON + 4, match: "4" }],
  ["ever.window:*", { kind: "state", name: "window.active", at: NOON + 5 }],
  ["nothing OR crypt", { kind: "exception", match: "crypt" }],
])("%s is shown where it was found", async (query, expected) => {
  expect(await found(query)).toMatchObject({ found: [expected], elsewhere: [] });
});

test("a long text is cut around what was found", async () => {
  const { found: [one] = [] } = (await found('"lich king"')) ?? {};
  expect(one).toMatchObject({ match: "Lich King" });
  expect(one?.before).toBe(`…${"a".repeat(39)} `);
  expect(one?.after).toBe(` ${"a".repeat(79)}…`);
});

test("what stands in the session's own row is not repeated, and nothing is shown of what is excluded", async () => {
  for (const query of ["workshop", "tag:ci", "-event:gone", "-nothing workshop"])
    expect((await found(query))?.found ?? [], query).toEqual([]);
});

test("a term that the catalog does not have of a session is named: its log may have it", async () => {
  const filter = withQuery({}, 'lich "fault"', NOON);
  const list = await keyedSessions(db, filter);
  const matches = await matchesOf(db, list, filter);
  expect(matches.get("cut")).toEqual({ found: [], elsewhere: ["lich", "fault"] });
  expect(matches.get("found")?.found.map(({ kind }) => kind)).toEqual(["message", "output"]);
});

test("a search without conditions on what is recorded reads nothing", async () => {
  const list = await keyedSessions(db, { product: "game" });
  expect(await matchesOf(db, list, { product: "game" })).toEqual(new Map());
});
