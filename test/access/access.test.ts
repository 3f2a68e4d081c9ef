import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { Env } from "../../src/env.ts";
import worker, { owner } from "../../src/index.ts";
import { open, post, server, withKey } from "../api/server.ts";
import { SECRET, HOME, deployed, bearer, code, newKey, REQUESTS, may } from "./world.ts";

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
    let address = 0;
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
        const asked = withKey(key, init);
        const headers = new Headers(asked.headers);
        headers.set("cf-connecting-ip", `10.0.${++address}.1`); // one network is slowed down
        expect(await code(await deployed(path, { ...asked, headers })), key).toBe("unauthorized");
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

  test("a page of another site may send batches with a key, and read the answer", async () => {
    const origin = "https://app.example.com";
    const preflight = await deployed("/api/ingest", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    const batches = post({ batches: [{}] }, { origin, ...bearer(keys["ingest"] ?? "") });
    const answer = await deployed("/api/ingest", batches);
    expect([await code(answer.clone()), answer.headers.get("access-control-allow-origin")]).toEqual(
      ["ok", "*"],
    );
    expect(
      (await deployed("/api/sessions", { headers: { origin } })).headers.get(
        "access-control-allow-origin",
      ),
    ).toBeNull();
  });

  test("a key with origins is for pages of these alone, and only such a key may be in an address", async () => {
    const origin = "https://game.example.org";
    const send = async (key: string, from: Record<string, string>, inAddress: boolean) => {
      const headers = inAddress ? from : { ...from, ...bearer(key) };
      const path = inAddress ? `/api/ingest?key=${key}` : "/api/ingest";
      return code(await deployed(path, post({ batches: [{}] }, headers)));
    };
    const bound = { kind: "ingest", product: "game" };
    const { key } = await newKey({ ...bound, origins: [`${origin}/`, "http://localhost:3000"] });
    for (const inAddress of [false, true]) {
      expect(await send(key, { origin }, inAddress)).toBe("ok");
      expect(await send(key, { origin: "http://localhost:3000" }, inAddress)).toBe("ok");
      for (const other of ["https://evil.example.org", `${origin}.evil.org`, "null", HOME])
        expect(await send(key, { origin: other }, inAddress), other).toBe("forbidden");
      expect(await send(key, {}, inAddress), "a program").toBe("forbidden");
      expect(await send(`${key}A`, { origin }, inAddress)).toBe("unauthorized");
    }
    for (const other of [bound, { kind: "ingest", origins: [origin] }, { kind: "admin" }])
      expect(await send((await newKey(other)).key, { origin }, true)).toBe("forbidden");
    expect(await send(SECRET, { origin }, true)).toBe("unauthorized");
    expect(await code(await deployed(`/api/sessions?key=${key}`, post({}, { origin })))).toBe(
      "forbidden",
    );

    for (const origins of [["*"], ["game.example.org"], [`${origin}/play`], ["data:,x"], [""]])
      expect(
        await code(await deployed("/api/keys", post({ ...bound, origins }, bearer(SECRET)))),
      ).toBe("invalid_body");
    const reads = { kind: "read", origins: [origin] };
    expect(await code(await deployed("/api/keys", post(reads, bearer(SECRET))))).toBe(
      "invalid_body",
    );
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
    const refused = await limited("/api/sessions", { headers: bearer("wrong") });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
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

  test("who is not known to be the user who started the server needs the token", async () => {
    for (const [path] of [["/api/sessions"], ["/api/keys"], ["/api/data/sessions"]] as const) {
      const others = server({ LOCAL: "others", ADMIN_SECRET: SECRET });
      expect(await code(await others(path))).toBe("unauthorized");
      expect(await code(await others(path, { headers: bearer(SECRET) }))).toBe("ok");
    }
    const others = server({ LOCAL: "others", ADMIN_SECRET: SECRET });
    const signedIn = await others(`/settings?token=${encodeURIComponent(SECRET)}`);
    expect([signedIn.status, signedIn.headers.get("location")]).toEqual([303, "/settings"]);
    const cookie = signedIn.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^datacat_8080=[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/);
    const page = await others("/settings", { headers: { cookie: cookie.replace(/;.*/, "") } });
    expect(page.status).toBe(200);
    // The user who started it needs no cookie, which a browser sends to every port of this machine.
    const own = await server({ LOCAL: "1", ADMIN_SECRET: SECRET })(
      `/settings?token=${encodeURIComponent(SECRET)}`,
      { redirect: "manual" },
    );
    expect([own.headers.get("location"), own.headers.get("set-cookie")]).toEqual([
      "/settings",
      null,
    ]);
    // A path that a browser would read as another host.
    const away = await others(`//evil.example.org/?token=${encodeURIComponent(SECRET)}`);
    expect(away.headers.get("location") ?? "/").toMatch(/^\/(?![/\\])/);
  });

  test("the user who started the server needs none, and only on a local server", async () => {
    const ask = async (settings: Partial<Env>) => {
      const context = createExecutionContext();
      const request = new Request("http://localhost:8080/api/sessions");
      return owner.fetch(
        request as Parameters<typeof owner.fetch>[0],
        { ...env, ...settings },
        context,
      );
    };
    expect(await code(await ask({ LOCAL: "others", ADMIN_SECRET: SECRET }))).toBe("ok");
    expect(await code(await ask({ LOCAL: undefined, ADMIN_SECRET: SECRET }))).toBe("unauthorized");
    expect(await code(await ask({}))).toBe("locked");
  });

  test("a deployed server takes no token from an address", async () => {
    const answer = await deployed(`/settings?token=${encodeURIComponent(SECRET)}`);
    expect(answer.headers.get("set-cookie")).toBeNull();
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

test("answers carry the headers that restrict a browser", async () => {
  const { headers } = await server()("/api/sessions");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
});
