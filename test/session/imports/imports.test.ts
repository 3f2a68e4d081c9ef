/** A session that is exported as a file is the same in every answer, in the file and where it is imported. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { SERVER } from "../../../src/core/access/authority.ts";
import { sessionOf } from "../../../src/session/client.ts";
import { type Server, server } from "../../api/server.ts";
import { SEGMENT_VALUES } from "../../../src/core/limits.ts";
import type { Op } from "../../../src/core/wire.ts";
import { NOON, start, World } from "../world.ts";
import { KINDS } from "./kinds.ts";
import { LIMIT_KINDS } from "./limit-kinds.ts";
import { everythingIn, everythingOf, expectSame, listedOf } from "./everything.ts";

const ask = server();

async function evict(id: string): Promise<void> {
  await evictDurableObject(env.SESSIONS.getByName(id));
}

export async function fileOf(id: string, from: Server = ask): Promise<Uint8Array> {
  const response = await from(`/api/sessions/${id}/export?format=datacat`);
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

export async function imported(file: Uint8Array, id: string): Promise<object> {
  const response = await ask(`/api/sessions/import?id=${id}`, { method: "POST", body: file });
  const answer = await response.json();
  expect(answer).toMatchObject({ imported: true });
  return answer as object;
}

const QUERIES = [
  "",
  "product:game",
  "event:door-1",
  "state.level:4",
  "ever.player.hp:9",
  "metric.fps.max:>50",
  "exception:Error1",
  "is:ended",
  "is:crashed",
  "has:attachment",
  "tag.branch:main",
  "machine:m-import",
  "exit_code:3",
];

test.each(Object.entries({ ...KINDS, ...LIMIT_KINDS }))(
  "a session %s is the same in its file and after its import",
  async (_, record) => {
    const world = new World();
    await record(world);
    // Reading finds damage.
    await everythingOf(world.id);
    const recorded = await everythingOf(world.id);
    const file = await fileOf(world.id);
    // Without a server.
    expectSame(await everythingIn(file), recorded);
    const copy = `${world.id}-copy`;
    await imported(file, copy);
    expectSame(await everythingOf(copy), recorded);
    // Also what is in the storage.
    await evict(copy);
    expectSame(await everythingOf(copy), recorded);
    await sessionOf(env, SERVER, world.id).publish();
    const [before, after] = await listedOf([world.id, copy], QUERIES);
    expect(after).toEqual(before);
    // And a file of the copy is one of the session.
    await imported(await fileOf(copy), `${copy}-2`);
    expectSame(await everythingOf(`${copy}-2`), recorded);
  },
  120_000,
);

test("a session of many values that hardly take a byte is the same after its import", async () => {
  const world = new World();
  await world.send([start()]);
  const columns = Array.from({ length: 10_000 }, () => 0);
  const series = Array.from({ length: 20 }, (_, n) => `series ${n}`);
  const points = { op: "points", at: NOON + 0.5, type: "gauge", dt: columns, values: columns };
  for (let values = 0; values < 1.5 * SEGMENT_VALUES; values += 2 * 20 * columns.length)
    await world.send(series.map((name) => ({ ...points, name }) as Op));
  // All of it would be less than a segment's bytes, and more values than a file may have in one.
  expect(await world.segments()).toEqual([
    { id: 1, sealed: 1 },
    { id: 2, sealed: 0 },
  ]);
  const copy = new World(`${world.id}-copy`);
  await imported(await fileOf(world.id), copy.id);
  expect(await copy.everything()).toEqual(
    JSON.parse(JSON.stringify(await world.everything()).replaceAll(world.id, copy.id)),
  );
});
