import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import { MAX_BODY_BYTES } from "../../src/core/limits.ts";
import { MAX_MAP_BYTES } from "../../src/core/sourcemaps/limits.ts";
import { expireSourceMaps } from "../../src/jobs/source-maps.ts";
import { listAudit } from "../../src/registry/audit.ts";
import { listSourceMaps } from "../../src/registry/source-maps.ts";
import { resolvePositions } from "../../src/sourcemaps/client.ts";
import { bearer, code, deployed, newKey, SECRET } from "../access/world.ts";
import { gzip, server, withKey, type Server } from "../api/server.ts";
import { address, crash, FILE, MAP, put, SOURCE } from "./world.ts";

const ask = server();
const json = async <Answer>(answer: Response | Promise<Answer | Response>) =>
  (await ((await answer) as Response).json()) as Answer;
type Listed = {
  items: { file: string; sha256: string; stored_bytes: number; version: string; files: number }[];
};

describe("uploading", () => {
  test("a map is stored compressed, listed, replaced and deleted", async () => {
    const release = { product: "game", version: "1.0" };
    const stored = await json<Listed["items"][0]>(put(ask, release));
    expect(stored).toMatchObject({
      file: "assets/app-1f2e3d4c.js",
      bytes: JSON.stringify(MAP).length,
      uploaded_by: "this machine",
      debug_id: null,
    });
    const hash = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(MAP))),
    );
    expect(stored.sha256).toBe(
      [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    );
    await put(ask, { ...release, file: "b.js" }, { ...MAP, debugId: "0b5a" });
    await put(ask, { ...release, file: "/b.js" }, { ...MAP, debugId: "0b5b" });
    const { items } = await json<Listed>(ask(address(release)));
    expect(items).toMatchObject([
      { file: "assets/app-1f2e3d4c.js" },
      { file: "b.js", debug_id: "0b5b" },
    ]);
    expect(await json(ask("/api/sourcemaps"))).toMatchObject({
      items: [
        { ...release, files: 2, bytes: items.reduce((sum, each) => sum + each.stored_bytes, 0) },
      ],
    });

    const gone = (path: string) => ask(path, { method: "DELETE" });
    expect(await json(gone(address({ ...release, file: "b.js" })))).toEqual({
      ...release,
      files: 1,
    });
    expect((await gone(address({ ...release, file: "b.js" }))).status).toBe(404);
    expect(await json(gone(address(release)))).toEqual({ ...release, files: 1 });
    expect((await gone(address(release))).status).toBe(404);
    expect(await json(ask("/api/sourcemaps"))).toMatchObject({ items: [] });
    const { items: audit } = await listAudit(env.REGISTRY, 10);
    expect(audit.map(({ action, subject, count }) => [action, subject, count])).toEqual(
      expect.arrayContaining([
        ["source_maps_uploaded", "game 1.0", 3],
        ["source_maps_deleted", "game 1.0", 2],
      ]),
    );
  });

  test("the same map again writes nothing into its object", async () => {
    const release = { product: "game", version: "same" };
    const first = await (await put(ask, release)).text();
    expect(await (await put(ask, release)).text()).toBe(first);
  });

  test("a version that the registry lost is listed again when its files are asked for", async () => {
    const release = { product: "game", version: "lost" };
    await put(ask, release);
    await env.REGISTRY.prepare("DELETE FROM source_maps WHERE version = 'lost'").run();
    expect((await json<Listed>(ask(address(release)))).items.length).toBe(1);
    const { items } = await json<Listed>(ask(address({ product: "game" })));
    expect(items.find(({ version }) => version === "lost")).toMatchObject({ files: 1 });
  });

  test("a deleted version leaves no table, so its object costs nothing", async () => {
    const release = { product: "game", version: "gone" };
    await put(ask, release);
    await ask(address(release), { method: "DELETE" });
    expect(await json(ask(address(release)))).toEqual({ items: [], next: null });
    const found = await resolvePositions(env, release, [
      { file: FILE, line: 1, column: 10, withExcerpt: true },
    ]);
    expect(found.size).toBe(0);
  });
});

