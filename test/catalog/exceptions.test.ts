import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  exceptionDays,
  exceptionGroup as groupsOf,
  exceptionGroups as listGroups,
  type GroupQuery,
} from "../../src/catalog/exceptions.ts";
import { sweep } from "../../src/catalog/expired.ts";
import { removeSession, publish } from "../../src/catalog/publish.ts";
import { decide, listDecisions } from "../../src/registry/decisions.ts";
import { exception, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const DAY = 86_400_000;

async function exceptionGroup(fingerprint: string, product?: string) {
  return groupsOf(db, fingerprint, product, await listDecisions(env.REGISTRY, product));
}

async function exceptionGroups(query: GroupQuery) {
  return listGroups(db, query, await listDecisions(env.REGISTRY, query.product));
}

test("a group counts occurrences, sessions, and its days by version", async () => {
  await publish(db, publication("a", { exceptions: [exception("f1", { count: 2 })] }));
  await publish(
    db,
    publication("b", {
      session: { version: "1.1" },
      exceptions: [
        exception("f1", { count: 5, first_at: NOON + DAY, last_at: NOON + DAY, message: "newer" }),
      ],
    }),
  );
  await publish(
    db,
    publication("a", { session: { revision: 2 }, exceptions: [exception("f1", { count: 3 })] }),
  );
  const [group] = await exceptionGroup("f1", "game");
  expect(group).toMatchObject({
    sessions: 2,
    count: 8,
    first_at: NOON,
    last_at: NOON + DAY,
    message: "newer",
    session_id: "b",
    session_seq: 7,
    status: "open",
  });
  const midnight = NOON - DAY / 2;
  const asked = [{ product: "game", fingerprint: "f1" }];
  expect(await exceptionDays(db, asked, NOON + DAY)).toEqual([
    [
      { day_at: midnight, version: "1.0", sessions: 1, count: 3 },
      { day_at: midnight + DAY, version: "1.1", sessions: 1, count: 5 },
    ],
  ]);
});

test("a group whose example is deleted shows another, and goes with its last session", async () => {
  await publish(db, publication("c", { exceptions: [exception("f2", { message: "kept" })] }));
  await publish(
    db,
    publication("d", { exceptions: [exception("f2", { message: "private", last_at: NOON + 5 })] }),
  );
  await removeSession(db, "d");
  expect(await exceptionGroup("f2")).toMatchObject([
    { sessions: 1, session_id: "c", message: "kept" },
  ]);
  await removeSession(db, "c");
  expect(await exceptionGroup("f2")).toEqual([]);
  expect(await exceptionDays(db, [{ product: "game", fingerprint: "f2" }], NOON)).toEqual([[]]);
});

test("a resolved group returns with a later occurrence, not with one from before that arrives late", async () => {
  await publish(db, publication("e", { exceptions: [exception("f3")] }));
  const f3 = { product: "game", fingerprint: "f3", by: "ada" };
  await decide(env.REGISTRY, { ...f3, status: "resolved", version: "1.2" }, NOON + 100);
  await publish(db, publication("f", { exceptions: [exception("f3", { last_at: NOON + 50 })] }));
  expect(await exceptionGroup("f3")).toMatchObject([
    { status: "resolved", resolved_version: "1.2", returned_at: null },
  ]);
  expect(
    (await exceptionGroups({ status: "resolved" })).items.map((row) => row.fingerprint),
  ).toEqual(["f3"]);

  await publish(
    db,
    publication("g", {
      exceptions: [exception("f3", { first_at: NOON + 200, last_at: NOON + 300 })],
    }),
  );
  expect(await exceptionGroup("f3")).toMatchObject([
    { status: "resolved", returned_at: NOON + 300 },
  ]);
  expect((await exceptionGroups({ status: "open" })).items.map((row) => row.fingerprint)).toContain(
    "f3",
  );

  await decide(env.REGISTRY, { ...f3, status: "muted" }, NOON + 400);
  expect(await exceptionGroup("f3")).toMatchObject([
    { status: "muted", resolved_at: null, returned_at: null },
  ]);
});

test("a product that becomes known late takes its exceptions along", async () => {
  await publish(
    db,
    publication("late", { session: { product: "" }, exceptions: [exception("f4")] }),
  );
  await publish(db, publication("late", { session: { product: "shop", revision: 2 } }));
  expect(await exceptionGroup("f4")).toMatchObject([{ product: "shop", sessions: 1, count: 1 }]);
});

test("groups are listed in any order, page by page, each once", async () => {
  await publish(
    db,
    publication("many", {
      exceptions: Array.from({ length: 25 }, (_, n) =>
        exception(`g${n}`, { count: n % 7, last_at: NOON + (n % 5) }),
      ),
    }),
  );
  for (const sort of ["last_at", "first_at", "sessions", "count"] as const) {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await exceptionGroups({
        text: "door",
        sort,
        limit: 4,
        ...(cursor !== undefined && { cursor }),
      });
      seen.push(...page.items.map((row) => row.fingerprint));
      expect(page.items.map((row) => row[sort])).toEqual(
        page.items.map((row) => row[sort]).toSorted((a, b) => b - a),
      );
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => id.startsWith("g")).length).toBe(25);
  }
});

/** What happens to a few sessions, in any order: published (again, changed, or late), or removed. */
const step = fc.record({
  id: fc.constantFrom("p", "q", "r"),
  isRemoved: fc.constantFrom(false, false, true),
  revision: fc.integer({ min: 1, max: 20 }),
  product: fc.constantFrom("one", "two"),
  version: fc.constantFrom("1", "2"),
  failures: fc.uniqueArray(
    fc.record({
      fingerprint: fc.constantFrom("x", "y"),
      count: fc.integer({ min: 1, max: 9 }),
      first_at: fc.integer({ min: 0, max: 2 }).map((day) => NOON + day * DAY),
    }),
    { selector: (failure) => failure.fingerprint, maxLength: 2 },
  ),
});

test("groups and their days are what counting the sessions' exceptions would give, whatever happened before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const { id, isRemoved, failures, ...session } of steps) {
        if (isRemoved) await removeSession(db, id);
        else
          await publish(
            db,
            publication(id, {
              session,
              exceptions: failures.map((failure) =>
                exception(failure.fingerprint, { ...failure, last_at: failure.first_at }),
              ),
            }),
          );
      }
      await sweep(db);
      const count = async (by: string) =>
        (
          await db
            .prepare(
              `SELECT ${by}, count(*) AS sessions, sum(count) AS count FROM exceptions WHERE product IN ('one', 'two') GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
            )
            .all()
        ).results;
      const held = async (table: string, columns: string) =>
        (
          await db
            .prepare(
              `SELECT ${columns}, sessions, count FROM ${table} WHERE product IN ('one', 'two') ORDER BY 1, 2, 3, 4`,
            )
            .all()
        ).results;
      expect(await held("exception_groups", "product, fingerprint, 0 AS a, 0 AS b")).toEqual(
        await count("product, fingerprint, 0 AS a, 0 AS b"),
      );
      const days = await count(`product, fingerprint, version, first_at / ${DAY} AS day`);
      expect(await held("exception_days", "product, fingerprint, version, day")).toEqual(days);
      for (const id of ["p", "q", "r"]) await removeSession(db, id);
    }),
    { numRuns: 25 },
  );
});
