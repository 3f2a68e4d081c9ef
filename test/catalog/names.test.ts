import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { eventNames } from "../../src/catalog/events.ts";
import { openBeforeBoot } from "../../src/catalog/known.ts";
import { statePaths, stateValues } from "../../src/catalog/paths.ts";
import { publish } from "../../src/catalog/publish.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import { eventCount, publication } from "./publication.ts";

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
  expect(await stateValues(db, "level")).toEqual(["3", "4"]);
  expect(await stateValues(db, "level", "4")).toEqual(["4"]);
  expect(await stateValues(db, "progress")).toEqual([]);
});

test("a machine that booted again knows which of its sessions cannot run any more", async () => {
  const at = { machine_id: "machine-1", boot_id: "now", product: "game" };
  expect(await openBeforeBoot(db, at)).toEqual(["a"]);
  expect(await openBeforeBoot(db, { ...at, boot_id: "before" })).toEqual([]);
  expect(await openBeforeBoot(db, { ...at, boot_id: "" })).toEqual([]);
  expect(await openBeforeBoot(db, { ...at, machine_id: "" })).toEqual([]);
  expect(await openBeforeBoot(db, { ...at, product: "shop" })).toEqual([]);
});
