/** A catalog that is lost, in each way, comes back; a registry that is lost is named. */
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { databasesIn, RegistryLost } from "../../../daemon/serve/databases.ts";
import { type Server, serve } from "../../../daemon/serve/serve.ts";
import { MAX_LEASE_MS } from "../../../src/core/limits.ts";

/** A data folder, and the server on it. */
class World {
  readonly data = mkdtempSync(join(tmpdir(), "datacat-recovery-"));
  readonly notices: string[] = [];
  readonly failures: unknown[] = [];
  server: Server | undefined;

  async start(options: { newRegistry?: boolean } = {}): Promise<void> {
    this.server = await serve({
      data: this.data,
      onNotice: (line) => this.notices.push(line),
      onFailure: (error) => this.failures.push(error),
      onLog: () => {}, // what fails while a file is missing is expected
      ...options,
    });
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  /** Sessions, a resolved and a muted group of exceptions, of which one is merged, keys and a view. */
  async fill(): Promise<void> {
    const at = Date.now();
    const batches = [0, 1, 2].map((n) => ({
      session: `session-${n}`,
      lane: "program",
      first: 1,
      last: 2,
      ops: [
        { op: "start", at, product: "game" },
        { op: "event", at, name: "failed", exception_type: `E${n}`, exception_msg: "no" },
      ],
      lease_ms: MAX_LEASE_MS, // they stay active until the last test
    }));
    await this.post("/api/ingest", { batches });
    await this.post("/api/reindex", { sessions: batches.map(({ session }) => session) });
    const { items } = JSON.parse(await this.text("/api/exceptions")) as {
      items: { fingerprint: string }[];
    };
    const [resolved, muted] = items.map(({ fingerprint }) => `/api/exceptions/${fingerprint}`);
    const third = items[2]?.fingerprint;
    await this.post(resolved ?? "", { product: "game", status: "resolved", version: "2" });
    await this.post(muted ?? "", { product: "game", status: "muted" });
    await this.post(`${muted}/merges`, { product: "game", fingerprints: [third] });
    await this.post("/api/keys", { kind: "read", label: "kept" });
    await fetch(`${this.server?.url}/views`, {
      method: "POST",
      body: new URLSearchParams({ name: "Kept", query: "status=crashed" }),
      redirect: "manual",
    });
  }

  /** Lists, groups with their decisions, keys and views, as a person sees them. */
  async shown(): Promise<string[]> {
    const paths = ["/api/sessions", "/api/products", "/api/exceptions", "/api/keys"];
    const answers = await Promise.all(paths.map((path) => this.text(path)));
    const page = await this.text("/sessions");
    return [...answers, /<details[^>]*views.*?<\/details>/s.exec(page)?.[0] ?? "no views"];
  }

  /** The same, once the server shows it; nothing else is answered meanwhile but that it is not ready. */
  async expectShown(before: string[]): Promise<void> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const response = await fetch(`${this.server?.url}/api/sessions`).catch(() => undefined);
      if (response) expect([200, 503]).toContain(response.status);
      if (response?.ok && settled(await response.text()) === before[0]) break;
      if (Date.now() > deadline) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await this.shown()).toEqual(before);
  }

  async text(path: string): Promise<string> {
    const response = await fetch(`${this.server?.url}${path}`);
    return `${response.status === 200 ? "" : response.status}${settled(await response.text())}`;
  }

  async post(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.server?.url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    expect(response.status, path).toBe(200);
    return response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}

const filled = new World();
/** What a server on a copy of that folder shows. */
let before: string[];

beforeAll(async () => {
  await filled.start();
  await filled.fill();
  before = await filled.shown();
  expect(before[2]).toContain('"resolved"');
  expect(before[2]).toMatch(/"fingerprints":\["\w+","\w+"\]/); // two are merged
  expect(before[4]).toContain("Kept");
  await filled.stop();
  const { catalog, registry } = databasesIn(filled.data);
  expect([catalog.update(), registry.update()]).toEqual([undefined, undefined]); // all of it is in the files now
});

afterAll(() => filled[Symbol.asyncDispose]());

/** Filled once and copied for each test: to fill it takes longer than most tests. */
function copyOfFilled(): World {
  const world = new World();
  cpSync(filled.data, world.data, { recursive: true });
  return world;
}

/** An answer without the durations and times that are measured to now. */
function settled(answer: string): string {
  return answer.replaceAll(/"(ran_ms|status_ms|published_to)":\d+,?/g, "");
}

const sql = (statement: string) => (world: World) =>
  databasesIn(world.data).catalog.open((database) => database.exec(statement));

const LOSSES: [what: string, lose: (world: World) => void, notice: RegExp][] = [
  ["deleted", (world) => databasesIn(world.data).catalog.remove(), /is missing/],
  ["cut off", (world) => truncateSync(databasesIn(world.data).catalog.path, 20_000), /is damaged/],
  [
    "no database",
    (world) => writeFileSync(databasesIn(world.data).catalog.path, "x".repeat(9_000)),
    /is damaged/,
  ],
  ["emptied", (world) => writeFileSync(databasesIn(world.data).catalog.path, ""), /is empty/],
  ["without its sessions", sql("DELETE FROM sessions"), /is empty/],
  ["without a table", sql("DROP TABLE exception_groups"), /is half migrated/],
  ["without its migrations' table", sql("DROP TABLE d1_migrations"), /is half migrated/],
];

