/**
 * Every route, read from the routers, with every kind of credential: the status, the headers, and that nothing recorded of another product
 * is in an answer. What a route needs is read from the README's table, so the table and the server agree.
 */
import { createHash } from "node:crypto";
import { env } from "cloudflare:workers";
import { testKey } from "../../src/core/tests/id.ts";
import { beforeAll, describe, expect, test } from "vitest";
import readme from "../../README.md?raw";
import { api } from "../../src/api/index.ts";
import { pages } from "../../src/pages/index.ts";
import { open, post, server, type Server, withKey } from "../api/server.ts";
import { deployed, HOME, newKey, SECRET, signIn } from "./world.ts";

/** In everything that is recorded of the product that the keys of "game" must not read. */
const MARK = "belongs-to-shop";
/** Of the content of its attachment, which is the mark. */
const SHA256 = createHash("sha256").update(MARK).digest("hex");
const ORIGIN = "https://game.example.org";
const FINGERPRINT = "0123456789abcdef";
const admin: Server = (path, init) => deployed(path, withKey(SECRET, init));

type Route = {
  method: string;
  path: string;
  needs: "none" | "read" | "ingest" | "upload" | "admin";
};

const table = /<!-- routes -->(.*)<!-- \/routes -->/s.exec(readme)?.[1] ?? "";
const needs = new Map(
  [...table.matchAll(/^\| `([A-Z]+ \S+)` \| (\w+) \|/gm)].map(([, route, kind]) => [route, kind]),
);
const API: Route[] = routesOf(api, "/api").map(({ method, path }) => {
  const kind = needs.get(`${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  return { method, path, needs: kind as Route["needs"] }; // as: the table's column
});
/** Pages that everyone may open. */
const PUBLIC = ["/icon/:name", "/favicon.ico", "/login", "/logout", "/preferences"];
const PAGES = routesOf(pages, "").filter(({ path }) => !path.includes("*"));

function routesOf({ routes }: typeof api, prefix: string) {
  const found = routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => ({
      method,
      path: `${prefix}${path.replace(/\{[^}]*\}/, "")}`.replace(/(?<=.)\/$/, ""),
    }));
  return [...new Map(found.map((route) => [`${route.method} ${route.path}`, route])).values()];
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+")}$`);
}

/** The address of a route for a session of the product shop. */
function addressOf(path: string, session: string): string {
  const values: Record<string, string> = {
    ":id": path.includes("/keys/") ? "000000000000" : session,
    ":name": path.startsWith("/icon") ? "none.svg" : "frames",
    ":fingerprint": FINGERPRINT,
    ":attachment": "lane.1",
    ":chunk": "0",
    ":key": testKey([MARK]),
    ":what": "events",
    ":file": "0.svg",
    ":guide": "moving",
  };
  return path.replaceAll(/:\w+/g, (name) => values[name] ?? name);
}

let asked = 0;

/** Each request comes from a network of its own, because wrong secrets of one are slowed. */
function request({ method }: { method: string }, headers: Record<string, string>): RequestInit {
  const body = method === "POST" ? "{}" : method === "PUT" ? MARK : undefined;
  const from = { origin: HOME, "cf-connecting-ip": `10.${asked++ >> 8}.${asked & 255}.1` };
  return { method, body, headers: { ...from, ...headers }, redirect: "manual" };
}

