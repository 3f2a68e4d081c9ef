/** A temporary failure (an object that is moved or restarted) is retried; any other is answered. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { IngestAnswer } from "../../src/core/batch.ts";
import { open, post, server } from "./server.ts";

afterEach(() => void vi.restoreAllMocks());

/** Objects whose stubs fail as the platform's do, so many times; then the real ones. */
function failing(times: number, marks: object) {
  let stubs = 0;
  const SESSIONS = new Proxy(env.SESSIONS, {
    get: (target, name) => {
      if (name !== "getByName") return Reflect.get(target, name).bind(target);
      return (id: string) => {
        if (++stubs > times) return target.getByName(id);
        return new Proxy(
          {},
          { get: () => async () => Promise.reject(Object.assign(new Error("moved"), marks)) },
        );
      };
    },
  });
  return { ask: server({ LOCAL: "1", SESSIONS }), asked: () => stubs };
}

const batch = (session: string) => ({
  session,
  lane: `lane-${session}`,
  first: 1,
  last: 1,
  ops: [{ op: "start", at: Date.now() }],
});

test("a batch is sent again to a new stub when the failure passes", async () => {
  const { ask, asked } = failing(2, { retryable: true });
  const answer = await ask("/api/ingest", post({ batches: [batch("moved")] }));
  expect(await answer.json()).toMatchObject({ results: [{ applied: 1 }] });
  expect(asked()).toBe(3);
});

test("an object that goes on failing costs its own batches an answer, and no other's", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { ask } = failing(1, {});
  const answer = await ask("/api/ingest", post({ batches: [batch("broken"), batch("well")] }));
  const { results } = (await answer.json()) as IngestAnswer;
  expect(results.map((result) => [result.session, result.applied, result.error?.code])).toEqual([
    ["broken", 0, "unavailable"],
    ["well", 1, undefined],
  ]);
  expect(JSON.stringify(results)).not.toContain("moved");
  expect(logged).toHaveBeenCalledOnce();
});

test("an object that gets too much is left alone, and its senders slow down", async () => {
  const { ask, asked } = failing(9, { overloaded: true, retryable: true });
  const answer = (await (
    await ask("/api/ingest", post({ batches: [batch("busy")] }))
  ).json()) as IngestAnswer;
  expect(answer).toMatchObject({
    results: [{ error: { code: "too_many_requests" } }],
    slow_down_ms: 5_000,
  });
  expect(asked()).toBe(1);
});

test("what 1.x sends is not sent twice: it has no number to be known by", async () => {
  const id = await open(server());
  const { ask, asked } = failing(1, { retryable: true });
  const response = await ask(`/api/sessions/${id}/events`, post({ name: "once" }));
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(asked()).toBe(1);
});

test("a question is asked again, too", async () => {
  const id = await open(server());
  const { ask } = failing(1, { retryable: true });
  expect((await ask(`/api/sessions/${id}/summary`)).status).toBe(200);
});
