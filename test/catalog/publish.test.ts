import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { forget, publish } from "../../src/catalog/publish.ts";
import { eventCount, exception, metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const all = async (sql: string, ...values: unknown[]) =>
  (
    await db
      .prepare(sql)
      .bind(...values)
      .all()
  ).results;

/** Everything in the catalog, to compare. */
async function contents(): Promise<Record<string, unknown[]>> {
  const tables = [
    "sessions",
    "metrics",
    "event_counts",
    "exceptions",
    "exception_groups",
    "exception_days",
    "state_values",
    "versions",
    "version_days",
  ];
  return Object.fromEntries(
    await Promise.all(tables.map(async (table) => [table, await all(`SELECT * FROM ${table}`)])),
  );
}

const full = (id: string, revision: number, changes: object = {}) =>
  publication(id, {
    session: { revision, ...changes },
    metrics: [metric("fps", { points: revision })],
    event_counts: [eventCount("door_opened", { count: revision })],
    exceptions: [exception("f1", { count: revision, last_at: NOON + revision })],
    state_values: [{ path: "level", value: "=3", first_at: NOON, last_at: null }],
  });

test("a publication sent twice writes nothing the second time", async () => {
  expect(await publish(db, full("twice", 5))).toBeGreaterThan(0);
  const before = await contents();
  expect(await publish(db, full("twice", 5))).toBe(0);
  expect(await contents()).toEqual(before);
});

test("an older publication changes nothing", async () => {
  await publish(db, full("late", 5));
  const before = await contents();
  expect(await publish(db, full("late", 4, { status: "crashed", product: "other" }))).toBe(0);
  expect(await contents()).toEqual(before);
});

test("publications in any order end as the newest one alone", async () => {
  const steps = [
    full("order", 1),
    full("order", 2, { status: "hung", ever_hung: true }),
    full("order", 3, {
      status: "active",
      ever_hung: true,
      version: "1.1",
      created_at: NOON - 86_400_000,
    }),
    full("order", 4, {
      status: "crashed",
      is_open: false,
      ever_hung: true,
      version: "1.1",
      created_at: NOON - 86_400_000,
      ended_at: NOON + 9,
    }),
  ];
  await forget(db, "order");
  for (const step of steps.slice(-1)) await publish(db, step);
  const expected = await contents();
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 3],
  ]) {
    await forget(db, "order");
    for (const index of order) if (steps[index]) await publish(db, steps[index]);
    expect(visible(await contents())).toEqual(visible(expected));
  }
});

/** Without counts of nothing, which nobody sees and the next sweep removes. */
function visible(tables: Record<string, unknown[]>) {
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [
      name,
      rows.filter(
        (row) => !(typeof row === "object" && row && "sessions" in row && row.sessions === 0),
      ),
    ]),
  );
}

test("a running session costs one row when only its counts move", async () => {
  await publish(db, publication("cheap", { session: { revision: 1 } }));
  expect(await publish(db, publication("cheap", { session: { revision: 2, points: 99 } }))).toBe(1);
});

test("forgetting a session leaves nothing of it, and counts as if it had never been", async () => {
  const before = await contents();
  await publish(db, full("gone", 3, { product: "private", version: "secret" }));
  await forget(db, "gone");
  expect(await contents()).toEqual(before);
  expect(await forget(db, "gone")).toBe(0);
});
