/** What the daemon's port gives to whom. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MAX_SESSIONS_OF_OTHERS } from "../../../daemon/limits.ts";
import { SHOWS_PEERS } from "../../../daemon/peer.ts";
import { asRoot, askAsSecondUser, asSecondUser } from "../../second-user.ts";
import { World } from "../world.ts";

type Init = { method?: string; headers?: Record<string, string>; body?: string };
type Asked = { status: number; body: string };

const post = (body: unknown): Init => ({ method: "POST", body: JSON.stringify(body) });

async function askHere(address: string, init: Init = {}): Promise<Asked> {
  const answer = await fetch(address, init);
  return { status: answer.status, body: await answer.text() };
}

/** A daemon, with requests by its owner and by a second user. The server has every session, so that what is refused was there. */
async function daemon(world: World) {
  world.server.pages.set("/health", { status: 200, body: "{}" });
  world.server.pages.set("/api/data/sessions", { status: 200, body: '[{"id":"secret"}]' });
  world.server.pages.set("/api/sessions/secret", { status: 200, body: '{"id":"secret"}' });
  const { port } = await world.daemon();
  const { token } = JSON.parse(readFileSync(world.home.info, "utf8")) as { token: string };
  const url = `http://127.0.0.1:${port}`;
  const register = async (ask: (path: string, init?: Init) => Promise<Asked>) => {
    const { body } = await ask("/register", post({ product: "game", version: "1" }));
    return (JSON.parse(body) as { session_id: string }).session_id;
  };
  return {
    token,
    register,
    owner: (path: string, init?: Init) => askHere(url + path, init),
    other: (path: string, init?: Init) => askAsSecondUser(url + path, init),
  };
}

test.skipIf(!SHOWS_PEERS)("the read routes answer for sessions of this daemon only", async () => {
  await using world = await World.make();
  const { owner, register } = await daemon(world);
  const session_id = await register(owner);
  expect((await owner(`/session?session_id=${session_id}`)).status).toBe(200);
  expect((await owner("/session?session_id=secret")).status).toBe(404);
  const listed = await owner("/sessions");
  expect((JSON.parse(listed.body) as { id: string }[]).map(({ id }) => id)).toEqual([session_id]);
  // A lane of this user, from a program that uses no local API.
  world.lane("secret").append({ op: "start", at: 1 });
  await expect
    .poll(async () => (await owner("/session?session_id=secret")).status, { timeout: 10_000 })
    .toBe(200);
});

asRoot(SHOWS_PEERS)("another user has sessions of its own, and no others", async () => {
  await using world = await World.make();
  const { owner, other, register, token } = await daemon(world);
  const [mine, theirs] = [await register(owner), await register(other)];
  const event = (session_id: string) => post({ session_id, name: "event" });
  const statusOf = async (asked: Promise<Asked>) => (await asked).status;

  expect(await statusOf(other("/event", event(theirs)))).toBe(200);
  expect(await statusOf(other("/event", event(mine)))).toBe(404);
  expect(await statusOf(owner("/event", event(theirs)))).toBe(404);
  for (const path of ["/state", "/metric", "/heartbeat", "/pause_heartbeat", "/resume_heartbeat"]) {
    const body = post({ session_id: mine, name: "m", value: 1, state: { a: 1 } });
    expect(await statusOf(other(path, body)), path).toBe(404);
  }
  expect(await statusOf(other("/end", post({ session_id: mine })))).toBe(404);
  expect(await statusOf(other(`/session?session_id=${mine}`))).toBe(404);
  const ids = async (asked: Promise<Asked>) =>
    (JSON.parse((await asked).body) as { id: string }[]).map(({ id }) => id);
  expect(await ids(other("/sessions"))).toEqual([theirs]);
  expect(await ids(owner("/sessions"))).toEqual([mine]);

  const batch = { session: mine, lane: "l", first: 1, last: 1, ops: [{ op: "end", at: 1 }] };
  const ingest = post({ batches: [batch] });
  expect(await statusOf(other("/api/ingest", ingest))).toBe(401);
  expect(await statusOf(other("/status"))).toBe(403);
  expect(await statusOf(owner("/status"))).toBe(200);
  const headers = { authorization: `Bearer ${token}` };
  expect(await statusOf(other("/status", { headers }))).toBe(200);
  expect(await statusOf(other("/event", { ...event(mine), headers }))).toBe(200);
  expect(await statusOf(other("/health"))).toBe(200);

  // The next daemon finds whose a session is in its lane.
  await world.daemons.pop()?.stop();
  const next = await daemon(world);
  expect(await statusOf(next.owner("/event", event(theirs)))).toBe(404);
  expect(await statusOf(next.other("/event", event(theirs)))).toBe(200);
  expect(await statusOf(next.owner("/event", event(mine)))).toBe(200);
});

asRoot(SHOWS_PEERS)("another user's programs can't open all files of the daemon", async () => {
  await using world = await World.make();
  const { port } = await world.daemon();
  const script = `const register = () => fetch(process.argv[1], { method: "POST", body: "{}" });
Promise.all(Array.from({ length: ${MAX_SESSIONS_OF_OTHERS + 20} }, register)).then((answers) =>
  console.log(answers.filter(({ status }) => status === 429).length));`;
  const url = `http://127.0.0.1:${port}/register`;
  expect(await asSecondUser(script, url)).toBe("20");
  expect((await askHere(url, post({}))).status).toBe(200);
});
