/** Every list of the API reports what it looked at, and where it continues; a search finds nothing only after it looked at everything. */
import { beforeAll, describe, expect, test } from "vitest";
import { api } from "../../src/api/index.ts";
import type { Op } from "../../src/core/wire.ts";
import { post, server } from "./server.ts";

const ask = server();
const NOON = Date.UTC(2026, 0, 5, 12);

type Kind = "page" | "list" | "array" | "table" | "no list";

/**
 * What each GET route answers. page: `items` with `next`. list: the same, with `partial` and what was not looked at. array: a list of
 * bounded length whose shape is fixed, of one session or of 1.x. table: rows, with what was not looked at in headers. A new route must be added here.
 */
const ROUTES: { [path: string]: [kind: Kind, example?: string] } = {
  "/sessions": ["list"],
  "/sessions/:id": ["no list"],
  "/sessions/:id/summary": ["no list"],
  "/sessions/:id/state": ["no list"],
  "/sessions/:id/state/history": ["page", "/sessions/many/state/history?limit=1"],
  "/sessions/:id/state/diff": ["no list"],
  "/sessions/:id/events": ["page", "/sessions/many/events?limit=1"],
  "/sessions/:id/events/counts": ["array", "/sessions/many/events/counts"],
  "/sessions/:id/metrics": ["array", "/sessions/many/metrics"],
  "/sessions/:id/metrics/:name": ["array", "/sessions/many/metrics/fps"],
  "/sessions/:id/timeline": ["no list"],
  "/sessions/:id/stacks": ["no list"],
  "/sessions/:id/changes": ["no list"],
  "/distinctions": ["no list"],
  "/sessions/:id/export": ["no list"],
  "/sessions/:id/live": ["no list"],
  "/products": ["page"],
  "/metrics": ["list"],
  "/metrics/:name": ["no list"],
  "/metrics/:name/sessions": ["list", "/metrics/fps/sessions"],
  "/events": ["list"],
  "/exceptions": ["page"], // and `partial`, see below
  "/exceptions/:fingerprint": ["no list"],
  "/exceptions/:fingerprint/merges": ["no list"],
  "/sessions/:id/attachments": ["page", "/sessions/many/attachments"],
  "/sessions/:id/attachments/:attachment": ["no list"],
  "/sessions/:id/attachments/:attachment/chunks": ["no list"],
  "/sessions/:id/tests": ["page", "/sessions/many/tests"],
  "/sessions/:id/tests/:key": ["no list"],
  "/sourcemaps": ["page"],
  "/tests": ["no list"],
  "/tests/:key": ["no list"],
  "/keys": ["page"],
  "/audit": ["page"],
  "/tables/sessions": ["table", "/tables/sessions?limit=1"],
  "/tables/sessions/steps": ["table", "/tables/sessions/steps"],
  "/tables/metrics/:name": ["table", "/tables/metrics/fps"],
  "/tables/metrics/:name/sessions": ["table", "/tables/metrics/fps/sessions"],
  "/tables/products": ["table", "/tables/products"],
  "/tables/days": ["table", "/tables/days"],
  "/tables/exceptions": ["table", "/tables/exceptions"],
  "/tables/exceptions/days": ["table", "/tables/exceptions/days"],
  "/tables/names": ["table", "/tables/names?of=product"],
  "/data/sessions": ["array", "/data/sessions"],
  "/grafana/sessions": ["array", "/grafana/sessions"],
};

async function record(session: string, ops: Op[]): Promise<void> {
  for (let from = 0; from < ops.length; from += 2_000) {
    const part = ops.slice(from, from + 2_000);
    const batch = { session, lane: "l", first: from + 1, last: from + part.length, ops: part };
    const answer = await ask("/api/ingest", post({ batches: [batch] }));
    expect(await answer.json()).toMatchObject({ results: [{ applied: from + part.length }] });
  }
  expect((await ask("/api/reindex", post({ sessions: [session] }))).status).toBe(200);
}

const at = (n: number) => NOON + n;
const state = (n: number, patch: object): Op => ({ op: "state", at: at(n), patch: patch as never });
const event = (n: number, name: string): Op => ({ op: "event", at: at(n), name });

