/** Random queries for exception groups in the catalog, compared with predicates that use neither the parser nor the evaluation. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { exceptionGroups, exceptionTypes, GROUP_SORTS } from "../../src/catalog/exceptions.ts";
import { GROUPS_AT_ONCE } from "../../src/catalog/limits.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { GROUP_LIST } from "../../src/core/events/group-fields.ts";
import { parseQueryOf } from "../../src/core/query/parse.ts";
import { decide } from "../../src/registry/decisions.ts";
import { listDecided, merge } from "../../src/registry/merges.ts";
import { type Case, queriesOf } from "../core/query/cases.ts";
import { exception, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const DAY = 86_400_000;
const NOW = NOON + 20 * DAY;

type Kind = {
  fingerprint: string;
  type: string;
  message: string;
  place: string;
  product: string;
  /** One session for each, in this order of days. */
  versions: string[];
  count: number;
  unhandled: number;
  status: "open" | "resolved" | "muted";
};

/** Of each a session on the day of its number, and on the days after it. */
const kinds: Kind[] = Array.from({ length: 18 }, (_, n) => ({
  fingerprint: `f${n}`,
  type: ["ValueError", "KeyError", "OSError"][n % 3] ?? "",
  message: ["no such Door", "Straße gesperrt", ""][n % 4] ?? "door 7",
  place: n % 2 ? "open_door (door.py:12)" : "",
  product: n % 5 === 0 ? "editor" : "game",
  versions: ["1.9", "1.10", "2.0"].slice(n % 3),
  count: n + 1,
  unhandled: n % 6 === 0 ? 1 : 0,
  status: (["open", "resolved", "muted"] as const)[n % 4] ?? "open",
}));
const timeOf = (n: number, session: number) => NOON + (n % 10) * DAY + session * DAY;
const lastOf = (kind: Kind) => timeOf(kinds.indexOf(kind), kind.versions.length - 1);
/** Resolved on the tenth day; those that happened later returned. */
const isOpen = (kind: Kind) =>
  kind.status === "open" || (kind.status === "resolved" && lastOf(kind) > NOON + 10 * DAY);

beforeAll(async () => {
  for (const [n, kind] of kinds.entries())
    for (const [session, version] of kind.versions.entries()) {
      const at = timeOf(n, session);
      const { fingerprint, type, message, place, product, count, unhandled } = kind;
      const had = exception(fingerprint, { type, message, place, count, unhandled });
      await publish(
        db,
        publication(`s${n}-${session}`, {
          session: { product, version, created_at: at },
          exceptions: [{ ...had, first_at: at, last_at: at }],
        }),
      );
    }
  for (const { product, fingerprint, status } of kinds)
    await decide(env.REGISTRY, { product, fingerprint, status, by: "ada" }, NOON + 10 * DAY);
});

const leaves: Case<Kind>[] = [
  { text: "type:ValueError", of: ({ type }) => type === "ValueError" },
  { text: "type:K*,OS*", of: ({ type }) => type !== "ValueError" },
  { text: "exception:f3,OSError", of: (k) => k.type === "OSError" || k.fingerprint === "f3" },
  { text: "message:DOOR", of: ({ message }) => message.toLowerCase().includes("door") },
  { text: "message:strasse", of: ({ message }) => message.includes("Straße") },
  { text: "message:!door", of: ({ message }) => message.includes("Straße") },
  { text: "place:*", of: ({ place }) => place !== "" },
  { text: "product:!game", of: ({ product }) => product === "editor" },
  { text: "version:1.9", of: ({ versions }) => versions.includes("1.9") },
  { text: "version:<1.10", of: ({ versions }) => versions.includes("1.9") },
  { text: "version:1.10..1.99", of: ({ versions }) => versions.includes("1.10") },
  { text: "status:open", of: isOpen },
  { text: "is:muted", of: ({ status }) => status === "muted" },
  { text: "is:returned", of: (kind) => kind.status === "resolved" && isOpen(kind) },
  { text: "sessions:>=2", of: ({ versions }) => versions.length >= 2 },
  { text: "count:<10", of: ({ count, versions }) => count * versions.length < 10 },
  { text: "unhandled:>0", of: ({ unhandled }) => unhandled > 0 },
  { text: "first:<15d", of: (kind) => timeOf(kinds.indexOf(kind), 0) > NOW - 15 * DAY },
  { text: "last:>10d", of: (kind) => lastOf(kind) < NOW - 10 * DAY },
  { text: "f12", of: ({ fingerprint }) => fingerprint === "f12" },
  { text: "door.py", of: ({ place }) => place !== "" },
];

