import type { SessionRow } from "../../src/core/answers/session-row.ts";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  type SessionFilter,
  STATUS_KINDS,
  type StatusKind,
} from "../../src/catalog/search/filter.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import type { Publication } from "../../src/catalog/tables/publication.ts";
import { listSessions, type SessionListQuery } from "../../src/catalog/search/sessions.ts";
import { freeKey } from "../../src/catalog/tables/key.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import { eventCount, exception, NOON, publication } from "./publication.ts";

const db = env.CATALOG;

/** Columns that every session has, and how long it ran. */
const SORTS = [
  "created_at",
  "updated_at",
  "status",
  "events",
  "exceptions",
  "points",
  "product",
  "hostname",
  "ran_ms",
];

/** Sixty sessions that differ in everything that can be asked for; several begin in the same millisecond. */
const world: Publication[] = Array.from({ length: 60 }, (_, n) => {
  const status =
    (["active", "ended", "crashed", "hung", "suspended", "ended"] as const)[n % 6] ?? "ended";
  return publication(`s${String((n * 7919) % 60).padStart(2, "0")}`, {
    session: {
      created_at: NOON + Math.floor(n / 3) * 1_000,
      updated_at: NOON + ((n * 37) % 50) * 500,
      ended_at: status === "ended" ? NOON + ((n * 29) % 40) * 1_000 : null,
      product: n % 4 === 0 ? "editor" : "game",
      version: n % 5 === 0 ? "2.0" : "1.0",
      status,
      is_open: status !== "ended" && status !== "crashed",
      failed: status === "ended" && n % 12 === 1,
      ever_hung: status === "hung" || n % 7 === 0,
      recovered: n % 14 === 0,
      machine_id: `machine-${n % 3}`,
      hostname: n % 2 === 0 ? "Workshop" : "laptop",
      tags: JSON.stringify(n % 10 === 0 ? ["ci", "nightly"] : []),
      headline: status === "crashed" ? "Crashed: killed by SIGKILL" : "Fine",
      events: (n * 13) % 17,
      points: (n * 31) % 23,
    },
    event_counts:
      n % 6 === 1
        ? [eventCount("door_opened"), eventCount("door_opened", { category: "error" })]
        : [],
    exceptions: n % 9 === 2 ? [exception("f1")] : [],
    state_values: [
      { path: "level", value: `=${n % 8}`, first_at: NOON, last_at: null },
      ...(n % 20 === 3 ? [{ path: "level", value: ANY_VALUE, first_at: NOON, last_at: null }] : []),
    ],
  });
});

beforeAll(async () => {
  for (const session of world) await publish(db, session);
});

const IS: { [kind in StatusKind]: (s: Publication["session"]) => boolean } = {
  active: (s) => s.status === "active",
  suspended: (s) => s.status === "suspended",
  hung: (s) => s.status === "hung",
  crashed: (s) => s.status === "crashed",
  ended: (s) => s.status === "ended",
  failed: (s) => s.failed,
  succeeded: (s) => s.status === "ended" && !s.failed,
  ever_hung: (s) => s.ever_hung,
  hung_recovered: (s) => s.ever_hung && s.recovered && s.status !== "hung",
  hung_ended: (s) => s.ever_hung && s.status === "ended",
  hung_crashed: (s) => s.ever_hung && s.status === "crashed",
};

/** The filter's meaning, spelled without SQL. */
function passes({ session: s, ...tables }: Publication, f: SessionFilter): boolean {
  const terms = f.text?.toLowerCase().split(" ") ?? [];
  const everything = [s.id, s.product, s.version, s.hostname, s.machine_id, s.headline, s.tags]
    .join(" ")
    .toLowerCase();
  return (
    (f.product === undefined || s.product === f.product) &&
    (f.version === undefined || s.version === f.version) &&
    (!f.status?.length || f.status.some((kind) => IS[kind](s))) &&
    (f.machine === undefined || s.machine_id === f.machine) &&
    (f.hostname === undefined || s.hostname === f.hostname) &&
    (f.from === undefined || s.created_at >= f.from) &&
    (f.to === undefined || s.created_at < f.to) &&
    (f.tag === undefined || (JSON.parse(s.tags) as string[]).includes(f.tag)) &&
    (f.event === undefined || tables.event_counts.some((row) => row.name === f.event)) &&
    (f.exception === undefined ||
      tables.exceptions.some((row) => row.fingerprint === f.exception)) &&
    (f.state === undefined ||
      tables.state_values.some(
        (row) =>
          row.path === f.state?.path[0] && [`=${f.state?.value}`, ANY_VALUE].includes(row.value),
      )) &&
    terms.every((term) => everything.includes(term))
  );
}

