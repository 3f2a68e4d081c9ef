import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { retain } from "../../src/jobs/retention.ts";
import { runJobs } from "../../src/jobs/jobs.ts";
import { listAudit } from "../../src/registry/audit.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { removeSession } from "../../src/catalog/publication/remove.ts";
import { publication } from "../catalog/publication.ts";
import { post, server } from "../api/server.ts";

const ask = server();
const DAY = 86_400_000;
const now = Date.now();
afterEach(() => void vi.restoreAllMocks());

/** A session that began and was last active this many days ago. */
async function record(session: string, days: number, ops: object[]): Promise<void> {
  const at = now - days * DAY;
  const all = [{ op: "start", product: "old" }, ...ops].map((op) => ({ at, ...op }));
  const batch = { session, lane: `lane-${session}`, first: 1, last: all.length, ops: all };
  await ask("/api/ingest", post({ batches: [batch] }));
  await ask("/api/reindex", post({ sessions: [session] }));
}

async function listed(): Promise<string[]> {
  const { items } = (await (await ask("/api/sessions?product=old&limit=1000")).json()) as {
    items: { id: string }[];
  };
  return items.map((row) => row.id).toSorted();
}

test("sessions without activity for as long as the setting are deleted, running ones never", async () => {
  const end = [{ op: "end" }];
  await record("ancient", 400, end);
  await record("crashed", 380, [{ op: "crash" }]);
  await record("recent", 300, end);
  await record("long", 400, [
    { op: "event", name: "still here", at: now - 10 * DAY },
    { op: "end", at: now - 10 * DAY },
  ]);
  await record("running", 400, []);
  expect(await listed()).toEqual(["ancient", "crashed", "long", "recent", "running"]);

  expect(await retain(env, now)).toBe(2);
  expect(await listed()).toEqual(["long", "recent", "running"]);
  expect((await ask("/api/sessions/ancient/summary")).status).toBe(410);
  expect(await (await ask("/api/data/sessions")).text()).not.toContain("ancient");
  expect(await retain(env, now)).toBe(0);

  expect(await retain({ ...env, DATACAT_RETENTION_DAYS: "0" }, now)).toBe(0);
  expect(await retain({ ...env, DATACAT_RETENTION_DAYS: "100" }, now)).toBe(1);
  expect(await listed()).toEqual(["long", "running"]);
});

test("a catalog that is behind deletes nothing: the session's own times decide", async () => {
  await record("alive", 0, []);
  const old = now - 500 * DAY;
  await removeSession(env.CATALOG, "alive");
  await publish(
    env.CATALOG,
    publication("alive", {
      session: { product: "old", status: "ended", created_at: old, updated_at: old, revision: 0 },
    }),
  );
  expect(await retain(env, now)).toBe(0);
  expect(await listed()).toContain("alive");
  expect(await (await ask("/api/sessions?product=old&status=active")).text()).toContain("alive");
});

test("the audit list has those of an hour as one entry", async () => {
  await record("forgotten", 400, [{ op: "end" }]);
  await record("unused", 400, [{ op: "end" }]);
  for (const at of [now, now + 1]) await runJobs(env, at);
  const { items } = await listAudit(env.REGISTRY, 10);
  expect(items).toMatchObject([
    { action: "session_deleted", who: "retention", address: "this server", subject: "", count: 2 },
  ]);
});

test("many are deleted in one run", async () => {
  await Promise.all(
    Array.from({ length: 35 }, (_, n) => record(`many-${n}`, 500, [{ op: "end" }])),
  );
  expect(await retain(env, now)).toBe(35);
});

test("a session that only the catalog has is removed from it", async () => {
  await publish(
    env.CATALOG,
    publication("orphan", {
      session: { product: "old", status: "ended", created_at: now - 400 * DAY },
    }),
  );
  expect(await retain(env, now)).toBe(1);
  expect(await listed()).not.toContain("orphan");
});

test("a setting that is no number keeps the default, with a line in the log", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(await retain({ ...env, DATACAT_RETENTION_DAYS: "a year" }, now)).toBe(0);
  expect(logged).toHaveBeenCalledOnce();
});

test("a session that cannot be deleted now is left for the next run, and ends this one", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  await record("stubborn", 400, [{ op: "end" }]);
  const SESSIONS = new Proxy(env.SESSIONS, {
    get: (target, name) =>
      name === "getByName"
        ? () => ({ summary: async () => Promise.reject(new Error("Too many subrequests")) })
        : Reflect.get(target, name).bind(target),
  });
  expect(await retain({ ...env, SESSIONS }, now)).toBe(0);
  expect(logged).toHaveBeenCalledOnce();
  expect(await listed()).toContain("stubborn");
  expect(await retain(env, now)).toBe(1);
});
