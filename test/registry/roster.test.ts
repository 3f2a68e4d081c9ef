import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { rowsOfDay } from "../../src/registry/usage.ts";
import { addToRoster, removeFromRoster, rosterIds, rosterSize } from "../../src/registry/roster.ts";
import { event, gauge, start, state, World } from "../session/world.ts";

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

/** Rows that a short session writes, from its start to its end: 7 in its object, 22 in the catalog and the registry. */
const MAX_SHORT_SESSION_ROWS = 29;

test("a short session writes few rows in all databases together", async () => {
  const now = Date.now();
  const before = await rowsOfDay(db, now);
  const world = new World();
  await world.send([start(now)], { lease_ms: 60_000 });
  await world.ring();
  const ops = Array.from({ length: 17 }, (_, n) => [
    state(now + n, { step: n % 4 }),
    event(now + n, "work"),
    gauge(now + n, "load", n),
  ]);
  await world.send(ops.flat());
  await world.send([{ op: "end", at: now + 60, exit_code: 0 }]);
  await world.ring();

  const after = await rowsOfDay(db, now);
  const { rows_written } = await world.client.ask("summary");
  const inD1 = after.d1_rows - before.d1_rows;
  expect(after.object_rows - before.object_rows).toBe(rows_written);
  expect(rows_written + inD1).toBeLessThanOrEqual(MAX_SHORT_SESSION_ROWS);
});
