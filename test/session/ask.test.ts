import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { Refusal } from "../../src/core/refusal.ts";
import { ask, type SessionClient } from "../../src/session/ask.ts";
import type { Question, Session } from "../../src/session/session.ts";
import { event, NOON, start, state, World } from "./world.ts";

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
  return { client: ask({ ...env, SESSIONS }, id), requests: () => requests };
}

test("what is asked in one turn travels in one request, and each gets its own answer", async () => {
  const { id } = await recorded();
  const { client, requests } = listened(id);
  const [summary, { state: now }, events, history] = await Promise.all([
    client.summary(),
    client.state(),
    client.events({ name: "door" }),
    client.pathHistory(["hp"]),
  ]);
  expect(requests()).toBe(1);
  expect(summary.id).toBe(id);
  expect(now).toEqual({ hp: 3 });
  expect(events.items).toMatchObject([{ name: "door", at: NOON + 2 }]);
  expect(history.items).toMatchObject([{ after: 3 }]);

  await client.summary();
  expect(requests()).toBe(2);
});

test("a refusal among the answers is only for the one who asked", async () => {
  const { id } = await recorded();
  const refusing = (session: DurableObjectStub<Session>) => ({
    answer: async (questions: Question[]) => {
      const [first = ""] = await session.answer(questions);
      return [first, JSON.stringify(new Refusal("unavailable", "The segment is damaged."))];
    },
  });
  const { client, requests } = listened(id, refusing);
  const [summary, refused] = await Promise.allSettled([client.summary(), client.events()]);
  expect(requests()).toBe(1);
  expect(summary.status).toBe("fulfilled");
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
});

test("a question that breaks does not take the others with it", async () => {
  const { id } = await recorded();
  const breaking = (session: DurableObjectStub<Session>) => ({
    answer: (questions: Question[]) => {
      if (questions.some(([method]) => method === "series")) throw new Error("broken");
      return session.answer(questions);
    },
  });
  const { client } = listened(id, breaking);
  const [summary, series] = await Promise.allSettled([client.summary(), client.series()]);
  expect(summary.status).toBe("fulfilled");
  expect(series).toMatchObject({ status: "rejected", reason: { message: "broken" } });
});

test("an object that gets too much is not asked again, one by one", async () => {
  const { id } = await recorded();
  const overloaded = () => ({
    answer: () => {
      throw Object.assign(new Error("Too many requests queued"), { overloaded: true });
    },
  });
  const { client, requests } = listened(id, overloaded);
  const answers = await Promise.allSettled([client.summary(), client.state(), client.events()]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: "rejected", reason: { code: "too_many_requests" } });
  }
  expect(requests()).toBe(1);
});

test("questions about an unknown session are all refused", async () => {
  const { client } = listened("nobody");
  const answers = await Promise.allSettled([client.summary(), client.events()]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: "rejected", reason: { code: "not_found" } });
  }
});
