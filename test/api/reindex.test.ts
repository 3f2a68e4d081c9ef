import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { TOKEN } from "../../src/catalog/tables/posting.ts";
import { open, post, server } from "./server.ts";

const ask = server();

async function listed(): Promise<string[]> {
  const { items } = (await (await ask("/api/sessions?limit=1000")).json()) as {
    items: { id: string }[];
  };
  return items.map((row) => row.id).toSorted();
}

async function loseTheCatalog(): Promise<void> {
  const tables = [
    "sessions",
    "postings",
    "details",
    "more_rollups",
    "names",
    "exception_groups",
    "version_days",
    "rebuild",
  ];
  await env.CATALOG.batch(tables.map((table) => env.CATALOG.prepare(`DELETE FROM ${table}`)));
}

type Answer = {
  done: string[];
  failed: { id: string; error: string }[];
  removed: string[];
  next: string | null;
  total?: number;
};

async function reindex(body: object): Promise<Answer> {
  const response = await ask("/api/reindex", post(body));
  expect(response.status).toBe(200);
  return response.json();
}

test("a lost catalog comes back from the objects, the same as it was", async () => {
  const ids = (await Promise.all(Array.from({ length: 5 }, () => open(ask)))).toSorted();
  for (const id of ids)
    await ask(`/api/sessions/${id}/events`, post({ name: "here", exception_type: "E" }));
  await reindex({ sessions: ids });
  const before = await (await ask("/api/products")).json();

  await loseTheCatalog();
  expect(await listed()).toEqual([]);
  // Cloudflare lists a namespace's objects by these ids, not by the sessions'.
  const objects = ids.map((id) => env.SESSIONS.idFromName(id).toString());
  const answer = await reindex({ objects });
  expect(answer.failed).toEqual([]);
  expect(await listed()).toEqual(ids);
  expect(await (await ask("/api/products")).json()).toEqual(before);
});

/** All steps of a rebuild; how many there were, and what they answered together. */
async function rebuild(): Promise<Answer & { steps: number }> {
  const all: Answer & { steps: number } = { ...(await reindex({})), steps: 1 };
  while (all.next !== null) {
    const { done, failed, removed, next } = await reindex({ cursor: all.next });
    all.done.push(...done);
    all.failed.push(...failed);
    all.removed.push(...removed);
    all.next = next;
    all.steps++;
  }
  return all;
}

/** Without durations that still count, and the time of the answer. */
const everything = async (path: string) =>
  (await (await ask(path)).text()).replaceAll(/"(ran_ms|status_ms|published_to)":\d+,?/g, "");

test("a lost catalog is rebuilt from the roster in steps, and keys, views and decisions stay", async () => {
  for (let n = 0; n < 45; n++) await open(ask);
  await rebuild();
  const ids = await listed();
  expect(ids.length).toBeGreaterThan(45);
  const { fingerprint } = await anException();
  await ask(`/api/exceptions/${fingerprint}`, post({ product: "game", status: "resolved" }));
  await ask("/api/keys", post({ kind: "read", label: "kept" }));
  const paths = ["/api/sessions?limit=1000", "/api/products", "/api/exceptions", "/api/keys"];
  const before = await Promise.all(paths.map(everything));

  await loseTheCatalog();
  const { steps, total, done, failed } = await rebuild();
  expect([steps, total, failed]).toEqual([Math.ceil((ids.length + 1) / 20), ids.length, []]);
  expect(done.toSorted()).toEqual(ids);
  expect(await Promise.all(paths.map(everything))).toEqual(before);
});

async function anException(): Promise<{ fingerprint: string }> {
  const { items } = (await (await ask("/api/exceptions")).json()) as {
    items: { fingerprint: string }[];
  };
  const [group] = items;
  if (!group) throw new Error("no exception was recorded");
  return group;
}

test("lists are refused until the rebuild is complete, recording is not", async () => {
  await loseTheCatalog();
  const { next } = await reindex({});
  const fresh = server({ LOCAL: "1", CATALOG: again(env.CATALOG) });
  for (const path of ["/api/sessions", "/api/products", "/api/exceptions", "/", "/sessions"]) {
    const response = await fresh(path);
    expect([path, response.status]).toEqual([path, 503]);
    expect(await response.text()).toContain("being rebuilt");
  }
  expect((await fresh("/api/sessions", post({ product: "game" }))).status).toBe(200);

  // A rebuild that was left continues where it was, and a second one under way changes nothing.
  const answer = await reindex({});
  expect(answer.done.every((id) => id > (next ?? ""))).toBe(true);
  for (let step = await reindex({}); step.next !== null; step = await reindex({})) continue;
  expect((await server({ LOCAL: "1", CATALOG: again(env.CATALOG) })("/api/sessions")).status).toBe(
    200,
  );
});

/** The same database for a Worker that has not looked at it yet. */
function again(db: D1Database): D1Database {
  return new Proxy(db, {
    get: (target, name) => Reflect.get(target, name).bind(target) as unknown,
  });
}

test("a rebuild removes what does not exist any more, and finds what the roster has lost", async () => {
  const [deleted, unlisted] = [await open(ask), await open(ask)];
  await reindex({ sessions: [deleted, unlisted] });
  const row = await env.CATALOG.prepare("SELECT * FROM sessions WHERE id = ?1")
    .bind(deleted)
    .first<Record<string, unknown>>();
  await ask(`/api/sessions/${deleted}`, { method: "DELETE" });
  // A catalog and a registry that were restored from before and after.
  const columns = Object.keys(row ?? {});
  await env.CATALOG.prepare(
    `INSERT INTO sessions (${columns.join()}) VALUES (${columns.map(() => "?").join()})`,
  )
    .bind(...Object.values(row ?? {}))
    .run();
  await env.CATALOG.prepare("INSERT INTO postings (rowid, tokens) VALUES (?1, ?2)")
    .bind(row?.["key"], TOKEN.id(deleted))
    .run();
  await env.REGISTRY.prepare("DELETE FROM roster WHERE id = ?1").bind(unlisted).run();

  const { removed, done } = await rebuild();
  expect(removed).toEqual([deleted]);
  expect(done).toContain(unlisted);
  expect(await listed()).not.toContain(deleted);
  expect((await reindex({})).total).toBe((await listed()).length);
});

test("a step that the catalog cannot take is refused as a whole, to be repeated", async () => {
  await env.CATALOG.exec("ALTER TABLE details RENAME TO details_gone");
  try {
    expect((await ask("/api/reindex", post({}))).status).toBe(503);
  } finally {
    await env.CATALOG.exec("ALTER TABLE details_gone RENAME TO details");
  }
});

test("what cannot be done is named, and the rest is done", async () => {
  const id = await open(ask);
  const answer = await reindex({ sessions: ["unknown", id] });
  expect(answer.done).toEqual([id]);
  expect(answer.failed).toMatchObject([
    { id: "unknown", error: expect.stringContaining("not found") },
  ]);
  expect((await reindex({ objects: ["0".repeat(64)] })).failed).toHaveLength(1);
  for (const body of [{ sessions: [5] }, [], null, 5])
    expect((await ask("/api/reindex", post(body))).status).toBe(400);
});
