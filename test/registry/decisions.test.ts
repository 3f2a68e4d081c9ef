import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { decide, listDecisions } from "../../src/registry/decisions.ts";
import { MAX_DECISIONS } from "../../src/registry/limits.ts";

const db = env.REGISTRY;
const group = { product: "game", fingerprint: "f1", by: "ada" };

test("the last decision about a group is in force, and an open group has none", async () => {
  await decide(db, { ...group, status: "resolved", version: "1.2" }, 100);
  await decide(db, { ...group, product: "shop", status: "muted" }, 200);
  expect(await listDecisions(db, "game")).toEqual([
    {
      product: "game",
      fingerprint: "f1",
      status: "resolved",
      resolved_at: 100,
      resolved_version: "1.2",
    },
  ]);
  expect(await listDecisions(db)).toHaveLength(2);

  await decide(db, { ...group, status: "muted", version: "1.3" }, 300);
  expect(await listDecisions(db, "game")).toMatchObject([
    { status: "muted", resolved_at: null, resolved_version: null },
  ]);
  await decide(db, { ...group, status: "open", by: "bo" }, 400);
  expect(await listDecisions(db, "game")).toEqual([]);
  expect(await db.prepare("SELECT * FROM decisions WHERE product = 'game'").all()).toMatchObject({
    results: [{ status: "open", decided_at: 400, decided_by: "bo" }],
  });
});

test("more decisions than a list can read are refused, a changed one is not", async () => {
  await db
    .prepare(
      `INSERT INTO decisions SELECT 'many', 'f' || value, 'muted', NULL, NULL, 0, 'ada'
       FROM json_each(?1)`,
    )
    .bind(JSON.stringify(Array.from({ length: MAX_DECISIONS }, (_, n) => n)))
    .run();
  const muted = { product: "many", status: "muted", by: "ada" } as const;
  await expect(decide(db, { ...muted, fingerprint: "new" }, 1)).rejects.toMatchObject({
    code: "too_large",
  });
  await decide(db, { ...muted, fingerprint: "new", status: "open" }, 1);
  await db.prepare("DELETE FROM decisions WHERE product <> 'many'").run();
  await decide(db, { ...muted, fingerprint: "f7", status: "resolved" }, 2);
});