describe("refused with nothing changed", () => {
  const release = { product: "game", version: "refused" };

  test.each([
    ["no version", "/api/sourcemaps?product=game&file=a.js", "invalid_query"],
    ["an empty product", "/api/sourcemaps?product=&version=1&file=a.js", "invalid_query"],
    ["no file", "/api/sourcemaps?product=game&version=1", "invalid_query"],
    [
      "a file that is no path",
      "/api/sourcemaps?product=game&version=1&file=..%2F..",
      "invalid_query",
    ],
    [
      "a long path",
      `/api/sourcemaps?product=game&version=1&file=${"a/".repeat(1_500)}`,
      "invalid_query",
    ],
  ])("%s", async (_, path, expected) => {
    expect(await code(await ask(path, { method: "PUT", body: JSON.stringify(MAP) }))).toBe(
      expected,
    );
  });

  test.each([
    ["no JSON", "hello", "invalid_body"],
    ["no map", "{}", "invalid_body"],
    ["mappings that are no VLQ", { ...MAP, mappings: "!" }, "invalid_body"],
    ["a source that there is not", { ...MAP, sources: [] }, "invalid_body"],
    ["another version", { ...MAP, version: 4 }, "invalid_body"],
    [
      "invalid UTF-8 in a source",
      `{"version":3,"sources":["\uD800"],"mappings":"A!"}`,
      "invalid_body",
    ],
  ])("%s", async (_, map, expected) => {
    expect(await code(await put(ask, release, map))).toBe(expected);
    expect(await json(ask(address(release)))).toEqual({ items: [], next: null });
  });

  test("a body or a map over the limit, and a body that is no gzip", async () => {
    const path = address({ ...release, file: "a.js" });
    const large = await ask(path, { method: "PUT", body: new Uint8Array(MAX_BODY_BYTES + 1) });
    expect(await code(large)).toBe("too_large");
    const bomb = await gzip(`{"version":3,"x":"${" ".repeat(MAX_MAP_BYTES)}"}`);
    const headers = { "content-encoding": "gzip" };
    expect(await code(await ask(path, { method: "PUT", body: bomb, headers }))).toBe("too_large");
    expect(await code(await ask(path, { method: "PUT", body: "x", headers }))).toBe(
      "invalid_encoding",
    );
    const br = { "content-encoding": "br" };
    expect(await code(await ask(path, { method: "PUT", body: "x", headers: br }))).toBe(
      "invalid_encoding",
    );
    expect(await json(ask("/api/sourcemaps?product=game&version=refused"))).toMatchObject({
      items: [],
    });
  });

  test("a map that is refused in the middle keeps the one before", async () => {
    const version = { product: "game", version: "kept" };
    await put(ask, version);
    const cut = { ...MAP, mappings: `${MAP.mappings};${"AAAA,".repeat(100_000)}!` };
    expect(await code(await put(ask, version, cut))).toBe("invalid_body");
    const { items } = await json<Listed>(ask(address(version)));
    expect(items).toMatchObject([{ bytes: JSON.stringify(MAP).length }]);
    const found = await resolvePositions(env, version, [
      { file: FILE, line: 1, column: 10, withExcerpt: false },
    ]);
    expect([...found.values()]).toMatchObject([{ file: "src/door.ts", line: 3 }]);
  });
});

