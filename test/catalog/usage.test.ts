import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { storedBytes } from "../../src/catalog/usage.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { removeSession } from "../../src/catalog/publication/remove.ts";
import { publication } from "./publication.ts";

const db = env.CATALOG;

test("what sessions store is known whether they run or are over, and goes with them", async () => {
  const stored = async () => (await storedBytes(db)).object_bytes;
  const before = await stored();
  const publishAs = (revision: number, status: "active" | "ended" | "crashed", bytes: number) =>
    publish(db, publication("weighed", { session: { revision, status, bytes, product: "heavy" } }));
  await publishAs(1, "active", 1_000);
  expect(await stored()).toBe(before + 1_000);
  expect(await publishAs(2, "active", 2_000)).toBe(1); // growing costs no second row
  expect(await stored()).toBe(before + 2_000);
  await publishAs(3, "ended", 3_000);
  await publishAs(3, "ended", 3_000);
  expect(await stored()).toBe(before + 3_000);
  await publishAs(4, "crashed", 5_000);
  expect(await stored()).toBe(before + 5_000);
  await removeSession(db, "weighed");
  expect(await stored()).toBe(before);
  expect((await storedBytes(db)).catalog_bytes).toBeGreaterThan(10_000);
});
