import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { Refusal } from "../../src/core/refusal.ts";
import { type Access, SERVER } from "../../src/core/authority.ts";
import type { Question } from "../../src/session/answers.ts";
import { type SessionClient, sessionOf } from "../../src/session/client.ts";
import { jsonOf } from "../../src/session/reply.ts";
import type { Session } from "../../src/session/session.ts";
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
