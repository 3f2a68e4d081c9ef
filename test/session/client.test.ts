import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { Refusal } from "../../src/core/refusal.ts";
import { type Access, SERVER } from "../../src/core/access/authority.ts";
import type { Question } from "../../src/core/questions/questions.ts";
import { type SessionClient, sessionOf } from "../../src/session/client.ts";
import { jsonOf } from "../../src/session/requests/reply.ts";
import type { ExportQuery } from "../../src/core/exports/exports.ts";
import type { Session } from "../../src/session/session.ts";
import { sessionRow } from "../../src/catalog/known.ts";
import { reindexSessions } from "../../src/session/publication/reindex.ts";
import { event, gauge, heartbeat, NOON, start, state, World } from "./world.ts";

async function recorded(): Promise<World> {
  const world = new World();
  await world.send([start(), state(NOON + 1, { hp: 3 }), event(NOON + 2, "door")]);
  return world;
}

/** A client whose requests to the object can be counted, and spoiled. */
function listened(
  id: string,
  answer: (session: DurableObjectStub<Session>) => object = (session) => session,
): { client: SessionClient; requests: () => number } {
  let requests = 0;
  const SESSIONS = new Proxy(env.SESSIONS, {
    get: () => (name: string) => {
      requests++;
      return answer(env.SESSIONS.getByName(name));
    },
  });
  return { client: sessionOf({ ...env, SESSIONS }, SERVER, id), requests: () => requests };
}

test("questions of one turn travel in one request, and each gets its own answer", async () => {
  const { id } = await recorded();
  const { client, requests } = listened(id);
  const [summary, { state: now }, events, history] = await Promise.all([
    client.ask("summary"),
    client.ask("state"),
    client.ask("events", { name: "door" }),
    client.ask("pathHistory", { path: ["hp"] }),
  ]);
  expect(requests()).toBe(1);
  expect(summary.id).toBe(id);
  expect(now).toEqual({ hp: 3 });
  expect(events.items).toMatchObject([{ name: "door", at: NOON + 2 }]);
  expect(history.items).toMatchObject([{ after: 3 }]);

  await client.ask("summary");
  expect(requests()).toBe(2);
});

test("a refusal among the answers rejects only its own question", async () => {
  const { id } = await recorded();
  const refusing = (session: DurableObjectStub<Session>) => ({
    answer: async (access: Access, questions: Question[]) => {
      const [first = ""] = await session.answer(access, questions);
      return [first, jsonOf(new Refusal("unavailable", "The segment is damaged."))];
    },
  });
  const { client, requests } = listened(id, refusing);
  const [summary, refused] = await Promise.allSettled([
    client.ask("summary"),
    client.ask("events"),
  ]);
  expect(requests()).toBe(1);
  expect(summary.status).toBe("fulfilled");
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
});

test("a question that fails does not fail the others", async () => {
  const { id } = await recorded();
  const breaking = (session: DurableObjectStub<Session>) => ({
    answer: (access: Access, questions: Question[]) => {
      if (questions.some(([method]) => method === "series")) throw new Error("broken");
      return session.answer(access, questions);
    },
  });
  const { client } = listened(id, breaking);
  const [summary, series] = await Promise.allSettled([client.ask("summary"), client.ask("series")]);
  expect(summary.status).toBe("fulfilled");
  expect(series).toMatchObject({ status: "rejected", reason: { message: "broken" } });
});

test("an overloaded object is not asked again, one by one", async () => {
  const { id } = await recorded();
  const overloaded = () => ({
    answer: () => {
      throw Object.assign(new Error("Too many requests queued"), { overloaded: true });
    },
  });
  const { client, requests } = listened(id, overloaded);
  const answers = await Promise.allSettled([
    client.ask("summary"),
    client.ask("state"),
    client.ask("events"),
  ]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: "rejected", reason: { code: "too_many_requests" } });
  }
  expect(requests()).toBe(1);
});

test("questions about an unknown session are all refused", async () => {
  const { client } = listened("unknown");
  const answers = await Promise.allSettled([client.ask("summary"), client.ask("events")]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: "rejected", reason: { code: "not_found" } });
  }
});

/** A client of a session that begins just after its object answered the first request, before that answer is used. */
function begunMeanwhile(): { world: World; client: SessionClient } {
  const world = new World();
  let hasBegun = false;
  const begin = async <Reply>(reply: Reply): Promise<Reply> => {
    if (hasBegun) return reply;
    hasBegun = true;
    await world.send([start(), heartbeat(NOON), gauge(NOON, "fps", 60), event(NOON + 1, "bye")]);
    await world.client.publish();
    return reply;
  };
  const { client } = listened(world.id, (session) => ({
    answer: async (access: Access, questions: Question[]) =>
      begin(await session.answer(access, questions)),
    stream: async (access: Access, query: ExportQuery) =>
      begin(await session.stream(access, query)),
    erase: async (access: Access) => begin(await session.erase(access)),
  }));
  return { world, client };
}

test("a session that begins during a question is not taken for one whose storage was lost", async () => {
  const asked = begunMeanwhile();
  expect(await asked.client.ask("summary")).toMatchObject({ counts: { heartbeats: 1, series: 1 } });
  expect((await sessionRow(env.CATALOG, asked.world.id))?.damaged).toBe(0);

  const streamed = begunMeanwhile();
  const text = await new Response(await streamed.client.stream({ kind: "lines" })).text();
  expect(text).toContain('"fps"');
  expect((await sessionRow(env.CATALOG, streamed.world.id))?.damaged).toBe(0);

  const erased = begunMeanwhile();
  expect(await erased.client.erase()).toMatchObject({ segments: 1, points: 1 });
  await expect(erased.world.client.ask("summary")).rejects.toMatchObject({ code: "gone" });
});

test("a fault of the platform that passes is no damage", async () => {
  const world = await recorded();
  await world.client.publish();
  let failures = 1;
  const failing = (session: DurableObjectStub<Session>) => ({
    answer: (access: Access, questions: Question[]) => {
      if (failures-- > 0) throw new Error("internal error; reference = 0123456789");
      return session.answer(access, questions);
    },
  });
  const { client } = listened(world.id, failing);
  expect(await client.ask("summary")).toMatchObject({ id: world.id, damaged_segments: 0 });
  failures = Infinity;
  await expect(client.ask("summary")).rejects.toMatchObject({ code: "unavailable" });
  expect((await sessionRow(env.CATALOG, world.id))?.damaged).toBe(0);
});

test("a session that begins while it is indexed again is not taken for one whose storage was lost", async () => {
  const world = new World();
  let isFirst = true;
  const SESSIONS = new Proxy(env.SESSIONS, {
    get: () => (name: string) => ({
      publish: async (access: Access) => {
        const reply = await env.SESSIONS.getByName(name).publish(access);
        if (isFirst) await world.send([start(), event(NOON, "door")]);
        isFirst = false;
        await world.client.publish();
        return reply;
      },
    }),
  });
  const reindexed = await reindexSessions({ ...env, SESSIONS }, [world.id]);
  expect(reindexed).toMatchObject({ done: [world.id], failed: [] });
  expect(await sessionRow(env.CATALOG, world.id)).toMatchObject({ damaged: 0, events: 1 });
});
