/** Both databases down while the objects are up (promise 23 of test/faults/README.md). */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { post, server } from "./server.ts";

/** A D1 that does not answer: each statement fails with D1's error. */
const down = new Proxy(env.CATALOG, {
  get: () => () => {
    throw new Error("D1_ERROR: D1 DB is overloaded. Too many requests queued.");
  },
});
const local = server({ LOCAL: "1", CATALOG: down, REGISTRY: down });
const back = server();

let logged = vi.spyOn(console, "error");
beforeEach(() => void (logged = vi.spyOn(console, "error").mockImplementation(() => undefined)));
afterEach(() => void vi.restoreAllMocks());

test("what needs no catalog goes on: recording, and asking a session", async () => {
  const start = { op: "start", at: Date.now(), product: "game" };
  const answer = await local(
    "/api/ingest",
    post({ batches: [{ session: "s", lane: "l", first: 1, last: 1, ops: [start] }] }),
  );
  expect(await answer.json()).toMatchObject({ results: [{ applied: 1 }] });
  expect((await local("/api/sessions/s/events", post({ name: "here" }))).status).toBe(200);
  expect((await local("/api/sessions/s/summary")).status).toBe(200);
});

test("a session that 1.x opens is recorded, and found once the catalog is back", async () => {
  const opened = await local("/api/sessions", post({ product: "game" }));
  expect(opened.status).toBe(200);
  const { session_id } = (await opened.json()) as { session_id: string };
  expect(await (await back(`/api/sessions/${session_id}`)).json()).toMatchObject({ active: true });
  await back("/api/reindex", post({ sessions: [session_id] }));
  expect(await (await back("/api/sessions")).text()).toContain(session_id);
});

test("what needs it answers unavailable with Retry-After, and logs the cause", async () => {
  for (const path of [
    "/api/sessions",
    "/api/data/sessions",
    "/api/products",
    "/api/metrics",
    "/api/metrics/fps",
    "/api/exceptions",
    "/api/keys",
  ]) {
    const response = await local(path);
    expect([response.status, response.headers.get("retry-after")], path).toEqual([503, "5"]);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: "unavailable" } });
    expect(text).not.toContain("D1");
  }
  expect(logged).toHaveBeenCalledTimes(7);
});

test("a key that cannot be looked up is not a wrong key: its sender is to try again", async () => {
  const deployed = server(
    { ADMIN_SECRET: "correct horse battery staple", CATALOG: down, REGISTRY: down },
    "https://datacat.example.org",
  );
  const key = `dc_ingest_abcdefghijkl.${"A".repeat(43)}`;
  const response = await deployed(
    "/api/ingest",
    post({ batches: [{}] }, { authorization: `Bearer ${key}` }),
  );
  expect(response.status).toBe(503);
});

test("an error of this server is not reported as an outage, and its cause is not shown", async () => {
  const broken = new Proxy(env.CATALOG, {
    get: () => () => {
      throw new Error('D1_ERROR: near "SELCT": syntax error at offset 0: SQLITE_ERROR');
    },
  });
  const response = await server({ LOCAL: "1", CATALOG: broken })("/api/products");
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("SELCT");
});
