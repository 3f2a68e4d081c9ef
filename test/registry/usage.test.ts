import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { DAY_MS } from "../../src/core/limits.ts";
import { UNUSED } from "../../src/core/access/budget.ts";
import { addUsage, rowsOfDay, usageOfDay } from "../../src/registry/usage.ts";

const db = env.REGISTRY;
const NOON = Date.UTC(2026, 0, 5, 12);

test("rows add up over a day, with those of the usage itself, and start at 0 at midnight UTC", async () => {
  await addUsage(db, "", { sessions: 1, object_rows: 3, d1_rows: 10, attachment_bytes: 5 }, NOON);
  await addUsage(
    db,
    "key",
    { sessions: 2, object_rows: 4, d1_rows: 20, attachment_bytes: 7 },
    NOON + 1,
  );
  expect(await rowsOfDay(db, NOON)).toEqual({
    sessions: 3,
    object_rows: 7,
    d1_rows: 32,
    attachment_bytes: 12,
  });
  expect(await rowsOfDay(db, NOON + DAY_MS)).toEqual(UNUSED);
  expect(await usageOfDay(db, NOON)).toEqual(
    new Map([
      ["", { sessions: 1, object_rows: 3, d1_rows: 11, attachment_bytes: 5 }],
      ["key", { sessions: 2, object_rows: 4, d1_rows: 21, attachment_bytes: 7 }],
    ]),
  );
});
