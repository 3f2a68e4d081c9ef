/** A session that is exported as a file and imported is the same in every answer. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { SERVER } from "../../../src/core/access/authority.ts";
import { sessionOf } from "../../../src/session/client.ts";
import { type Server, server } from "../../api/server.ts";
import { World } from "../world.ts";
import { KINDS } from "./kinds.ts";
import { everythingOf, expectSame, listedOf } from "./everything.ts";

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

test.each(Object.entries(KINDS))("a session %s is the same after its import", async (_, record) => {
  const world = new World();
  await record(world);
  const copy = `${world.id}-copy`;
  // Reading finds damage.
  await everythingOf(world.id);
  await imported(await fileOf(world.id), copy);
  expectSame(await everythingOf(copy), await everythingOf(world.id));
  // Also what is in the storage.
  await evict(copy);
  expectSame(await everythingOf(copy), await everythingOf(world.id));
  await sessionOf(env, SERVER, world.id).publish();
  const [before, after] = await listedOf([world.id, copy], QUERIES);
  expect(after).toEqual(before);
  // And a file of the copy is one of the session.
  await imported(await fileOf(copy), `${copy}-2`);
  expectSame(await everythingOf(`${copy}-2`), await everythingOf(world.id));
});