/** A session of the product shop with the mark in all that is shown of one. */
async function record(): Promise<string> {
  const id = await open(admin, { product: MARK, version: MARK });
  const ops = [
    { op: "state", at: 2, patch: { [MARK]: MARK } },
    { op: "event", at: 3, name: `event-${MARK}`, data: { [MARK]: MARK } },
    { op: "metric", at: 4, type: "gauge", name: "frames", value: 1, tags: [MARK] },
    {
      op: "event",
      at: 5,
      name: "exception",
      exception_type: MARK,
      exception_msg: MARK,
      fingerprint: FINGERPRINT,
    },
    { op: "attachment", at: 6, id: "lane.1", name: MARK, size: MARK.length, sha256: SHA256 },
    { op: "event", at: 6, name: "test", message: MARK, test: { id: [MARK], result: "failed" } },
    { op: "end", at: 6 },
  ];
  const batch = { session: id, lane: "l", first: 1, last: ops.length, ops };
  await admin("/api/ingest", post({ batches: [batch] }));
  const content = { method: "PUT", body: MARK };
  await admin(`/api/sessions/${id}/attachments/lane.1/chunks/0`, content);
  await admin("/api/reindex", post({ sessions: [id] }));
  return id;
}

type Credential = {
  /** How it is sent; asked for each request, because some requests end it. */
  headers: () => Promise<Record<string, string>> | Record<string, string>;
  /** Of the key; undefined if it lets in nowhere. */
  kind?: "ingest" | "read" | "upload" | "admin";
  /** "own": of the session's product; "other": of another one. Undefined: of all. */
  bound?: "own" | "other";
  /** Opens pages. */
  person?: true;
  key?: true;
  ask?: Server;
};

const ids = { session: "" };
const credentials: Record<string, Credential> = {};

beforeAll(async () => {
  ids.session = await record();
  await open(admin, { product: "game" });
  const add = async (name: string, body: object, credential: Partial<Credential>) => {
    const { id, key } = await newKey({ label: name, ...body });
    const headers = () => ({ authorization: `Bearer ${key}` });
    credentials[name] = { headers, key: true, ...credential };
    return id;
  };
  const none = () => ({});
  credentials["none"] = { headers: none };
  credentials["a wrong key"] = {
    headers: () => ({ authorization: `Bearer ${"dc_admin_000000000000.".padEnd(65, "A")}` }),
    key: true,
  };
  for (const kind of ["ingest", "read", "upload", "admin"] as const) {
    await add(kind, { kind, continues_others: true }, { kind });
    await add(
      `${kind} of this product`,
      { kind, product: MARK, continues_others: true },
      { kind, bound: "own" },
    );
    await add(
      `${kind} of another product`,
      { kind, product: "game", continues_others: true },
      { kind, bound: "other" },
    );
  }
  const revoked = await add("a revoked key", { kind: "admin" }, {});
  await admin(`/api/keys/${revoked}`, { method: "DELETE" });
  const origins = [ORIGIN];
  await add(
    "a key of another origin",
    { kind: "ingest", origins },
    { kind: "ingest", bound: "other" },
  );
  credentials["the secret"] = {
    headers: () => ({ authorization: `Bearer ${SECRET}` }),
    key: true,
    kind: "admin",
  };

  const [out, old, own] = [await signIn(), await signIn(), await signIn()];
  await deployed("/logout", { method: "POST", headers: { cookie: out.cookie, origin: HOME } });
  await env.REGISTRY.prepare("UPDATE sign_ins SET used_at = ?1 WHERE id = ?2")
    .bind(Date.now() - 7 * 86_400_000, /=([\w-]+)\./.exec(old.cookie)?.[1])
    .run();
  credentials["a cookie that was signed out"] = { headers: () => ({ cookie: out.cookie }) };
  credentials["a cookie that was not used for 7 days"] = {
    headers: () => ({ cookie: old.cookie }),
  };
  credentials["a forged cookie"] = {
    headers: () => ({
      cookie: own.cookie.replace(/=(.)/, (_, first) => `=${first === "a" ? "b" : "a"}`),
    }),
  };
  const cookie = { value: own.cookie };
  credentials["a cookie"] = {
    headers: async () => {
      const works = await deployed("/docs", {
        headers: { cookie: cookie.value },
        redirect: "manual",
      });
      if (works.status !== 200) cookie.value = (await signIn()).cookie;
      return { cookie: cookie.value };
    },
    kind: "admin",
    person: true,
  };
  const local = { origin: "http://localhost:8080" };
  credentials["this user of this machine"] = {
    headers: () => local,
    ask: server({ LOCAL: "1" }),
    kind: "admin",
    person: true,
  };
  credentials["another user of this machine"] = {
    headers: () => local,
    ask: server({ LOCAL: "others", ADMIN_SECRET: SECRET }),
  };
});