test(
  "a catalog that was lost while the server was stopped is rebuilt at its start",
  { timeout: 240_000 },
  async () => {
    await using world = copyOfFilled();
    for (const [what, lose, notice] of LOSSES) {
      await world.stop();
      world.notices.length = 0;
      lose(world);
      await world.start();
      await world.expectShown(before);
      expect(world.notices[0], what).toMatch(notice);
      expect(world.notices[0]).toContain("rebuilding it from 3 sessions");
    }
    await world.stop();
    world.notices.length = 0;
    await world.start();
    await world.expectShown(before);
    expect(world.notices).toEqual([]);
  },
);

test("a rebuild that was interrupted continues at the next start", async () => {
  await using world = copyOfFilled();
  const { catalog } = databasesIn(world.data);
  catalog.create();
  catalog.open((database) => database.exec("INSERT INTO rebuild VALUES (1, '', 0, 0, 3)"));
  await world.start();
  await world.expectShown(before);
  expect(world.notices[0]).toContain("not complete yet");
});

const DAMAGES: [how: string, damage: (path: string) => void][] = [
  ["deleted", (path) => ["", "-wal", "-shm"].forEach((end) => rmSync(path + end))],
  ["cut off", (path) => truncateSync(path, 100)],
  [
    "overwritten",
    (path) => {
      rmSync(path);
      writeFileSync(path, "this is not a database".repeat(1_000));
    },
  ],
];

test("a catalog that is lost under the running server is rebuilt, each time", async () => {
  await using world = copyOfFilled();
  await world.start();
  for (const [how, damage] of DAMAGES) {
    const shown = await world.shown();
    world.notices.length = 0;
    damage(databasesIn(world.data).catalog.path);
    await expect
      .poll(() => world.notices.at(-1), { timeout: 30_000, message: how })
      .toBe("The catalog is complete again.");
    await world.expectShown(shown);

    await world.post("/api/sessions", { product: `after-${how}` });
    await expect
      .poll(() => world.text("/api/sessions"), { timeout: 10_000 })
      .toContain(`after-${how}`);
  }
  expect(world.failures).toEqual([]);
});

test("pages of the catalog that are overwritten under the running server are noticed, named and rebuilt", async () => {
  await using world = copyOfFilled();
  const { catalog } = databasesIn(world.data);
  await world.start(); // which reads none of it yet
  const [id] = [...(before[0] ?? "").matchAll(/"id":"([^"]+)"/g)].map(([, each]) => each);

  const file = openSync(catalog.path, "r+");
  writeSync(file, Buffer.alloc(8_192, 0xa5), 0, 8_192, 0);
  closeSync(file);
  const answers = await Promise.all(
    ["/api/sessions", "/sessions", `/api/sessions/${id}/summary`].map((path) =>
      fetch(`${world.server?.url}${path}`).then(
        async (response) => [response.status, await response.text()] as const,
        () => [503, ""] as const, // it is restarting
      ),
    ),
  );
  for (const [status, text] of answers.slice(0, 2)) {
    expect([200, 503], text).toContain(status);
    expect(text).not.toContain("Trying again may help");
  }
  await expect
    .poll(() => world.notices.at(-1), { timeout: 30_000 })
    .toBe("The catalog is complete again.");
  await world.expectShown(before);
  await expect.poll(() => world.text("/health"), { timeout: 10_000 }).toContain('"healthy"');
});

test("a registry that is deleted under the running server is written again", async () => {
  await using world = copyOfFilled();
  await world.start();
  await world.expectShown(before);
  const { catalog, registry } = databasesIn(world.data);
  catalog.remove();
  registry.remove();
  await expect
    .poll(() => world.notices.at(-1), { timeout: 30_000 })
    .toBe("The catalog is complete again.");
  await world.expectShown(before);
  await world.stop();
  await world.start();
  await world.expectShown(before);
});

test("without its registry the server does not start, and names the file to restore", async () => {
  await using world = copyOfFilled();
  const { registry } = databasesIn(world.data);
  const backup = join(world.data, "registry.backup");
  copyFileSync(registry.path, backup);

  for (const [lose, damage] of [
    [() => registry.remove(), "is missing"],
    [() => writeFileSync(registry.path, "nothing"), "is damaged"],
    [() => writeFileSync(registry.path, ""), "is empty"],
  ] as const) {
    lose();
    const refused = await world.start().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(RegistryLost);
    expect(String(refused)).toContain(damage);
    expect(String(refused)).toContain(registry.path);
  }
  copyFileSync(backup, registry.path);
  await world.start();
  await world.expectShown(before);
});

test("a new registry lists the sessions again, and keeps the damaged file", async () => {
  await using world = copyOfFilled();
  const { registry } = databasesIn(world.data);
  writeFileSync(registry.path, "nothing");
  await world.start({ newRegistry: true });
  await expect
    .poll(() => world.notices.at(-1), { timeout: 30_000 })
    .toContain("lists the sessions of 3 files");
  expect(readFileSync(`${registry.path}.damaged`, "utf8")).toBe("nothing");
  const [sessions, products, , keys] = await world.shown();
  expect([sessions, products]).toEqual(before.slice(0, 2));
  expect(keys).toBe('{"items":[],"next":null}');

  await world.stop();
  databasesIn(world.data).catalog.remove();
  await world.start();
  await expect.poll(() => world.text("/api/sessions"), { timeout: 30_000 }).toBe(before[0]);
});

test("a first start makes both databases and prints nothing about them", async () => {
  await using world = new World();
  await world.start();
  const { catalog, registry } = databasesIn(world.data);
  expect([catalog, registry].map(({ path }) => existsSync(path))).toEqual([true, true]);
  await world.stop();
  expect([catalog.update(), registry.update()]).toEqual([undefined, undefined]);
  expect(world.notices).toEqual([]);
});
