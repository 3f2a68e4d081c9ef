import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { EventRow } from "../../src/core/answers/events.ts";
import type { Page } from "../../src/core/answers/page.ts";
import type { StackRow } from "../../src/core/answers/stacks.ts";
import type { Summary } from "../../src/core/answers/summary.ts";
import { RECORD_WAIT_MS } from "../../src/sourcemaps/limits.ts";
import { newKey, SECRET } from "../access/world.ts";
import { post, server, withKey } from "../api/server.ts";
import { crash, FILE, MAP, put, RESOLVED, SOURCE, STACK } from "../sourcemaps/world.ts";

const ask = server();
afterEach(() => void vi.restoreAllMocks());

async function get<Answer>(path: string): Promise<Answer> {
  return (await ask(path)).json();
}

const exceptionsOf = (id: string) =>
  get<Page<EventRow>>(`/api/sessions/${id}/events?exceptions=1`).then(({ items }) => items);

const LINES = SOURCE.split("\n");

test("an exception that was recorded before its maps is resolved when it is asked for", async () => {
  const release = { product: "before", version: "1" };
  await crash(ask, "before", release);
  const [plain] = await exceptionsOf("before");
  expect(plain?.resolved).toBeUndefined();
  await put(ask, release);
  const [event] = await exceptionsOf("before");
  expect(event).toMatchObject({
    stacktrace: STACK,
    fingerprint: plain?.fingerprint,
    resolved: {
      stacktrace: RESOLVED,
      sources: expect.arrayContaining([{ file: "src/door.ts", first: 1, lines: LINES }]),
    },
  });
  const { items } = await get<Page<StackRow>>("/api/sessions/before/stacks");
  expect(items[0]).toMatchObject({
    threads: [{ frames: STACK }],
    resolved: { threads: [RESOLVED] },
  });
});

test("stacks of a hang that the daemon has resolved are shown and named so, whatever maps are here", async () => {
  const release = { product: "hung", version: "1" };
  await put(ask, release);
  const resolved = {
    threads: [["    at openDoor (/game/src/door.ts:7:3)"]],
    sources: [{ file: "/game/src/door.ts", first: 7, lines: ["while (door.isLocked);"] }],
  };
  const at = Date.now();
  const stacks = { op: "stacks", at, when: "hung", threads: [{ frames: STACK }], resolved };
  const ops = [
    { op: "start", at: at - 9_000, ...release },
    { op: "heartbeat", at: at - 8_000, timeout_ms: 1_000 },
    { op: "hang", at: at - 1_000, last_heartbeat_at: at - 8_000 },
    stacks,
  ];
  const batch = { session: "hung", lane: "l", first: 1, last: ops.length, ops };
  await ask("/api/ingest", post({ batches: [batch] }));
  const { items } = await get<Page<StackRow>>("/api/sessions/hung/stacks");
  expect(items).toMatchObject([{ threads: [{ frames: STACK }], resolved }]);
  const { verdict } = await get<Summary>("/api/sessions/hung/summary");
  expect(verdict.headline).toBe("Hung in openDoor (door.ts:7)");
});

test("an exception that is recorded after its maps is grouped by them, in each build", async () => {
  const fingerprints: (string | undefined)[] = [];
  for (const [version, name] of [
    ["1", "app-1f2e3d4c"],
    ["2", "app-99aa88bb"],
  ] as const) {
    const release = { product: "after", version };
    await put(
      ask,
      { ...release, file: `assets/${name}.js` },
      { ...MAP, mappings: version === "1" ? MAP.mappings : `A,A,${MAP.mappings}` },
    );
    const stack = STACK.map((line) =>
      line.replace("app-1f2e3d4c", name).replace(/at \w /, version === "1" ? "at a " : "at bc "),
    );
    await crash(ask, `after-${version}`, { ...release, stack });
    const [event] = await exceptionsOf(`after-${version}`);
    expect(event?.resolved?.stacktrace).toEqual(RESOLVED);
    expect(event?.stacktrace).toEqual(stack);
    fingerprints.push(event?.fingerprint);
  }
  expect(fingerprints[0]).toBe(fingerprints[1]);
  // Stored with it: the maps may be deleted.
  await ask("/api/sourcemaps?product=after&version=1", { method: "DELETE" });
  expect((await exceptionsOf("after-1"))[0]?.resolved?.stacktrace).toEqual(RESOLVED);
  const [kind] = await get<{ place: string }[]>("/api/sessions/after-1/summary").then(async () => {
    await ask("/api/reindex", post({ sessions: ["after-1", "after-2"] }));
    const { items } = await get<Page<{ place: string; sessions: number }>>(
      "/api/exceptions?product=after",
    );
    return items;
  });
  expect(kind).toMatchObject({ place: "openDoor (door.ts:3)", sessions: 2 });
});

