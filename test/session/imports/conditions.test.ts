/** Who may import, into which id, and what an import that does not finish leaves. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { SERVER } from "../../../src/core/access/authority.ts";
import { NO_BUDGETS } from "../../../src/core/access/budget.ts";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import { sessionOf } from "../../../src/session/client.ts";
import { IMPORT_PAUSE_MS } from "../../../src/session/limits.ts";
import { bearer, deployed, newKey, SECRET } from "../../access/world.ts";
import { post, type Server, server } from "../../api/server.ts";
import { file as attachmentFile } from "../attachments/attachments.ts";
import { bulky, event, gauge, NOON, start, state, World } from "../world.ts";
import { partsOf } from "./forge.ts";

const ask = server();

async function recorded(segments = 2, id?: string): Promise<World> {
  const world = new World(id);
  await world.send([start()]);
  for (let i = 0; i < segments; i++)
    await world.send([
      state(NOON + i, { i }),
      gauge(NOON + i, "fps", i),
      bulky(NOON + i, SEGMENT_BYTES),
    ]);
  await world.send([{ op: "end", at: NOON + 9, exit_code: 0 }]);
  return world;
}

async function fileOf(id: string, from: Server = ask): Promise<Uint8Array> {
  return new Uint8Array(
    await (await from(`/api/sessions/${id}/export?format=datacat`)).arrayBuffer(),
  );
}

type Answer = {
  status: number;
  session?: string;
  imported?: boolean;
  kept_until?: number | null;
  error?: { code: string; message: string; budget?: string };
};

async function importing(
  file: Uint8Array,
  { id, key, at = ask }: { id?: string; key?: string; at?: Server } = {},
): Promise<Answer> {
  const path = `/api/sessions/import${id === undefined ? "" : `?id=${id}`}`;
  const response = await at(path, {
    method: "POST",
    body: file,
    ...(key !== undefined && { headers: bearer(key) }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

/** Leaves nothing of the session, as on a server that never had it. */
async function forget(id: string): Promise<void> {
  const stub = env.SESSIONS.getByName(id);
  await runInDurableObject(stub, (_, { storage }) => storage.deleteAll());
  await evictDurableObject(stub);
}

describe("the id of an imported session", () => {
  test("is its own, where no session has it", async () => {
    const world = await recorded();
    const file = await fileOf(world.id);
    const before = await world.everything();
    await forget(world.id);
    expect(await importing(file)).toMatchObject({ status: 200, session: world.id, imported: true });
    expect(await world.everything()).toEqual(before);
  });

  test("is refused where another session has it, and nothing of that one changes", async () => {
    const [world, other] = [await recorded(), await recorded(1)];
    const before = await other.everything();
    const answer = await importing(await fileOf(world.id), { id: other.id });
    expect(answer).toMatchObject({ status: 409, error: { code: "exists" } });
    expect(answer.error?.message).toContain("--as-new-id");
    expect(await other.everything()).toEqual(before);
  });

  test("is refused for an older and a newer revision of the session", async () => {
    const world = await recorded();
    const file = await fileOf(world.id);
    await world.send([event(NOON + 20, "later")]);
    expect(await importing(file)).toMatchObject({ status: 409, error: { code: "exists" } });
    const newer = await fileOf(world.id);
    await forget(world.id);
    await importing(file);
    expect(await importing(newer)).toMatchObject({ status: 409, error: { code: "exists" } });
  });

  test("importing the same file again, or into its own server, changes nothing and is no error", async () => {
    const world = await recorded();
    const file = await fileOf(world.id);
    expect(await importing(file)).toEqual({ status: 200, session: world.id, imported: false });
    await importing(file, { id: "twice" });
    const copy = new World("twice");
    const before = await copy.everything();
    expect(await importing(file, { id: "twice" })).toEqual({
      status: 200,
      session: "twice",
      imported: false,
    });
    expect(await copy.everything()).toEqual(before);
  });

  test("is refused where the session is at the same op, and the file has more of its attachments", async () => {
    const world = new World();
    const save = attachmentFile(10);
    await world.send([start(), save.op]);
    await importing(await fileOf(world.id), { id: "earlier" });
    await world.client.upload({ id: save.op.id, chunk: 0, bytes: save.bytes });
    const answer = await importing(await fileOf(world.id), { id: "earlier" });
    expect(answer).toMatchObject({ status: 409, error: { code: "exists" } });
    expect(answer.error?.message).toMatch(
      /with 2 ops and 0 whole attachments; the file has 2 ops and 1 whole attachment\./,
    );
  });

  test("of a deleted session is refused, and another one is not", async () => {
    const world = await recorded();
    const file = await fileOf(world.id);
    await world.client.erase();
    expect(await importing(file)).toMatchObject({ status: 410, error: { code: "gone" } });
    expect(await importing(file, { id: `${world.id}-2` })).toMatchObject({ imported: true });
  });

  test.each(["", "-a", "a b", "x".repeat(200)])("may not be %j", async (id) => {
    const file = await fileOf((await recorded(1)).id);
    expect(await importing(file, { id: encodeURIComponent(id) })).toMatchObject(
      id === "" ? { status: 200 } : { status: 400, error: { code: "invalid_query" } },
    );
  });
});

