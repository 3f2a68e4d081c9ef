import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
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
    "metrics",
    "event_counts",
    "exceptions",
    "exception_groups",
    "exception_days",
    "state_values",
    "versions",
    "version_days",
  ];
  await env.CATALOG.batch(tables.map((table) => env.CATALOG.prepare(`DELETE FROM ${table}`)));
}

async function reindex(
  body: object,
): Promise<{ done: string[]; failed: { id: string; error: string }[]; next: string | null }> {
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

test("all that the catalog knows is done again, a part at a time", async () => {
  for (let n = 0; n < 25; n++) await open(ask);
  const done: string[] = [];
  let cursor: string | null = null;
  let requests = 0;
  do {
    const answer = await reindex(cursor === null ? {} : { cursor });
    done.push(...answer.done);
    cursor = answer.next;
    requests++;
  } while (cursor !== null);
  expect(requests).toBeGreaterThan(1);
  expect(done.toSorted()).toEqual(await listed());
});

test("what cannot be done is named, and the rest is done", async () => {
  const id = await open(ask);
  const answer = await reindex({ sessions: ["unknown", id] });
  expect(answer.done).toEqual([id]);
  expect(answer.failed).toMatchObject([
    { id: "unknown", error: expect.stringContaining("not found") },
  ]);
  expect((await reindex({ objects: ["0".repeat(64)] })).failed).toHaveLength(1);
  expect((await ask("/api/reindex", post({ sessions: [5] }))).status).toBe(400);
});
