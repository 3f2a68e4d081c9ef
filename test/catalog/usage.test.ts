import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { noteUsage, usageOf } from "../../src/catalog/usage.ts";
import { forget, publish } from "../../src/catalog/publish.ts";
import { NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const DAY = 86_400_000;

test("rows add up over a day, with those that telling costs, and begin anew at midnight UTC", async () => {
  await noteUsage(db, { object_rows: 3, catalog_rows: 10 }, NOON);
  await noteUsage(db, { object_rows: 4, catalog_rows: 20 }, NOON + 1);
  expect(await usageOf(db, NOON)).toMatchObject({ object_rows: 7, catalog_rows: 32 });
  expect(await usageOf(db, NOON + DAY)).toMatchObject({ object_rows: 0, catalog_rows: 0 });
});

test("what sessions store is known whether they run or are over, and goes with them", async () => {
  const stored = async () => (await usageOf(db, NOON)).object_bytes;
  const before = await stored();
  const say = (revision: number, status: "active" | "ended" | "crashed", bytes: number) =>
    publish(db, publication("weighed", { session: { revision, status, bytes, product: "heavy" } }));
  await say(1, "active", 1_000);
  expect(await stored()).toBe(before + 1_000);
  expect(await say(2, "active", 2_000)).toBe(1); // growing costs no second row
  expect(await stored()).toBe(before + 2_000);
  await say(3, "ended", 3_000);
  await say(3, "ended", 3_000);
  expect(await stored()).toBe(before + 3_000);
  await say(4, "crashed", 5_000);
  expect(await stored()).toBe(before + 5_000);
  await forget(db, "weighed");
  expect(await stored()).toBe(before);
  expect((await usageOf(db, NOON)).catalog_bytes).toBeGreaterThan(10_000);
});