describe("the key of an import", () => {
  test("is the opener of the session, whose product is that of the file", async () => {
    const world = await recorded();
    const file = await fileOf(world.id);
    const [ours, theirs] = [
      await newKey({ kind: "ingest", product: "game" }),
      await newKey({ kind: "ingest", product: "game" }),
    ];
    const id = `${world.id}-owned`;
    expect(await importing(file, { id, key: ours.key, at: deployed })).toMatchObject({
      imported: true,
    });
    const send = async (key: string) => {
      const batch = {
        session: id,
        lane: "new-lane",
        first: 1,
        last: 1,
        ops: [event(NOON, "more")],
      };
      const response = await deployed("/api/ingest", post({ batches: [batch] }, bearer(key)));
      return ((await response.json()) as { results: [{ error?: { code: string } }] }).results[0]
        .error?.code;
    };
    expect(await send(theirs.key)).toBe("forbidden");
    expect(await send(ours.key)).toBeUndefined();
  });

  test("for another product, or of a kind that does not record, is refused", async () => {
    const file = await fileOf((await recorded()).id);
    const attempt = async (body: object) =>
      importing(file, {
        id: `attempt-${crypto.randomUUID()}`,
        key: (await newKey(body)).key,
        at: deployed,
      });
    expect(await attempt({ kind: "ingest", product: "shop" })).toMatchObject({ status: 403 });
    expect(await attempt({ kind: "read" })).toMatchObject({ status: 403 });
    expect(await attempt({ kind: "admin" })).toMatchObject({ imported: true });
    expect(await importing(file, { at: deployed })).toMatchObject({ status: 401 });
  });

  test("bound to a product owns a session that names none", async () => {
    const world = new World();
    await world.send([event(NOON, "alone")]);
    const { key } = await newKey({ kind: "ingest", product: "shop" });
    const id = `${world.id}-shop`;
    await importing(await fileOf(world.id), { id, key, at: deployed });
    expect((await sessionOf(env, SERVER, id).ask("summary")).product).toBe("shop");
  });

  test("may not read what another product's session of this id has", async () => {
    const world = await recorded();
    const { key } = await newKey({ kind: "ingest", product: "shop" });
    const shop = new World();
    await shop.send([{ op: "start", at: NOON, product: "shop" }]);
    const answer = await importing(await fileOf(shop.id), { id: world.id, key, at: deployed });
    expect(answer).toMatchObject({ status: 403, error: { code: "forbidden" } });
  });

  test("pays with its budgets, and over one of them nothing is imported", async () => {
    const file = await fileOf((await recorded()).id);
    const large = new World();
    const save = attachmentFile(2 * 1024 * 1024);
    await large.send([start(), save.op]);
    for (const [chunk, bytes] of save.chunks.entries())
      await large.client.upload({ id: save.op.id, chunk, bytes });
    const attempt = async (budgets: object, what: Uint8Array) => {
      const { key } = await newKey({ kind: "ingest", ...NO_BUDGETS, ...budgets });
      const one = await importing(what, { id: `paid-${crypto.randomUUID()}`, key, at: deployed });
      const id = `paid-${crypto.randomUUID()}`;
      const two = await importing(what, { id, key, at: deployed });
      const left = await runInDurableObject(env.SESSIONS.getByName(id), (_, { storage }) =>
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'segments'").toArray(),
      );
      return [one, two, left];
    };
    const over = (budget: string) => ({ status: 429, error: { budget } });
    expect(await attempt({ sessions_per_day: 1 }, file)).toMatchObject([
      { imported: true },
      over("sessions_per_day"),
      [],
    ]);
    expect(await attempt({ rows_per_day: 1 }, file)).toMatchObject([
      over("rows_per_day"),
      over("rows_per_day"),
      [],
    ]);
    expect(await attempt({ attachment_mib_per_day: 3 }, await fileOf(large.id))).toMatchObject([
      { imported: true },
      over("attachment_mib_per_day"),
      [],
    ]);
  });

  test("is in the audit list", async () => {
    const world = await recorded(1);
    const id = `${world.id}-audited`;
    await importing(await fileOf(world.id), { id, key: SECRET, at: deployed });
    const list = await (await deployed("/api/audit", { headers: bearer(SECRET) })).json();
    expect(list).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ action: "session_imported", subject: `session ${id}` }),
      ]),
    });
  });
});

