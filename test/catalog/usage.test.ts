import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { storedBytes } from "../../src/catalog/usage.ts";
import { forget, publish } from "../../src/catalog/publish.ts";
import { publication } from "./publication.ts";

const db = env.CATALOG;

test("what sessions store is known whether they run or are over, and goes with them", async () => {
  const stored = async () => (await storedBytes(db)).object_bytes;
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
  expect((await storedBytes(db)).catalog_bytes).toBeGreaterThan(10_000);
});
