import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import worker from "../../src/index.ts";
import { open, post, type Server, server, withKey } from "./server.ts";

const SECRET = "correct horse battery staple";
const HOME = "https://datacat.example.org";
const deployed = server({ ADMIN_SECRET: SECRET }, HOME);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function code(response: Response): Promise<string> {
  if (response.ok) return "ok";
  const { error } = (await response.json()) as { error: { code: string } };
  return error.code;
}

async function newKey(body: object): Promise<{ id: string; key: string }> {
  const response = await deployed("/api/keys", post(body, bearer(SECRET)));
  expect(response.status).toBe(200);
  return response.json();
}

/** One request of each kind that there is. */
const REQUESTS: [what: "read" | "ingest" | "admin", path: string, init: RequestInit][] = [
  ["read", "/api/sessions", {}],
  ["read", "/api/data/sessions", {}],
  ["read", "/api/products", {}],
  ["read", "/api/metrics", {}],
  ["read", "/api/exceptions", {}],
  ["read", "/api/grafana", {}],
  ["ingest", "/api/sessions", post({ product: "game" })],
  ["ingest", "/api/ingest", post({ batches: [{}] })],
  ["admin", "/api/keys", {}],
  ["admin", "/api/reindex", post({ sessions: [] })],
];

const may = (kind: string, what: string) => kind === "admin" || kind === what;

describe("without an admin secret", () => {
  test("everything is refused, with the command that helps", async () => {
    const locked = server({}, HOME);
    for (const [, path, init] of REQUESTS)
      expect(await code(await locked(path, init))).toBe("locked");
    const response = await locked("/api/sessions", { headers: bearer("anything") });
    expect(await response.text()).toContain("wrangler secret put ADMIN_SECRET");
  });

  test("Cloudflare Access opens it to whom it lets through", async () => {
    const ask = async (aud: string, settings = {}) => {
      const access = { aud, getIdentity: async () => ({ email: "ada@example.org" }) };
      const context = Object.assign(createExecutionContext(), { access });
      const request = new Request(`${HOME}/api/keys`) as Parameters<typeof worker.fetch>[0];
      return code(await worker.fetch(request, { ...env, ...settings }, context));
    };
    expect(await ask("ours")).toBe("ok");
    expect(await ask("ours", { ACCESS_AUDIENCE: "ours" })).toBe("ok");
    expect(await ask("theirs", { ACCESS_AUDIENCE: "ours" })).toBe("locked");
  });
});