beforeAll(async () => {
  const keys = Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n % 7]);
  await record("many", [
    { op: "start", at: NOON, product: "game", tags: ["t0"] },
    ...Array.from({ length: 5_000 }, (_, n) => event(n, `ev-${n}`)),
    ...[0, 5_000, 10_000, 15_000].map((from) =>
      state(5_000, Object.fromEntries(keys.slice(from, from + 4_900))),
    ),
    state(5_001, { last: 1 }),
    ...[1, 2].map((n): Op => ({
      op: "start",
      at: at(n),
      tags: Array.from({ length: 60 }, (_, i) => `tag-${n}-${i}`),
    })),
    { op: "metric", at: at(1), type: "gauge", name: "fps", value: 60 },
    ...Array.from(
      { length: 120 },
      (_, n): Op => ({ ...event(6_000, "broken"), exception_type: `E${n}` }) as Op,
    ),
  ]);
  await record("few", [
    { op: "start", at: NOON - 5_000, product: "editor", version: "Ärger Straße" },
    event(1, "ev-1"),
    { op: "metric", at: at(1), type: "gauge", name: "fps", value: 30 },
    state(1, {
      release: "1.0",
      number: 1.1,
      large: 1e21,
      empty: "",
      list: [{ x: 1 }, { x: "two" }, 3],
      "v1.2": { "a\\b": true },
      nothing: { inside: null },
    }),
  ]);
}, 120_000);

const found = async (query: string) => {
  const answer = await (
    await ask(`/api/sessions?${query}`)
  ).json<{ items: { id: string; unsure?: true }[]; partial: boolean }>();
  return {
    ids: answer.items.map(({ id }) => id),
    partial: answer.partial,
    unsure: answer.items.some((row) => row.unsure),
  };
};

