import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { deleteView, listViews, saveView } from "../../src/registry/views.ts";

const db = env.REGISTRY;

test("a view is saved, replaced by name, and deleted", async () => {
  await saveView(db, { name: "Crashes", query: "status=crashed", created_at: 1 });
  await saveView(db, { name: "Slow", query: "sort=events", created_at: 2 });
  await saveView(db, { name: "Crashes", query: "status=crashed&product=game", created_at: 3 });
  expect(await listViews(db)).toEqual([
    { name: "Crashes", query: "status=crashed&product=game", created_at: 3 },
    { name: "Slow", query: "sort=events", created_at: 2 },
  ]);
  await deleteView(db, "Crashes");
  expect((await listViews(db)).map((view) => view.name)).toEqual(["Slow"]);
  await expect(
    saveView(db, { name: "Long", query: "x".repeat(5_000), created_at: 4 }),
  ).rejects.toMatchObject({ code: "too_large" });
});
