import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { open, post, type Server, withKey } from "../api/server.ts";
import { SECRET, deployed, bearer, code, newKey, may } from "./world.ts";

test("a key for one product neither sees nor writes another's sessions", async () => {
  const as =
    (key: string): Server =>
    (path, init) =>
      deployed(path, withKey(key, init));
  const admin = as(SECRET);
  const reader = as((await newKey({ kind: "read", product: "game" })).key);
  const writer = as(
    (await newKey({ kind: "ingest", product: "game", continues_others: true })).key,
  );
  const [game, shop] = [
    await open(admin, { product: "game" }),
    await open(admin, { product: "shop" }),
  ];

  expect(await code(await reader(`/api/sessions/${game}/summary`))).toBe("ok");
  for (const path of [
    "",
    "/summary",
    "/state",
    "/events",
    "/metrics",
    "/export",
    "/timeline",
    "/live",
  ]) {
    const headers: Record<string, string> = path === "/live" ? { upgrade: "websocket" } : {};
    expect(await code(await reader(`/api/sessions/${shop}${path}`, { headers })), path).toBe(
      "forbidden",
    );
  }
  const listed = await (await reader("/api/sessions?product=shop")).text();
  expect(listed).toContain(game);
  expect(listed).not.toContain(shop);
  expect(await (await reader("/api/data/sessions")).text()).not.toContain(shop);
  expect(await (await reader("/api/products?product=shop")).text()).not.toContain("shop");

  await admin(`/api/sessions/${shop}/metrics`, post({ name: "secret_metric" }));
  await admin(`/api/sessions/${shop}/events`, post({ name: "secret_event" }));
  await admin("/api/reindex", post({ sessions: [shop] }));
  for (const path of ["/api/metrics", "/api/events"]) {
    expect(await (await admin(path)).text()).toContain("secret_");
    expect(await (await reader(path)).text()).not.toContain("secret_");
  }

  expect(await code(await writer(`/api/sessions/${game}/state`, post({ a: 1 })))).toBe("ok");
  expect(await code(await writer(`/api/sessions/${shop}/state`, post({ a: 1 })))).toBe("forbidden");
  const own = await open(writer, { product: "shop" });
  expect(await (await admin(`/api/sessions/${own}/summary`)).json()).toMatchObject({
    product: "game",
  });
  const start = (session: string, product: string) => ({
    session,
    lane: "l",
    first: 1,
    last: 1,
    ops: [{ op: "start", at: 1, product }],
  });
  const answer = await writer(
    "/api/ingest",
    post({ batches: [start("new-1", "game"), start("new-2", "shop"), start(shop, "game")] }),
  );
  const { results } = (await answer.json()) as { results: { error?: { code: string } }[] };
  expect(results.map((result) => result.error?.code)).toEqual([
    undefined,
    "forbidden",
    "forbidden",
  ]);
});