describe("with an admin secret", () => {
  const keys: Record<string, string> = {};
  beforeAll(async () => {
    for (const kind of ["ingest", "read", "admin"])
      keys[kind] = (await newKey({ kind, label: kind })).key;
  });

  test("requests without a key, or with a wrong one, are refused", async () => {
    const right = keys["admin"] ?? "";
    const wrong = [
      "",
      "wrong",
      SECRET.slice(1),
      right.slice(0, -1),
      `${right}A`,
      right.replace("admin", "read"),
      "dc_admin_000000000000.".padEnd(65, "A"),
    ];
    for (const [, path, init] of REQUESTS) {
      expect(await code(await deployed(path, init))).toBe("unauthorized");
      for (const key of wrong) {
        expect(await code(await deployed(path, withKey(key, init))), key).toBe("unauthorized");
      }
    }
    const response = await deployed("/api/sessions");
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
  });

  test.each(["ingest", "read", "admin"])(
    "a key of kind %s does what its name allows and no more",
    async (kind) => {
      for (const [what, path, init] of REQUESTS) {
        const expected = may(kind, what) ? "ok" : "forbidden";
        expect(
          await code(await deployed(path, withKey(keys[kind] ?? "", init))),
          `${what} ${path}`,
        ).toBe(expected);
      }
    },
  );

  test("the admin secret itself is an admin's key", async () => {
    for (const [, path, init] of REQUESTS) {
      expect(await code(await deployed(path, { ...init, headers: bearer(SECRET) }))).toBe("ok");
    }
  });

  test("a key is shown once, stored as its SHA-256, and has the day of its last use", async () => {
    const { id, key } = await newKey({ kind: "read", label: "Grafana" });
    expect(key).toMatch(new RegExp(`^dc_read_${id}\\.[\\w-]{43}$`));
    expect(await code(await deployed("/api/sessions", { headers: bearer(key) }))).toBe("ok");
    const listed = await (await deployed("/api/keys", { headers: bearer(SECRET) })).text();
    expect(listed).toContain("Grafana");
    expect(listed).not.toContain(key.split(".")[1]);
    const stored = await env.REGISTRY.prepare("SELECT * FROM keys WHERE id = ?1").bind(id).first();
    expect(JSON.stringify(stored)).not.toContain(key.split(".")[1]);
    expect(stored?.["used_day"]).toBe(Math.floor(Date.now() / 86_400_000));
  });

  test("a revoked key is refused", async () => {
    const { id, key } = await newKey({ kind: "read" });
    expect(await code(await deployed("/api/sessions", { headers: bearer(key) }))).toBe("ok");
    await deployed(`/api/keys/${id}`, { method: "DELETE", headers: bearer(SECRET) });
    expect(await code(await deployed("/api/sessions", { headers: bearer(key) }))).toBe(
      "unauthorized",
    );
    expect(
      await code(await deployed("/api/keys/none", { method: "DELETE", headers: bearer(SECRET) })),
    ).toBe("not_found");
  });

  test("a key for one product neither sees nor writes another's sessions", async () => {
    const as =
      (key: string): Server =>
      (path, init) =>
        deployed(path, withKey(key, init));
    const admin = as(SECRET);
    const reader = as((await newKey({ kind: "read", product: "game" })).key);
    const writer = as((await newKey({ kind: "ingest", product: "game" })).key);
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
    expect(await code(await writer(`/api/sessions/${shop}/state`, post({ a: 1 })))).toBe(
      "forbidden",
    );
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
    const routes = (
      id: string,
    ): [what: "read" | "ingest" | "admin", path: string, RequestInit][] => [
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
          const { key } = await newKey({ kind, product: "game" });
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
        ((await (await admin(`/api/sessions/${id}/summary`)).json()) as { product: string })
          .product;

      expect(await send("unnamed", [start()])).toBe("ok");
      expect(await productOf("unnamed")).toBe("game");
      expect(await send("without-start", [event])).toBe("ok");
      expect(await productOf("without-start")).toBe("game");
      expect(await send("without-start", [start("shop"), event], 2)).toBe("forbidden");
      expect(await send("without-start", [event, start("game"), start("shop")], 2)).toBe(
        "forbidden",
      );
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

  test("a page of another site may send batches with a key, by header or in the address, and nothing else", async () => {
    const origin = "https://app.example.com";
    const key = keys["ingest"] ?? "";
    const preflight = await deployed("/api/ingest", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    const batches = post({ batches: [{}] }, { origin });
    const answer = await deployed(`/api/ingest?key=${key}`, batches);
    expect([await code(answer.clone()), answer.headers.get("access-control-allow-origin")]).toEqual(
      ["ok", "*"],
    );
    expect(
      await code(
        await deployed("/api/ingest", post({ batches: [{}] }, { origin, ...bearer(key) })),
      ),
    ).toBe("ok");
    expect(await code(await deployed(`/api/ingest?key=wrong`, batches))).toBe("unauthorized");
    expect(await code(await deployed(`/api/sessions?key=${key}`, post({}, { origin })))).toBe(
      "forbidden",
    );
    expect(
      (await deployed("/api/sessions", { headers: { origin } })).headers.get(
        "access-control-allow-origin",
      ),
    ).toBeNull();
  });

  test("wrong keys are slowed down where there is a rate limit, right ones are not", async () => {
    let left = 2;
    const limited = server(
      { ADMIN_SECRET: SECRET, WRONG_KEYS: { limit: async () => ({ success: left-- > 0 }) } },
      HOME,
    );
    const codes = [];
    for (let n = 0; n < 3; n++)
      codes.push(await code(await limited("/api/sessions", { headers: bearer("wrong") })));
    expect(codes).toEqual(["unauthorized", "unauthorized", "too_many_requests"]);
    expect(await code(await limited("/api/sessions", { headers: bearer(SECRET) }))).toBe("ok");
    const refused = await limited("/api/sessions");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
  });
});

describe("on one machine", () => {
  test("only this machine's names are answered to", async () => {
    for (const name of ["localhost", "127.0.0.1", "[::1]"]) {
      for (const port of ["", ":8080", ":59123"]) {
        expect(
          await code(await server({ LOCAL: "1" }, `http://${name}${port}`)("/api/sessions")),
        ).toBe("ok");
      }
    }
    for (const name of [
      "datacat.example.org",
      "localhost.example.org",
      "192.168.1.5",
      "127.0.0.2",
      "0.0.0.0",
    ]) {
      expect(
        await code(await server({ LOCAL: "1" }, `http://${name}:8080`)("/api/sessions")),
        name,
      ).toBe("foreign_host");
    }
  });

  test("pages of other sites change nothing", async () => {
    const local = server();
    for (const origin of [
      "https://evil.example.org",
      "null",
      "http://localhost.evil.org",
      "http://localhost:3000",
    ]) {
      expect(await code(await local("/api/sessions", post({}, { origin }))), origin).toBe(
        "forbidden",
      );
    }
    expect(
      await code(await local("/api/sessions", post({}, { "sec-fetch-site": "cross-site" }))),
    ).toBe("forbidden");
    expect(
      await code(await local("/api/sessions", post({}, { origin: "http://localhost:8080" }))),
    ).toBe("ok");
  });

  test("a page that is developed on this machine may record", async () => {
    const local = server();
    const batches = { batches: [{}] };
    expect(
      await code(await local("/api/ingest", post(batches, { origin: "http://localhost:3000" }))),
    ).toBe("ok");
    expect(
      await code(await local("/api/ingest", post(batches, { origin: "https://evil.example.org" }))),
    ).toBe("forbidden");
    expect(
      await code(
        await local(
          "/api/ingest?key=x",
          post(batches, { origin: "https://evil.example.org", authorization: "Bearer x" }),
        ),
      ),
    ).toBe("forbidden");
  });

  test("a socket that another site's page opens is refused before its session is asked", async () => {
    const local = server();
    const id = await open(local);
    const upgrade = { upgrade: "websocket" };
    expect(
      await code(
        await local(`/api/sessions/${id}/live`, {
          headers: { ...upgrade, origin: "https://evil.example.org" },
        }),
      ),
    ).toBe("forbidden");
    const response = await local(`/api/sessions/${id}/live`, {
      headers: { ...upgrade, origin: "http://localhost:8080" },
    });
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    response.webSocket?.close();
  });
});

describe("the pages' cookie", () => {
  test("lets its own pages in for 30 days, and no others", async () => {
    const { signIn, hasCookie } = await import("../../src/access/cookie.ts");
    const { Hono } = await import("hono");
    const app = new Hono();
    app.post("/login", async (c) => c.text(String(await signIn(c, await c.req.text()))));
    app.get("/", async (c) => c.text(String(await hasCookie(c, SECRET))));
    const settings = { ...env, ADMIN_SECRET: SECRET };
    const wrong = await app.request(`${HOME}/login`, post("wrong"), settings);
    expect([await wrong.text(), wrong.headers.get("set-cookie")]).toEqual(["false", null]);

    const right = await app.request(`${HOME}/login`, post(SECRET), settings);
    const cookie = right.headers.get("set-cookie") ?? "";
    for (const part of [
      "__Host-datacat=",
      "HttpOnly",
      "Secure",
      "SameSite=Lax",
      "Path=/",
      "Max-Age=2592000",
    ])
      expect(cookie).toContain(part);
    expect(cookie).not.toContain("Domain");

    const headers = { cookie: cookie.split(";")[0] ?? "" };
    expect(await (await app.request(`${HOME}/`, { headers }, settings)).text()).toBe("true");
    const forged = { cookie: headers.cookie.replace(/=\d+/, "=99999999999") };
    expect(await (await app.request(`${HOME}/`, { headers: forged }, settings)).text()).toBe(
      "false",
    );

    expect(await code(await deployed("/api/sessions", { headers }))).toBe("ok");
    expect(await code(await deployed("/api/sessions", { headers: forged }))).toBe("unauthorized");
    expect(
      await code(await server({ ADMIN_SECRET: "another" }, HOME)("/api/sessions", { headers })),
    ).toBe("unauthorized");
    expect(
      await code(await deployed("/api/sessions", post({}, { ...headers, origin: HOME }))),
    ).toBe("ok");
    expect(
      await code(
        await deployed(
          "/api/sessions",
          post({}, { ...headers, origin: "https://evil.example.org" }),
        ),
      ),
    ).toBe("forbidden");
  });
});

test("answers carry the headers that restrict a browser", async () => {
  const { headers } = await server()("/api/sessions");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
});