const query = fc.record(
  {
    product: fc.constantFrom("game", "editor", "nothing"),
    version: fc.constantFrom("1.0", "2.0"),
    status: fc.subarray([...STATUS_KINDS]),
    machine: fc.constantFrom("machine-0", "machine-1"),
    hostname: fc.constantFrom("Workshop", "laptop"),
    from: fc.integer({ min: 0, max: 20 }).map((n) => NOON + n * 1_000),
    to: fc.integer({ min: 0, max: 20 }).map((n) => NOON + n * 1_000),
    text: fc.constantFrom("game", "SIGKILL workshop", "nightly", "s1"),
    tag: fc.constantFrom("ci", "none"),
    state: fc.record({ path: fc.constant(["level"]), value: fc.constantFrom("1", "3") }),
    event: fc.constantFrom("door_opened", "nothing"),
    exception: fc.constantFrom("f1", "f2"),
    sort: fc.constantFrom(...SORTS),
    order: fc.constantFrom("asc", "desc"),
    limit: fc.integer({ min: 1, max: 25 }),
  },
  { requiredKeys: ["limit"] },
) as fc.Arbitrary<SessionListQuery & { limit: number }>;

/** No two of these have the same slot of a millisecond. */
const keyOf = ({ id, created_at }: Publication["session"]) =>
  freeKey(id, created_at, () => false) ?? 0;

async function pages(asked: SessionListQuery): Promise<SessionRow[][]> {
  const found: SessionRow[][] = [];
  for (let cursor: string | undefined, n = 0; n < 100; n++) {
    const page = await listSessions(db, { ...asked, ...(cursor !== undefined && { cursor }) });
    found.push(page.items);
    if (page.next === null) return found;
    cursor = page.next;
  }
  throw new Error("the list does not end");
}

test("paging through any list gives every session that passes once, in order", async () => {
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      const { sort = "created_at", order = "desc" } = asked;
      const way = order === "desc" ? -1 : 1;
      const value = (row: Publication["session"]) =>
        sort === "ran_ms"
          ? (row.ended_at ?? row.updated_at) - row.created_at
          : (row[sort as "events"] ?? 0); // as: one of SORTS
      const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
      const expected = world
        .filter((row) => passes(row, asked))
        .map((row) => row.session)
        .toSorted((a, b) => way * (compare(value(a), value(b)) || compare(keyOf(a), keyOf(b))))
        .map((row) => row.id);
      expect((await pages(asked)).flat().map((row) => row.id)).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test("going back from any page shows the page before it", async () => {
  await fc.assert(
    fc.asyncProperty(query, fc.integer({ min: 1, max: 4 }), async (asked, steps) => {
      const first = await listSessions(db, asked);
      expect(first.previous).toBeNull();
      let before = first;
      for (let n = 0; n < steps && before.next !== null; n++) {
        const here = await listSessions(db, { ...asked, cursor: before.next });
        expect(here.previous).not.toBeNull();
        const back = await listSessions(db, { ...asked, cursor: here.previous ?? "" });
        expect(back.items).toEqual(before.items);
        expect(back.next).toEqual(before.next);
        before = here;
      }
    }),
    { numRuns: 100 },
  );
});

test("a session that begins while someone pages changes nothing on the pages to come", async () => {
  const first = await listSessions(db, { limit: 10 });
  await publish(db, publication("newcomer", { session: { created_at: NOON + 1_000_000 } }));
  const second = await listSessions(db, { limit: 10, cursor: first.next ?? "" });
  expect(new Set([...first.items, ...second.items].map((row) => row.id)).size).toBe(20);
  const back = await listSessions(db, { limit: 10, cursor: second.previous ?? "" });
  expect(back.items.map((row) => row.id)).toEqual(first.items.map((row) => row.id));
  expect(back.previous).not.toBeNull(); // the newcomer
});

test("a cursor of another list, or none at all, is refused", async () => {
  const { next } = await listSessions(db, { limit: 1 });
  const refused = { code: "invalid_query" };
  await expect(listSessions(db, { sort: "events", cursor: next ?? "" })).rejects.toMatchObject(
    refused,
  );
  for (const cursor of ["", "!", "W10", btoa("[1,2,3,4]"), "x".repeat(5_000)]) {
    await expect(listSessions(db, { cursor })).rejects.toMatchObject(refused);
  }
});

test("sessions of which the catalog is unsure are asked, and go if they never held the state", async () => {
  const state = { path: ["level"], value: "1" };
  const asked: string[] = [];
  const { items } = await listSessions(db, { state, limit: 100 }, async (id) => {
    asked.push(id);
    return id === asked[0];
  });
  const unasked = await listSessions(db, { state, limit: 100 });
  expect(asked.length).toBeGreaterThan(1);
  expect(unasked.items.filter((row) => row.unsure).map((row) => row.id)).toEqual(asked);
  expect(items.length).toBe(unasked.items.length - asked.length + 1);
  expect(items.every((row) => !row.unsure)).toBe(true);
});

test("a search of one term very often is no error, of too many terms is refused", async () => {
  const text = Array.from({ length: 500 }, () => "game").join(" ");
  expect((await listSessions(db, { text, limit: 1 })).items).toHaveLength(1);
  const terms = Array.from({ length: 17 }, (_, n) => `term${n}`).join(" ");
  await expect(listSessions(db, { text: terms })).rejects.toMatchObject({ code: "invalid_query" });
});
