import { describe, expect, test, vi } from "vitest";
import { env } from "cloudflare:workers";
import type { Change } from "../../../src/core/answers/change.ts";
import { LEGACY_LEASE_MS } from "../../../src/core/limits.ts";
import { LIVE_ACCESS_MS } from "../../../src/session/limits.ts";
import { sessionOf } from "../../../src/session/client.ts";
import { post, server } from "../../api/server.ts";
import conversations from "../../fixtures/legacy/server.json";
import { heartbeat, event, gauge, NOON, start, state, World } from "../world.ts";

const upgrade = () => new Request("https://session/live", { headers: { upgrade: "websocket" } });

/** Opens the session's socket as a page does; `changes` grows with each message. */
async function watch(world: World) {
  const response = await world.client.live(upgrade());
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: ${response.status}`);
  const changes: Change[] = [];
  const closed: number[] = [];
  socket.addEventListener("message", ({ data }) => {
    changes.push(JSON.parse(String(data)) as Change);
  });
  socket.addEventListener("close", ({ code }) => {
    closed.push(code);
  });
  socket.accept();
  return {
    socket,
    changes,
    closed,
    until: (count: number) => expect.poll(() => changes.length).toBeGreaterThanOrEqual(count),
  };
}

describe("a page that watches", () => {
  test("gets the revision, and then each kind of change", async () => {
    const world = new World();
    await world.send([start(), state(NOON, { a: 1 })]);
    const { changes, until, socket } = await watch(world);
    await until(1);
    expect(changes[0]).toEqual({ revision: 2, status: "active", kinds: [] });
    await world.send([
      state(NOON, { a: 2 }),
      gauge(NOON, "fps", 1),
      event(NOON, "x", { exception_type: "E" }),
      heartbeat(NOON),
    ]);
    await until(2);
    expect(changes[1]).toMatchObject({ revision: 6, status: "active" });
    expect(changes[1]?.kinds.toSorted()).toEqual([
      "event",
      "exception",
      "heartbeat",
      "metric",
      "state",
    ]);
    await world.send([{ op: "end", at: NOON + 1 }]);
    await until(3);
    expect(changes[2]).toMatchObject({ status: "ended", kinds: ["status"] });
    socket.close();
  });

  test("sets `watched` in the results of batches until it disconnects", async () => {
    const world = new World();
    await world.send([start()]);
    expect(await world.send([])).not.toHaveProperty("watched");
    const { socket, until } = await watch(world);
    await until(1);
    expect(await world.send([])).toMatchObject({ watched: true });
    socket.close(1001, "going away");
    await expect.poll(async () => (await world.send([])).watched).toBeUndefined();
  });

  test("gets a few messages a second at most, and the last change in any case", async () => {
    const world = new World();
    await world.send([start()]);
    const { changes, until, socket } = await watch(world);
    await until(1);
    for (let i = 1; i <= 40; i++) await world.send([state(NOON + i, { i })]);
    await expect.poll(() => changes.at(-1)?.revision).toBe(41);
    expect(changes.length).toBeLessThan(25);
    socket.close();
  });

  test("stays connected while the object rests", async () => {
    const world = new World();
    await world.send([start()]);
    const { changes, until, socket } = await watch(world);
    await until(1);
    await world.evict();
    expect(await world.send([state(NOON, { a: 1 })])).toMatchObject({ watched: true });
    await until(2);
    expect(changes[1]).toMatchObject({ revision: 2, kinds: ["state"] });
    socket.close();
  });

  test("is disconnected a minute after its access was checked, with the code to connect again", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const world = new World();
    await world.send([start()]);
    const { changes, closed, until } = await watch(world);
    await until(1);
    vi.setSystemTime(Date.now() + LIVE_ACCESS_MS);
    await world.evict();
    await world.send([state(NOON, { a: 1 })]);
    await expect.poll(() => closed).toEqual([1012]);
    expect(changes).toMatchObject([{ revision: 1 }, { revision: 2 }]);
    vi.useRealTimers();
  });

  test("is disconnected when the session is deleted", async () => {
    const world = new World();
    await world.send([start()]);
    const { until, closed } = await watch(world);
    await until(1);
    await world.client.erase();
    await expect.poll(() => closed).toEqual([1000]);
  });

  test("of a session that does not exist is refused", async () => {
    await expect(new World().client.live(upgrade())).rejects.toMatchObject({ code: "not_found" });
  });

  test("of another product than its key's is refused", async () => {
    const world = new World();
    await world.send([start()]);
    const key = { kind: "read", product: "größer" } as const;
    await expect(sessionOf(env, key, world.id).live(upgrade())).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});

test("lost contact with a session of 1.x's daemon reaches open pages and the lists by itself", async () => {
  const ask = server();
  const steps = conversations.find(({ name }) => name.startsWith("the daemon"))?.steps.slice(0, 7);
  let id = "";
  for (const { request, body } of steps ?? []) {
    const answer = await ask((request[1] ?? "").replace("{id}", id), post(body ?? ""));
    id ||= (await answer.json<{ session_id: string }>()).session_id;
  }
  const world = new World(id);
  const page = await watch(world);
  await page.until(1);
  expect(page.changes[0]).toMatchObject({ status: "active" });

  // The daemon and its program are killed. Nothing is sent any more, and 1.x's lease goes by.
  const at = Date.now() + LEGACY_LEASE_MS + 1_000;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => at);
  try {
    expect(await world.alarmAt()).toBeLessThan(at);
    await world.ring();
    await page.until(2);
    expect(page.changes[1]).toMatchObject({ status: "suspended", kinds: ["status"] });
    const shown = async (path: string) => (await ask(path)).text();
    const verdict = await shown(`/sessions/${id}/verdict`);
    expect(verdict).toContain("Lost contact");
    expect(verdict).toContain("its datacat 1.x daemon sent heartbeats and stopped");
    const list = await (await ask("/api/sessions?status=suspended")).text();
    for (const there of [list, await shown("/sessions?status=suspended"), await shown("/")])
      expect(there).toContain(id);
    const legacy = await (await ask(`/api/sessions/${id}`)).json();
    expect(legacy).toMatchObject({ active: false, suspended: true, crashed: false });

    // The minute is over for which its access holds, so the page connects again. A daemon that comes back is shown as well.
    await expect.poll(() => page.closed).toEqual([1012]);
    const again = await watch(world);
    await ask(`/api/sessions/${id}/heartbeat`, post(""));
    await expect.poll(() => again.changes.at(-1)?.status).toBe("active");
    again.socket.close();
  } finally {
    clock.mockRestore();
  }
});