async function found(text: string, more: object = {}): Promise<string[]> {
  const query = parseQueryOf(GROUP_LIST, text, NOW);
  const decided = await listDecided(env.REGISTRY);
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await exceptionGroups(db, { query, ...more, ...(cursor && { cursor }) }, decided);
    all.push(...page.items.map(({ fingerprint }) => fingerprint));
    cursor = page.next ?? undefined;
  } while (cursor);
  return all;
}

test.each(leaves)("$text", async ({ text, of }) => {
  const expected = kinds.filter(of).map(({ fingerprint }) => fingerprint);
  expect((await found(text)).toSorted()).toEqual(expected.toSorted());
});

test("a query finds the groups that it means, in any order and page by page", async () => {
  await fc.assert(
    fc.asyncProperty(
      queriesOf(leaves),
      fc.constantFrom(...GROUP_SORTS),
      fc.integer({ min: 1, max: 7 }),
      async ({ text, of }, sort, limit) => {
        const all = await found("", { sort });
        const passing = new Set(kinds.filter(of).map(({ fingerprint }) => fingerprint));
        expect(await found(text, { sort, limit }), text).toEqual(all.filter((f) => passing.has(f)));
      },
    ),
    { numRuns: 100 },
  );
});

test("a query and the other filters are one filter", async () => {
  expect(await found("type:ValueError", { product: "editor" })).toEqual(["f15", "f0"]);
  expect(await found("type:KeyError", { status: "muted" })).toEqual(["f10"]);
});

test("a merged group is found by what each of its groups has", async () => {
  const product = "merging";
  for (const [fingerprint, version] of [
    ["m1", "1.0"],
    ["m2", "3.0"],
  ] as const)
    await publish(
      db,
      publication(fingerprint, {
        session: { product, version },
        exceptions: [exception(fingerprint, { message: `of ${fingerprint}` })],
      }),
    );
  await merge(env.REGISTRY, { product, fingerprint: "m2", into: "m1", by: "ada" }, NOON);
  expect(await found("is:merged")).toEqual(["m1"]);
  expect(await found("fingerprint:m2")).toEqual(["m1"]);
  expect(await found("product:merging version:>=3")).toEqual(["m1"]);
  expect(await found('"of m2"')).toEqual(["m1"]);
  expect(await found('-"of m2" product:merging')).toEqual([]);
});

test("more groups than are read at once are searched to the end", async () => {
  const product = "many groups";
  const each = 40;
  for (let first = 0; first < 2 * GROUPS_AT_ONCE + 100; first += each) {
    const exceptions = Array.from({ length: each }, (_, n) =>
      exception(`g${first + n}`, { message: first === 0 && n === 3 ? "the lost key" : "hay" }),
    );
    const created_at = NOON + first;
    await publish(
      db,
      publication(`many-${first}`, { session: { product, created_at }, exceptions }),
    );
  }
  expect(await found("message:lost", { product, limit: 5 })).toEqual(["g3"]);
});

test("types of exceptions are suggested by their beginning", async () => {
  expect(await exceptionTypes(db, "K", 5)).toEqual(["KeyError"]);
  expect(await exceptionTypes(db, "%", 5)).toEqual([]);
});