test("the maps of another version, another product or another file change nothing", async () => {
  await put(ask, { product: "mine", version: "1" });
  await crash(ask, "other-version", { product: "mine", version: "2" });
  await crash(ask, "other-product", { product: "yours", version: "1" });
  const stack = STACK.map((line) => line.replace("app-1f2e3d4c", "vendor"));
  await crash(ask, "other-file", { product: "mine", version: "1", stack });
  // Of another build: the line that the frame names is not in the map.
  const outside = STACK.map((line) => line.replace(":1:", ":7:"));
  await crash(ask, "other-build", { product: "mine", version: "1", stack: outside });
  for (const id of ["other-version", "other-product", "other-file", "other-build"])
    expect((await exceptionsOf(id))[0]?.resolved, id).toBeUndefined();
});

test("requests of one session are applied in their order while one waits for maps", async () => {
  const release = { product: "order", version: "1" };
  await put(ask, release);
  const at = Date.now();
  const exception = { exception_type: "Error", stacktrace: STACK };
  const batches = Array.from({ length: 12 }, (_, index) => {
    const more = index % 3 === 0 ? exception : {};
    const op =
      index === 0 ? { op: "start", ...release } : { op: "event", name: `e${index}`, ...more };
    return {
      session: "order",
      lane: "l",
      first: index + 1,
      last: index + 1,
      ops: [{ at: at + index, ...op }],
    };
  });
  const answers = await Promise.all(
    batches.map((batch) => ask("/api/ingest", post({ batches: [batch] }))),
  );
  for (const answer of answers) expect(await answer.text()).not.toContain("error");
  const { items } = await get<Page<EventRow>>("/api/sessions/order/events?order=asc");
  expect(items.map(({ name }) => name)).toEqual(Array.from({ length: 11 }, (_, n) => `e${n + 1}`));
  expect(items.filter(({ resolved }) => resolved).length).toBe(3);
});

test("a session is recorded and shown without its maps while they do not answer", async () => {
  const release = { product: "failing", version: "1" };
  await put(ask, release);
  vi.spyOn(env.SOURCE_MAPS, "getByName").mockImplementation(() => {
    throw new Error("not now");
  });
  vi.spyOn(console, "error").mockImplementation(() => {});
  await crash(ask, "failing", release);
  expect((await exceptionsOf("failing"))[0]).toMatchObject({ stacktrace: STACK });
});

test("no timer keeps an object in memory once its exception is recorded", async () => {
  let shortest = Infinity;
  for (const id of ["idle-1", "idle-2", "idle-3"]) {
    await crash(ask, id, { product: "idle", version: "1" });
    const began = Date.now();
    await evictDurableObject(env.SESSIONS.getByName(id));
    shortest = Math.min(shortest, Date.now() - began);
  }
  expect(shortest).toBeLessThan(RECORD_WAIT_MS / 2);
});

test("excerpts of a map are redacted like what is recorded", async () => {
  const release = { product: "secret", version: "1" };
  const secret = "AKIAIOSFODNN7EXAMPLE";
  const content = SOURCE.replace("door is locked", `key is ${secret}`);
  await crash(ask, "redacted", release);
  await put(ask, release, { ...MAP, sourcesContent: [content] });
  const text = await (await ask("/api/sessions/redacted/events?exceptions=1")).text();
  expect(text).toContain("openDoor");
  expect(text).not.toContain(secret);
});

test("resolved stacks are read by those only who may read the session", async () => {
  const deployed = server({ ADMIN_SECRET: SECRET }, "https://datacat.example.org");
  const release = { product: "private", version: "1" };
  await put((path, init) => deployed(path, withKey(SECRET, init)), release);
  await crash((path, init) => deployed(path, withKey(SECRET, init)), "private", release);
  for (const [body, status] of [
    [{ kind: "read", product: "private" }, 200],
    [{ kind: "read", product: "other" }, 403],
    [{ kind: "upload", product: "private" }, 403],
    [{ kind: "ingest", product: "private" }, 403],
  ] as const) {
    const { key } = await newKey(body);
    const answer = await deployed("/api/sessions/private/events?exceptions=1", withKey(key));
    expect(answer.status).toBe(status);
    expect((await answer.text()).includes("openDoor")).toBe(status === 200);
  }
});

test("pages show the resolved stack with its lines, and the recorded one folded", async () => {
  const release = { product: "page", version: "1" };
  await crash(ask, "page", release);
  await put(ask, release);
  const page = await (await ask("/sessions/page")).text();
  const plain = page.replaceAll(/<[^>]*>/g, "");
  expect(plain).toContain("openDoor (door.ts:3)");
  expect(plain).toContain("at openDoor (src/door.ts:3:5)");
  expect(plain).toContain("As recorded, without source maps");
  expect(plain).toContain(`at t (${FILE}:1:10)`);
  expect(plain).toContain("if (door.isLocked)");
  const settings = await (await ask("/settings")).text();
  expect(settings).toContain("/settings/source-maps?product=page&amp;version=1");
  const files = await (await ask("/settings/source-maps?product=page&version=1")).text();
  expect(files).toContain("assets/app-1f2e3d4c.js");
  const fields = new URLSearchParams({
    product: "page",
    version: "1",
    file: "assets/app-1f2e3d4c.js",
  });
  const gone = await ask("/settings/source-maps/delete", {
    method: "POST",
    body: fields,
    redirect: "manual",
  });
  expect(gone.status).toBe(303);
  expect((await exceptionsOf("page"))[0]?.resolved).toBeUndefined();
});