describe("a list", () => {
  test("is known for every GET route", () => {
    const routes = api.routes.filter(({ method }) => method === "GET").map(({ path }) => path);
    expect([...new Set(routes)].toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  });

  test.each(Object.entries(ROUTES).filter(([, [kind]]) => kind !== "no list"))(
    "%s reports what it has",
    async (path, [kind, example]) => {
      const response = await ask(`/api${example ?? path}`);
      expect(response.status).toBe(200);
      const answer: unknown = await response.json();
      if (kind === "array" || kind === "table") expect(answer).toBeInstanceOf(Array);
      if (kind === "array") return;
      if (kind === "table")
        return expect(response.headers.get("datacat-partial")).toMatch(/^(true|false)$/);
      expect(answer).toMatchObject({ items: expect.any(Array) });
      expect(answer).toHaveProperty("next");
      if (kind === "list") {
        expect(answer).toMatchObject({ partial: expect.any(Boolean) });
        expect(answer).toHaveProperty("searched_to");
        expect(answer).toHaveProperty("published_to");
      }
    },
  );

  test("exceptions that are in no group are mentioned", async () => {
    const answer = await (await ask("/api/exceptions?product=game")).json();
    expect(answer).toMatchObject({ partial: true, incomplete_sessions: 1 });
    const page = await (await ask("/exceptions?product=game")).text();
    expect(page).toContain("1 session had exceptions of more than");
    const editor = await (await ask("/api/exceptions?product=editor")).json();
    expect(editor).toMatchObject({ partial: false, incomplete_sessions: 0 });
  });

  test.each([
    "/events",
    "/metrics",
    "/sessions",
    "/sessions/many/events",
    "/sessions/many/state/history",
  ])("%s continues at its next until the end", async (path) => {
    const limit = path === "/sessions/many/events" || path === "/events" ? 100 : 1;
    const read: string[] = [];
    for (let next: string | null = ""; next !== null;) {
      const cursor: string = next === "" ? "" : `&cursor=${encodeURIComponent(next)}`;
      const page: { items: unknown[]; next: string | null } = await (
        await ask(`/api${path}?limit=${limit}${cursor}`)
      ).json();
      expect(page.items.length).toBeLessThanOrEqual(limit);
      read.push(...page.items.map((item) => JSON.stringify(item)));
      next = page.next;
    }
    const whole = await (
      await ask(`/api${path}?limit=1000`)
    ).json<{ items: unknown[]; next: string | null }>();
    expect(new Set(read).size).toBe(read.length);
    expect(read.slice(0, 1_000)).toHaveLength(whole.items.length);
  });

  test("of names states that some sessions have more names than it lists", async () => {
    expect(await (await ask("/api/events?limit=1")).json()).toMatchObject({
      partial: true,
      incomplete_sessions: 1,
    });
    expect(await (await ask("/api/metrics?limit=1")).json()).toMatchObject({ partial: false });
  });
});

describe("a search finds what the catalog does not list", () => {
  test.each([
    ["event=ev-4999", ["many"]],
    ["event=ev-5000", []],
    ["event=ev-1", ["many", "few"]],
    ["state_path=k19899", ["many"]],
    ["state_path=k19899&state_value=5", ["many"]],
    ["state_path=k19899&state_value=4", []],
    ["state_path=k20001", []],
    ["tag=tag-2-59", ["many"]],
    ["tag=tag-3-1", []],
    ["event=ev-4999&state_path=last", ["many"]],
    ["event=ev-4999&state_path=nothing", []],
  ])("%s: %j, of all sessions", async (query, ids) => {
    expect(await found(query)).toEqual({ ids, partial: false, unsure: false });
  });

  test("an exception after the first hundred", async () => {
    const page = await (
      await ask("/api/sessions/many/events?exceptions=true&order=desc&limit=1")
    ).json<{ items: { fingerprint: string }[] }>();
    expect(await found(`exception=${page.items[0]?.fingerprint}`)).toEqual({
      ids: ["many"],
      partial: false,
      unsure: false,
    });
    expect(await found("exception=0000000000000000")).toEqual({
      ids: [],
      partial: false,
      unsure: false,
    });
  });

  test("and what is left out is counted", async () => {
    expect(await (await ask("/api/sessions/many/summary")).json()).toMatchObject({
      left_out: {
        event_names: expect.any(Number),
        state_paths: expect.any(Number),
        tags: expect.any(Number),
        exceptions: 20,
      },
    });
    const few = await (await ask("/api/sessions/few/summary")).json<object>();
    expect(few).not.toHaveProperty("left_out");
  });
});

describe("a state is asked", () => {
  test.each([
    ["state_path=release&state_value=1.0", true],
    ["state_path=release&state_value=1.0&state_type=string", true],
    ["state_path=release&state_value=1.0&state_type=number", false],
    ["state_path=release&state_value=1", false],
    ["state_path=number&state_value=1.10", true],
    ["state_path=number&state_value=1.10&state_type=number", true],
    ["state_path=number&state_value=1.1&state_type=string", false],
    ["state_path=large&state_value=1e21", true],
    ["state_path=large&state_value=1000000000000000000000", true],
    ["state_path=empty&state_type=string", true],
    ["state_path=release&state_type=string", false],
    ["state_path=list.1.x&state_value=two", true],
    ["state_path=list.0.x&state_value=two", false],
    ["state_path=list.1.x", true],
    ["state_path=list.2&state_value=3", true],
    ["state_path=list.7", false],
    ["state_path=list&state_value=3", true],
    ["state_path=v1%5C.2.a%5C%5Cb&state_value=true", true],
    [`state_path=${encodeURIComponent('["v1.2","a\\\\b"]')}`, true],
    ["state_path=v1.2", false],
    ["state_path=v1%5C.2", true],
    ["state_path=nothing", true],
  ])("as %s: %j", async (query, isFound) => {
    expect((await found(`product=editor&${query}`)).ids).toEqual(isFound ? ["few"] : []);
  });

  test("a path that is no path is refused", async () => {
    expect((await ask("/api/sessions?state_path=[1]")).status).toBe(400);
    expect((await ask("/sessions?path=[1]")).status).toBe(400);
  });
});

test.each(["ärger", "ÄRGER", "a\u0308rger", "STRASSE", "straße", "Ärger strasse"])(
  "the text %s is found in any case and normalisation, also by the pages",
  async (text) => {
    expect((await found(`text=${encodeURIComponent(text)}`)).ids).toEqual(["few"]);
    const page = await (await ask(`/sessions?text=${encodeURIComponent(text)}`)).text();
    expect(page).toContain('href="/sessions/few"');
  },
);
