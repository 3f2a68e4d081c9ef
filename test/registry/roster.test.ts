import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { addToRoster, removeFromRoster, rosterIds, rosterSize } from "../../src/registry/roster.ts";
import { start, state, World } from "../session/world.ts";

const db = env.REGISTRY;
const rowOf = (id: string) => db.prepare("SELECT * FROM roster WHERE id = ?1").bind(id).first();

test("a session is written once, and listed in order of ids", async () => {
  for (const id of ["c", "a", "b"]) {
    expect(await addToRoster(db, { id, product: "game", first_at: 1 })).toEqual([id]);
    expect(await addToRoster(db, { id, product: "other", first_at: 2 })).toEqual([]);
  }
  expect(await rosterIds(db, "", 2)).toEqual(["a", "b"]);
  expect(await rosterIds(db, "b", 2)).toEqual(["c"]);
  expect(await rosterSize(db)).toBe(3);
  for (const id of ["a", "b", "c"]) await removeFromRoster(db, id);
  expect(await rosterSize(db)).toBe(0);
});

test("a session is in the roster from its first publication until it is deleted", async () => {
  const world = new World();
  const at = Date.now();
  await world.send([start(at)], { lease_ms: 60_000 });
  expect(await rowOf(world.id)).toBeNull();
  await world.ring();
  const row = { id: world.id, product: "game", first_at: at };
  expect(await rowOf(world.id)).toEqual(row);
  await world.evict();
  await world.client.publish();
  expect(await rowOf(world.id)).toEqual(row);
  await world.client.erase();
  expect(await rowOf(world.id)).toBeNull();
});

test("the catalog's row follows the roster's, which is retried until it is there", async () => {
  const world = new World();
  await db.exec("ALTER TABLE roster RENAME TO roster_gone");
  try {
    await world.send([start(), state(2_000, { a: 1 })], { lease_ms: 60_000 });
    await world.ring();
    expect(await world.catalogued()).toBeNull();
    await expect(world.client.erase()).rejects.toMatchObject({ code: "unavailable" });
  } finally {
    await db.exec("ALTER TABLE roster_gone RENAME TO roster");
  }
  await world.client.publish();
  expect(await rowOf(world.id)).not.toBeNull();
  expect(await world.catalogued()).not.toBeNull();
});
