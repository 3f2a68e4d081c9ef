import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { eventNames } from "../../src/catalog/events.ts";
import { sweep } from "../../src/catalog/expired.ts";
import { openBeforeBoot } from "../../src/catalog/known.ts";
import { MAX_SWEPT, SCAN_NAMES, SUGGESTED_SESSIONS } from "../../src/catalog/limits.ts";
import { metricNames } from "../../src/catalog/metrics.ts";
import { statePaths, stateValues } from "../../src/catalog/paths.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { removeSession } from "../../src/catalog/publication/remove.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import { eventCount, metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;

beforeAll(async () => {
  const value = (path: string, text: string) => ({ path, value: text, first_at: 1, last_at: null });
  await publish(
    db,
    publication("a", {
      session: { boot_id: "before" },
      event_counts: [
        eventCount("door_opened", { count: 3 }),
        eventCount("door_opened", { category: "error" }),
        eventCount("saved"),
      ],
      state_values: [
        value("level", "=3"),
        value("level", "=4"),
        value("player.hp", "=10"),
        value("progress", ANY_VALUE),
      ],
    }),
  );
  await publish(
    db,
    publication("b", {
      session: { product: "shop", boot_id: "now" },
      event_counts: [eventCount("sold")],
      state_values: [value("level", "=3")],
    }),
  );
  await publish(db, publication("c", { session: { boot_id: "before", status: "ended" } }));
  await publish(db, publication("d", { session: { boot_id: "" } }));
});

test("event names come once each, by prefix and by product", async () => {
  expect((await eventNames(db)).items).toEqual(["door_opened", "saved", "sold"]);
  expect((await eventNames(db, { prefix: "s" })).items).toEqual(["saved", "sold"]);
  expect((await eventNames(db, { prefix: "s", product: "shop" })).items).toEqual(["sold"]);
  expect((await eventNames(db, { prefix: "door_opened\u{10ffff}" })).items).toEqual([]);
});

test("paths and values are suggested as people would type them", async () => {
  expect((await statePaths(db)).items).toEqual(["level", "player.hp", "progress"]);
  expect((await statePaths(db, { prefix: "pl" })).items).toEqual(["player.hp"]);
  const values = async (path: string, prefix?: string) => stateValues(db, path, prefix);
  expect(await values("level")).toEqual({ items: ["3", "4"], searched_to: null });
  expect((await values("level", "4")).items).toEqual(["4"]);
  expect((await values("progress")).items).toEqual([]);
  expect((await values("player")).items).toEqual([]); // it has paths below it only
});

test("values come from the newest sessions that have the path, and how far back is stated", async () => {
  const at = (minute: number) => NOON + minute * 60_000;
  const sessions = Array.from({ length: SUGGESTED_SESSIONS + 1 }, (_, n) =>
    publication(`seed-${n}`, {
      session: { created_at: at(n), status: "ended" },
      state_values: [
        { path: "seed", value: n === 0 ? '"oldest' : `=${n % 3}`, first_at: at(n), last_at: null },
      ],
    }),
  );
  await publish(db, ...sessions);
  expect(await stateValues(db, "seed")).toEqual({ items: ["0", "1", "2"], searched_to: at(1) });
  await removeSession(db, "seed-9");
  expect(await stateValues(db, "seed")).toEqual({
    items: ["oldest", "0", "1", "2"],
    searched_to: null,
  });
});

test("a name is swept once the last session that had it is gone", async () => {
  const of = (id: string) =>
    publication(id, {
      session: { product: "swept", tags: '["owner:ada"]' },
      event_counts: [eventCount("swept")],
      metrics: [metric("swept")],
      state_values: [{ path: "swept", value: "=1", first_at: 1, last_at: null }],
    });
  const kinds = async () =>
    (
      await db
        .prepare("SELECT kind, name FROM names WHERE product = 'swept' ORDER BY 1")
        .all<{ kind: string; name: string }>()
    ).results.map(({ kind, name }) => `${kind} ${name}`);
  await publish(db, of("one"), of("two"));
  const all = ["event swept", "metric swept", "state swept", "tag owner"];
  expect(await kinds()).toEqual(all);
  await removeSession(db, "one");
  await sweep(db);
  expect(await kinds()).toEqual(all);
  await removeSession(db, "two");
  await sweep(db);
  expect(await kinds()).toEqual([]);
  expect((await eventNames(db, { prefix: "s" })).items).toEqual(["saved", "sold"]);
});

test("the few names of a product are found among very many of others, in bounded pages", async () => {
  await db.exec(
    `INSERT INTO names WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < ${SCAN_NAMES + 10}) SELECT 'metric', 'm' || n, 'other', 'gauge', '' FROM n`,
  );
  await publish(db, publication("few", { session: { product: "few" }, metrics: [metric("z")] }));
  const first = await metricNames(db, { product: "few" });
  expect(first.items).toEqual([]);
  const cursor = first.next ?? "";
  const second = await metricNames(db, { product: "few", cursor });
  expect([second.items.map(({ name }) => name), second.next]).toEqual([["z"], null]);

  // Each sweep goes on where the one before stopped.
  const left = async () =>
    db.prepare("SELECT count(*) AS n FROM names WHERE product = 'other'").first("n");
  await sweep(db);
  const after = Number(await left());
  expect([after > 0, after < SCAN_NAMES]).toEqual([true, true]);
  for (let run = 0; run < SCAN_NAMES / MAX_SWEPT + 1; run++) await sweep(db);
  expect(await left()).toBe(0);
});

test("a machine that booted again knows which of its sessions cannot run any more", async () => {
  const at = { machine_id: "machine-1", boot_id: "now", product: "game" };
  expect(await openBeforeBoot(db, at)).toEqual(["a"]);
  expect(await openBeforeBoot(db, { ...at, boot_id: "before" })).toEqual([]);
  expect(await openBeforeBoot(db, { ...at, boot_id: "" })).toEqual([]);
  expect(await openBeforeBoot(db, { ...at, machine_id: "" })).toEqual([]);
  expect(await openBeforeBoot(db, { ...at, product: "shop" })).toEqual([]);
});