test.each([
  [undefined, 365],
  ["30", 30],
  ["0", null],
])("the answer names until when a session is kept, with the setting %j", async (setting, days) => {
  const world = await recorded(1);
  const at = server({
    LOCAL: "1",
    ...(setting !== undefined && { DATACAT_RETENTION_DAYS: setting }),
  });
  const answer = await importing(await fileOf(world.id), { id: `${world.id}-kept`, at });
  const { updated_at } = await world.client.ask("summary");
  const kept_until = days === null ? null : updated_at + days * 86_400_000;
  expect(answer).toMatchObject({ imported: true, kept_until });
});

describe("an import that does not finish", () => {
  /** Takes the first parts of a file in a session's object. */
  async function begun(): Promise<{ id: string; token: string; file: Uint8Array }> {
    const world = await recorded();
    const file = await fileOf(world.id);
    const [id, token] = [`${world.id}-begun`, crypto.randomUUID()];
    const taken = await sessionOf(env, SERVER, id).takeParts(
      token,
      partsOf(file).slice(0, 2),
      true,
    );
    expect(taken).toMatchObject({ rows: 1, isPresent: false });
    return { id, token, file };
  }
  const tables = (id: string) =>
    runInDurableObject(env.SESSIONS.getByName(id), (_, { storage }) =>
      storage.sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name NOT LIKE '%cf%'")
        .toArray()
        .map(({ name }) => name)
        .sort(),
    );
  const code = async (result: Promise<unknown>) =>
    result.then(
      () => "ok",
      (error: { code?: string }) => error.code,
    );

  test("is no session for anyone", async () => {
    const { id } = await begun();
    expect(await tables(id)).toEqual(["importing", "segments"]);
    for (const path of ["/summary", "/events", "/export", "/export?format=datacat"])
      expect((await ask(`/api/sessions/${id}${path}`)).status).toBe(404);
    await evictDurableObject(env.SESSIONS.getByName(id));
    expect((await ask(`/api/sessions/${id}/summary`)).status).toBe(404);
  });

  test("goes on after its object slept only from its beginning", async () => {
    const { id, token, file } = await begun();
    await evictDurableObject(env.SESSIONS.getByName(id));
    const client = sessionOf(env, SERVER, id);
    expect(await code(client.takeParts(token, partsOf(file).slice(2), false))).toBe("unavailable");
    expect(await code(client.finishImport(token))).toBe("unavailable");
    expect(await importing(file, { id })).toMatchObject({ imported: true });
  });

  test("is replaced by the next one, whose parts alone count", async () => {
    const { id, token, file } = await begun();
    const client = sessionOf(env, SERVER, id);
    expect(await importing(file, { id })).toMatchObject({ imported: true });
    expect(await code(client.takeParts(token, partsOf(file).slice(2), false))).toBe("unavailable");
    expect(await client.ask("events")).toMatchObject({
      items: [{ name: "bulk" }, { name: "bulk" }],
    });
  });

  test("yields to a program that records the session", async () => {
    const { id, token, file } = await begun();
    const program = new World(id);
    expect((await program.send([start(), event(NOON, "door")])).error).toBeUndefined();
    expect(await code(program.client.takeParts(token, partsOf(file).slice(2), false))).toBe(
      "exists",
    );
    expect(await code(program.client.finishImport(token))).toBe("unavailable");
    expect(await program.client.ask("events")).toMatchObject({ items: [{ name: "door" }] });
    expect(await program.segments()).toEqual([{ id: 1, sealed: 0 }]);
  });

  test("is removed when its sender is gone, and not while it goes on", async () => {
    const { id, token, file } = await begun();
    const stub = env.SESSIONS.getByName(id);
    const now = Date.now();
    const clock = vi.spyOn(Date, "now").mockReturnValue(now + IMPORT_PAUSE_MS / 2);
    try {
      const parts = partsOf(file);
      await sessionOf(env, SERVER, id).takeParts(token, parts.slice(2, 3), false);
      clock.mockReturnValue(now + IMPORT_PAUSE_MS + 1);
      expect(await runDurableObjectAlarm(stub)).toBe(true);
      expect(await tables(id)).toEqual(["importing", "segments"]);
      clock.mockReturnValue(now + 2 * IMPORT_PAUSE_MS);
      expect(await runDurableObjectAlarm(stub)).toBe(true);
      expect(await tables(id)).toEqual([]);
    } finally {
      clock.mockRestore();
    }
    expect(await importing(file, { id })).toMatchObject({ imported: true });
  });

  test("is removed at once when it is cancelled, by its own sender alone", async () => {
    const { id, token } = await begun();
    const client = sessionOf(env, SERVER, id);
    await client.cancelImport("another");
    expect(await tables(id)).toEqual(["importing", "segments"]);
    await client.cancelImport(token);
    expect(await tables(id)).toEqual([]);
  });
});

test("a file that declares to be larger than files may be is refused before it is read", async () => {
  const response = await ask("/api/sessions/import", {
    method: "POST",
    body: "x",
    headers: { "content-length": String(2 * 1024 ** 3) },
  });
  expect(response.status).toBe(413);
});

test("an imported session goes on, and its alarm gives the verdict", async () => {
  const world = new World();
  const now = Date.now();
  await world.send([start(now - 5_000)], { lease_ms: 60_000 });
  const id = `${world.id}-running`;
  await importing(await fileOf(world.id), { id });
  const copy = new World(id);
  expect((await copy.client.ask("summary")).verdict.status).toBe("active");
  const clock = vi.spyOn(Date, "now").mockReturnValue(now + 120_000);
  try {
    await copy.ring();
    expect((await copy.client.ask("summary")).verdict.status).toBe("suspended");
    expect((await copy.client.ask("summary")).transitions.map(({ status }) => status)).toContain(
      "suspended",
    );
  } finally {
    clock.mockRestore();
  }
  expect((await copy.send([event(now, "again")], { lane: "lane-9" })).error).toBeUndefined();
  expect((await copy.client.ask("summary")).verdict.status).toBe("active");
});