describe("a key for one product, whatever the catalog holds of the session", () => {
  const batch = (session: string, ops: object[]) =>
    post({ batches: [{ session, lane: "l", first: 1, last: ops.length, ops }] });
  const event = { op: "event", at: 1, name: "door" };

  /** Every route of one session: what it needs, and the request. Deletion is last. */
  const routes = (id: string): [what: "read" | "ingest" | "admin", path: string, RequestInit][] => [
    ...[
      "",
      "/summary",
      "/state",
      "/state?at=5",
      "/state/history",
      "/state/history?path=a",
      "/state/diff?from=1",
      "/events",
      "/events/counts",
      "/metrics",
      "/metrics/fps",
      "/timeline",
      "/export",
    ].map((path) => ["read", `/api/sessions/${id}${path}`, {}] as ["read", string, RequestInit]),
    ["read", `/api/sessions/${id}/live`, { headers: { upgrade: "websocket" } }],
    ...["state", "events", "metrics", "crash", "end", "heartbeat"].map(
      (route) =>
        ["ingest", `/api/sessions/${id}/${route}`, post({ name: "x" })] as [
          "ingest",
          string,
          RequestInit,
        ],
    ),
    ["ingest", "/api/ingest", batch(id, [event])],
    ["admin", `/api/sessions/${id}`, { method: "DELETE" }],
  ];

  /** The code of a request, or of its batch. */
  async function outcome(path: string, init: RequestInit): Promise<string> {
    const response = await deployed(path, init);
    response.webSocket?.accept();
    if (path !== "/api/ingest" || !response.ok) return response.webSocket ? "ok" : code(response);
    const { results } = (await response.json()) as { results: { error?: { code: string } }[] };
    return results[0]?.error?.code ?? "ok";
  }

  const CATALOGS: [string, (id: string) => Promise<unknown>][] = [
    ["that has it", async () => {}],
    [
      "that has lost it",
      async (id) => env.CATALOG.prepare("DELETE FROM sessions WHERE id = ?1").bind(id).run(),
    ],
    ["that is empty", async () => env.CATALOG.exec("DELETE FROM sessions")],
    [
      "that has it under the key's product",
      async (id) =>
        env.CATALOG.prepare("UPDATE sessions SET product = 'game' WHERE id = ?1").bind(id).run(),
    ],
  ];

  test.each(CATALOGS)(
    "is refused another's and serves its own with a catalog %s",
    async (_, lose) => {
      const admin: Server = (path, init) => deployed(path, withKey(SECRET, init));
      for (const kind of ["ingest", "read", "admin"]) {
        const { key } = await newKey({ kind, product: "game", continues_others: true });
        const sessions = {
          shop: await open(admin, { product: "shop" }),
          none: await open(admin, {}),
          game: await open(admin, { product: "game" }),
        };
        for (const [owner, id] of Object.entries(sessions)) {
          await admin(`/api/sessions/${id}/metrics`, post({ name: "fps", value: 1 }));
          await lose(id);
          for (const [what, path, init] of routes(id)) {
            const expected = owner === "game" && may(kind, what) ? "ok" : "forbidden";
            expect(await outcome(path, withKey(key, init)), `${kind} ${path} of ${owner}`).toBe(
              expected,
            );
          }
        }
      }
    },
  );

  test("opens sessions of its product only, and a later start cannot move one", async () => {
    const { key } = await newKey({ kind: "ingest", product: "game" });
    const admin: Server = (path, init) => deployed(path, withKey(SECRET, init));
    const start = (product?: string) => ({ op: "start", at: 1, product });
    const send = (id: string, ops: object[], first = 1) =>
      outcome(
        "/api/ingest",
        withKey(
          key,
          post({
            batches: [{ session: id, lane: "l", first, last: first + ops.length - 1, ops }],
          }),
        ),
      );
    const productOf = async (id: string) =>
      ((await (await admin(`/api/sessions/${id}/summary`)).json()) as { product: string }).product;

    expect(await send("unnamed", [start()])).toBe("ok");
    expect(await productOf("unnamed")).toBe("game");
    expect(await send("without-start", [event])).toBe("ok");
    expect(await productOf("without-start")).toBe("game");
    expect(await send("without-start", [start("shop"), event], 2)).toBe("forbidden");
    expect(await send("without-start", [event, start("game"), start("shop")], 2)).toBe("forbidden");
    expect(await send("without-start", [start("game"), event], 2)).toBe("ok");
    expect(await productOf("without-start")).toBe("game");

    expect(await send("foreign", [event, start("shop")])).toBe("forbidden");
    expect(await code(await admin("/api/sessions/foreign/summary"))).toBe("not_found");
  });

  test("gets each batch's own answer, and nothing of a refused one is kept", async () => {
    const { key } = await newKey({ kind: "ingest", product: "game" });
    const admin: Server = (path, init) => deployed(path, withKey(SECRET, init));
    const lane = (name: string, ops: object[]) => ({
      session: "mixed",
      lane: name,
      first: 1,
      last: ops.length,
      ops,
    });
    const answer = await deployed(
      "/api/ingest",
      withKey(
        key,
        post({
          batches: [
            lane("a", [{ op: "start", at: 1, product: "game" }, event]),
            lane("b", [event, { op: "start", at: 1, product: "shop" }]),
            lane("c", [event]),
          ],
        }),
      ),
    );
    const { results } = (await answer.json()) as { results: object[] };
    expect(results).toMatchObject([
      { lane: "a", applied: 2 },
      { lane: "b", applied: 0, error: { code: "forbidden" } },
      { lane: "c", applied: 1 },
    ]);
    expect(await (await admin("/api/sessions/mixed/summary")).json()).toMatchObject({
      product: "game",
      counts: { events: 2 },
    });
  });
});

test("a key for one product, admin though it be, manages no keys", async () => {
  const { key } = await newKey({ kind: "admin", product: "game" });
  expect(await code(await deployed("/api/keys", post({ kind: "admin" }, bearer(key))))).toBe(
    "forbidden",
  );
  expect(await code(await deployed("/api/reindex", post({}, bearer(key))))).toBe("forbidden");
});