describe("keys", () => {
  const keys: Record<string, string> = {};
  const as =
    (name: string): Server =>
    (path, init) =>
      deployed(path, withKey(keys[name] ?? "", init));

  beforeAll(async () => {
    for (const kind of ["upload", "read", "ingest", "admin"])
      keys[kind] = (await newKey({ kind })).key;
    keys["upload of game"] = (await newKey({ kind: "upload", product: "game" })).key;
    keys["admin of game"] = (await newKey({ kind: "admin", product: "game" })).key;
    await put((path, init) => deployed(path, withKey(SECRET, init)), {
      product: "shop",
      version: "1",
    });
  });

  test("an upload key uploads and lists, and reads and records nothing", async () => {
    expect((await put(as("upload"), { product: "game", version: "k" })).status).toBe(200);
    expect((await as("upload")(address({ product: "game", version: "k" }))).status).toBe(200);
    for (const path of ["/api/sessions", "/api/exceptions", "/api/keys"])
      expect((await as("upload")(path)).status, path).toBe(403);
    expect((await as("upload")("/api/ingest", { method: "POST", body: "{}" })).status).toBe(403);
    expect(
      (await as("upload")(address({ product: "game", version: "k" }), { method: "DELETE" })).status,
    ).toBe(403);
    for (const kind of ["read", "ingest"]) {
      expect((await put(as(kind), { product: "game", version: "k" })).status, kind).toBe(403);
      expect((await as(kind)("/api/sourcemaps")).status, kind).toBe(403);
    }
  });

  test("a key of one product has to do with its maps only", async () => {
    const own = as("upload of game");
    expect((await put(own, { product: "game", version: "k" })).status).toBe(200);
    expect(await code(await put(own, { product: "shop", version: "1" }))).toBe("forbidden");
    expect(await code(await own(address({ product: "shop", version: "1" })))).toBe("forbidden");
    expect(await (await own("/api/sourcemaps")).text()).not.toContain("shop");
    const admin = as("admin of game");
    expect(
      await code(await admin(address({ product: "shop", version: "1" }), { method: "DELETE" })),
    ).toBe("forbidden");
    expect(await (await admin("/api/sourcemaps")).text()).not.toContain("shop");
  });

  test("no address answers a map, its sources or its names", async () => {
    for (const path of ["/api/sourcemaps", address({ product: "shop", version: "1" })]) {
      const answer = await deployed(path, { headers: bearer(SECRET) });
      expect(answer.headers.get("cache-control")).toBe("private, no-store");
      const text = await answer.text();
      expect(text).toMatch(/shop|app-1f2e3d4c/);
      for (const part of ["openDoor", "src/door.ts", SOURCE.slice(0, 10), MAP.mappings])
        expect(text).not.toContain(part);
    }
  });

  test("uploads count in the budgets of their key", async () => {
    const { id, key } = await newKey({ kind: "upload", requests_per_minute: 2 });
    keys["small"] = key;
    const uploads = [];
    for (const version of ["1", "2", "3"])
      uploads.push((await put(as("small"), { product: "game", version })).status);
    expect(uploads).toEqual([200, 200, 429]);
    const { items } = await json<{ items: { id: string; used_today: { object_rows: number } }[] }>(
      deployed("/api/keys", { headers: bearer(SECRET) }),
    );
    // Two maps, each of a row for itself and blocks of mappings, names, sources and contents.
    expect(items.find((each) => each.id === id)?.used_today.object_rows).toBe(10);
  });
});

describe("expiry", () => {
  const DAY = 86_400_000;

  test("the maps of a version without sessions expire, those of one that is used do not", async () => {
    await put(ask, { product: "old", version: "unused" });
    await put(ask, { product: "old", version: "used" });
    await crash(ask, "of-used", { product: "old", version: "used" });
    await ask("/api/reindex", { method: "POST", body: JSON.stringify({ sessions: ["of-used"] }) });
    const versions = async () =>
      (await listSourceMaps(env.REGISTRY, "old", 10)).map(({ version }) => version);
    expect(await expireSourceMaps(env, Date.now() + 29 * DAY)).toBe(0);
    const later = Date.now() + 31 * DAY;
    expect(await expireSourceMaps({ ...env, DATACAT_RETENTION_DAYS: "0" }, later)).toBe(0);
    await expireSourceMaps(env, later);
    expect(await versions()).toEqual(["used"]);
    await ask("/api/sessions/of-used", { method: "DELETE" });
    expect(await expireSourceMaps(env, later + DAY)).toBe(0);
    await expireSourceMaps(env, later + 31 * DAY);
    expect(await versions()).toEqual([]);
  });
});

test("an object keeps blocks far below the limit of a row, also of a large map", async () => {
  const release = { product: "game", version: "large" };
  const content = Array.from({ length: 60_000 }, (_, line) => `const value${line} = ${line};`).join(
    "\n",
  );
  const mappings = `AAAA${",IACA".repeat(59_000)}`;
  await put(ask, release, { ...MAP, sourcesContent: [content], mappings });
  const name = new TextEncoder().encode(JSON.stringify(["game", "large"]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", name));
  const object = env.SOURCE_MAPS.getByName([...hash].map((byte) => byte.toString(16)).join("-"));
  const [row] = await runInDurableObject(object, (_, { storage }) =>
    storage.sql
      .exec<{ size: number; count: number }>(
        "SELECT max(length(block)) AS size, count(*) AS count FROM blocks",
      )
      .toArray(),
  );
  expect(row?.size).toBeLessThan(200_000);
  expect(row?.count).toBeGreaterThan(10);
  const asked = [{ file: FILE, line: 1, column: 4 * 50_000 + 1, withExcerpt: true }];
  const [found] = (await resolvePositions(env, release, asked)).values();
  expect(found).toMatchObject({ line: 50_001, excerpt: { first: 49_996 } });
  expect(found?.excerpt?.lines[5]).toBe("const value50000 = 50000;");
});