const CREDENTIALS = `none, a wrong key, a revoked key, a key of another origin, the secret,
  ingest, ingest of this product, ingest of another product, read, read of this product, read of another product,
  upload, upload of this product, upload of another product, admin, admin of this product, admin of another product, a cookie, a cookie that was signed out,
  a cookie that was not used for 7 days, a forged cookie, this user of this machine, another user of this machine`.split(
  /,\s+/,
);

/** What every answer has, for each credential. */
async function checkAnswer(what: string, answer: Response, mayShow: boolean): Promise<void> {
  const { headers, status } = answer;
  expect(status, what).toBeLessThan(500);
  expect(headers.get("x-content-type-options"), what).toBe("nosniff");
  expect(headers.get("content-security-policy"), what).toContain("default-src 'none'");
  expect(headers.get("cross-origin-resource-policy"), what).toBe(
    what.includes("/api/ingest") ? "cross-origin" : "same-origin",
  );
  if (!what.includes("/icon/"))
    expect(headers.get("cache-control"), what).toBe("private, no-store");
  answer.webSocket?.accept();
  answer.webSocket?.close();
  const body = await answer.text();
  if (body !== "") expect(headers.get("content-type"), what).toMatch(/^[a-z]+\/[\w.+-]+/);
  if (!mayShow) expect(body, what).not.toContain(MARK);
}

/** The status that an API route must answer; undefined: anything but 401 and 403. */
function expectedOf(
  { path, needs: needed }: Route,
  { kind, bound }: Pick<Credential, "kind" | "bound">,
): number | undefined {
  if (needed === "none") return undefined;
  if (kind === undefined) return 401;
  if (kind !== "admin" && kind !== needed) return 403;
  if (/^\/api\/(keys|audit|reindex)/.test(path)) return bound ? 403 : undefined;
  return bound === "other" && path.startsWith("/api/sessions/:id") ? 403 : undefined;
}

describe.each(CREDENTIALS)("%s", (name) => {
  const credential = () => {
    const found = credentials[name];
    if (!found) throw new Error(`There is no credential "${name}".`);
    return { ask: deployed, ...found };
  };

  test("in the API", async () => {
    const { ask, headers, ...own } = credential();
    const mayShow = own.kind !== undefined && own.bound !== "other";
    for (const route of [...API, { method: "GET", path: "/health", needs: "none" } as Route]) {
      const id = route.method === "DELETE" ? await record() : ids.session;
      const upgrade = route.path.endsWith("/live") ? { upgrade: "websocket" } : undefined;
      const init = request(route, { ...upgrade, ...(await headers()) });
      const answer = await ask(addressOf(route.path, id), init);
      const what = `${route.method} ${route.path}`;
      const refusal =
        name === "a key of another origin" && route.needs !== "none" ? 403 : undefined;
      const expected = refusal ?? expectedOf(route, own);
      const status = [401, 403].includes(answer.status) ? answer.status : undefined;
      expect(status, what).toBe(expected);
      await checkAnswer(what, answer, mayShow && expected === undefined);
      if (route.method !== "GET" || expected === undefined || upgrade) continue;
      const bare = await ask(addressOf(route.path, id), { ...init, method: "HEAD" });
      expect([bare.status, await bare.text()], `HEAD ${route.path}`).toEqual([answer.status, ""]);
    }
  });

  test("on pages and their fragments", async () => {
    const { ask, headers, person, key } = credential();
    for (const route of PAGES) {
      const isPublic = PUBLIC.includes(route.path);
      for (const more of [{}, { "hx-request": "true" }] as Record<string, string>[]) {
        if (route.method === "POST" && person && "hx-request" in more) continue;
        const upgrade: Record<string, string> = route.path.endsWith("/live")
          ? { upgrade: "websocket" }
          : {};
        const init = request(route, { ...upgrade, ...more, ...(await headers()) });
        if (route.method === "POST")
          init.body = new URLSearchParams({ secret: "wrong", what: "x" });
        const id = route.path.endsWith("/delete") ? await record() : ids.session;
        const answer = await ask(addressOf(route.path, id), init);
        const what = `${route.method} ${route.path} ${JSON.stringify(more)}`;
        await checkAnswer(what, answer, person === true);
        if (isPublic) continue;
        const isPage = route.method === "GET" && !("hx-request" in more) && !("upgrade" in upgrade);
        const isSentToLogin = answer.headers.get("location")?.startsWith("/login") ?? false;
        const status = [401, 403].includes(answer.status) ? answer.status : undefined;
        expect([status, isSentToLogin], what).toEqual(
          person
            ? [undefined, false]
            : key
              ? [403, false]
              : isPage
                ? [undefined, true]
                : [401, false],
        );
      }
    }
  });
});

