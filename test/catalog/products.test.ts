import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sweep } from "../../src/catalog/expired.ts";
import { freeRate, versionDays, versions } from "../../src/catalog/products.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { removeSession } from "../../src/catalog/publication/remove.ts";
import { STATUSES } from "../../src/core/vocabulary.ts";
import { NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const DAY = 86_400_000;

/** What happens to a few sessions, in any order: published (again, changed, or late), or removed. */
const step = fc.record({
  id: fc.constantFrom("a", "b", "c", "d"),
  removeSession: fc.constantFrom(false, false, true),
  revision: fc.integer({ min: 1, max: 20 }),
  product: fc.constantFrom("game", "shop"),
  version: fc.constantFrom("1", "2"),
  status: fc.constantFrom(...STATUSES),
  failed: fc.boolean(),
  ever_hung: fc.boolean(),
  day: fc.integer({ min: 0, max: 2 }),
  bytes: fc.integer({ min: 0, max: 9_000 }),
});

test("counts per version and day are what counting the sessions would give, whatever happened before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const { id, removeSession: isRemoved, day, ...session } of steps) {
        if (isRemoved) await removeSession(db, id);
        else
          await publish(
            db,
            publication(id, { session: { ...session, created_at: NOON - day * DAY } }),
          );
      }
      await sweep(db);
      const counted = [
        ...["active", "suspended", "hung", "crashed", "ended"].map(
          (name) => `sum(status = '${name}') AS ${name}`,
        ),
        "count(*) AS sessions, sum(failed) AS failed, sum(ever_hung) AS ever_hung",
        "sum(bytes * (status IN ('ended', 'crashed'))) AS bytes",
      ].join();
      const ofSessions = async (by: string) =>
        (
          await db
            .prepare(`SELECT ${by}, ${counted} FROM sessions GROUP BY ${by} ORDER BY ${by}`)
            .all()
        ).results;
      const days = await db
        .prepare(
          `SELECT product, version, day * ${DAY} AS day_at, active, suspended, hung, crashed, ended, sessions, failed, ever_hung, bytes FROM version_days ORDER BY 1, 2, 3`,
        )
        .all<{ day_at: number }>();
      expect(days.results.map(({ day_at, ...row }) => ({ ...row, day: day_at / DAY }))).toEqual(
        (await ofSessions(`product, version, created_at / ${DAY}`)).map(
          ({ [`created_at / ${DAY}`]: day, ...row }) => ({ ...row, day }),
        ),
      );
      const all = (await versions(db)).map(
        ({ first_at: _first, last_at: _last, test_runs: _runs, failed_runs: _failed, ...row }) =>
          row,
      );
      const inOrder = (rows: Record<string, unknown>[]) =>
        rows.toSorted((a, b) =>
          JSON.stringify([a["product"], a["version"]]) <
          JSON.stringify([b["product"], b["version"]])
            ? -1
            : 1,
        );
      expect(inOrder(all)).toEqual(inOrder(await ofSessions("product, version")));
      for (const id of ["a", "b", "c", "d"]) await removeSession(db, id);
    }),
    { numRuns: 25 },
  );
});

test("the product that was used last comes first, and in it the newest version", async () => {
  const session = (id: string, product: string, version: string, created_at: number) =>
    publish(db, publication(id, { session: { product, version, created_at } }));
  await session("1", "old", "1", NOON - 3 * DAY);
  await session("2", "new", "1", NOON - 4 * DAY);
  await session("3", "new", "2", NOON - DAY);
  expect((await versions(db)).map((row) => `${row.product} ${row.version}`)).toEqual([
    "new 2",
    "new 1",
    "old 1",
  ]);
  expect((await versions(db, "old")).map((row) => row.version)).toEqual(["1"]);
  expect((await versionDays(db, NOON, { days: 4 })).map((row) => row.product)).toEqual([
    "old",
    "new",
  ]);
  expect(await versionDays(db, NOON, { product: "old" })).toEqual([
    {
      day_at: NOON - 3.5 * DAY,
      product: "old",
      version: "1",
      sessions: 1,
      crashed: 0,
      failed: 0,
      ever_hung: 0,
    },
  ]);
});

test("a rate of nothing is no rate", () => {
  expect([freeRate(0, 0), freeRate(4, 1), freeRate(4, 0)]).toEqual([null, 0.75, 1]);
});
