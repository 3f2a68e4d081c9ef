/** Single posts (1.x's routes) that arrive at the same time. */
import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { SERVER } from "../../../src/core/access/authority.ts";
import { MAX_STATE_KEYS } from "../../../src/core/limits.ts";
import type { Op } from "../../../src/core/wire.ts";
import { Turn } from "../../../src/session/requests/turn.ts";
import { Refusal } from "../../../src/core/refusal.ts";
import { event, NOON, start, state, World } from "../world.ts";

const body = (...ops: Op[]) => JSON.stringify({ ops });

test("posts of the same turn share a row, and each is there in its order", async () => {
  const world = new World();
  await world.client.record([start()]);
  const before = (await world.client.ask("summary")).rows_written;
  const names = Array.from({ length: 30 }, (_, n) => `event-${n}`);
  await runInDurableObject(world.stub, (session) =>
    Promise.all(names.map((name, n) => session.record(SERVER, body(event(NOON + n, name))))),
  );
  const { items } = await world.client.ask("events", { order: "asc", limit: 100 });
  expect(items.map(({ name }) => name)).toEqual(names);
  expect((await world.client.ask("summary")).rows_written - before).toBeLessThanOrEqual(3);
});

test("a post that is refused does not affect the others of its turn", async () => {
  const world = new World();
  await world.client.record([start()]);
  const many = Object.fromEntries(
    Array.from({ length: MAX_STATE_KEYS + 1 }, (_, n) => [`k${n}`, n]),
  );
  const replies = await runInDurableObject(world.stub, (session) =>
    Promise.all(
      [{ a: 1 }, many, { b: 2 }].map((patch, n) =>
        session.record(SERVER, body(state(NOON + n, patch))),
      ),
    ),
  );
  expect(replies.map((reply) => /"code":"\w+"/.exec(reply)?.[0])).toEqual([
    undefined,
    expect.any(String),
    undefined,
  ]);
  expect((await world.client.ask("state")).state).toEqual({ a: 1, b: 2 });
});

test("items of other kinds are applied apart, and an error reaches each that waits", async () => {
  const applied: number[][] = [];
  const turn = new Turn<number>((items) => {
    if (items.includes(3)) throw new Error("The disk is full.");
    if (items.includes(2)) throw new Refusal("too_large", "Too large.");
    applied.push(items);
  });
  const outcomes = await Promise.allSettled(
    [1, 2, 4].map((item) => turn.add("a", item)).concat([3, 5].map((item) => turn.add("b", item))),
  );
  expect(applied).toEqual([[1], [4]]);
  expect(outcomes.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "rejected",
    "rejected",
  ]);
});

test("what comes while a write is on its way to the disk waits for it, and shares the next one", async () => {
  const applied: number[][] = [];
  const writes: (() => void)[] = [];
  const turn = new Turn<number>(
    (items) => applied.push(items),
    () => new Promise<void>((resolve) => writes.push(resolve)),
  );
  const first = turn.add("a", 1);
  await first;
  const later = Promise.all([turn.add("a", 2), turn.add("b", 3), turn.add("a", 4)]);
  await scheduler.wait(5);
  expect(applied).toEqual([[1]]);
  writes[0]?.();
  await later;
  expect(applied).toEqual([[1], [2, 4], [3]]);
  writes[1]?.();
  await turn.add("a", 5);
  expect(applied.at(-1)).toEqual([5]);
});

test("a write that fails does not keep later items waiting", async () => {
  const applied: number[][] = [];
  const turn = new Turn<number>(
    (items) => applied.push(items),
    () => Promise.reject(new Error("The disk is full.")),
  );
  await turn.add("a", 1);
  await turn.add("a", 2);
  expect(applied).toEqual([[1], [2]]);
});