test.each(["a cookie", "this user of this machine"])(
  "a page of another site changes nothing with %s, also by htmx",
  async (name) => {
    const { ask = deployed, headers }: Credential = credentials[name] ?? { headers: () => ({}) };
    const unsafe = [...API, ...PAGES].filter(({ method }) => method !== "GET");
    expect(unsafe.length).toBeGreaterThan(30);
    for (const { method, path } of unsafe) {
      for (const from of [
        { origin: "https://evil.example.org" },
        { origin: "null" },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site", "hx-request": "true" },
      ] as Record<string, string>[]) {
        const { cookie } = await headers();
        const own: Record<string, string> = cookie === undefined ? {} : { cookie };
        const init = { method, headers: { ...own, ...from }, redirect: "manual" } as const;
        const answer = await ask(addressOf(path, ids.session), init);
        expect(answer.status, `${method} ${path} ${JSON.stringify(from)}`).toBe(403);
      }
    }
  },
);

test("other methods are refused, and answer nothing that is recorded", async () => {
  const paths = [...new Set([...API, ...PAGES].map(({ path }) => path))];
  for (const path of paths) {
    // "/api/sessions/import" is the address of a session with the id "import", too.
    const own = [...API, ...PAGES].filter((route) => patternOf(route.path).test(path));
    for (const method of ["OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
      if (own.some((route) => route.method === method)) continue;
      const what = `${method} ${path}`;
      for (const headers of [{ origin: HOME }, await credentials["a cookie"]?.headers()]) {
        const answer = await deployed(addressOf(path, ids.session), {
          method,
          headers: { origin: HOME, ...headers },
          redirect: "manual",
        });
        // Some routes of the API check the key before the method.
        const refusals = path.startsWith("/api") ? [401, 405] : [302, 401, 403, 404];
        const expected = /^OPTIONS \/api\/(ingest|.*\/chunks)/.test(what) ? [204] : refusals;
        expect(expected, `${what} ${answer.status}`).toContain(answer.status);
        await checkAnswer(what, answer, false);
      }
    }
  }
});

test("every route of the API has a kind of key in the README", () => {
  expect(API.length).toBeGreaterThan(40);
  expect(API.filter((route) => route.needs === undefined)).toEqual([]);
  expect(PAGES.length).toBeGreaterThan(40);
});

test("static files have the headers of every other answer", async () => {
  const other = await deployed("/health");
  for (const path of ["/page.js", "/styles/bar.css", "/vendor/htmx-4.0.1.min.js"]) {
    const file = await env.ASSETS.fetch(`${HOME}${path}`);
    expect(file.status, path).toBe(200);
    expect(file.headers.get("content-type"), path).toMatch(/^(text|image)\//);
    for (const [header, value] of other.headers)
      if (!/^(cache-control|content-)(?!security)/.test(header))
        expect(file.headers.get(header), `${path} ${header}`).toBe(value);
  }
});
