/**
 * Every sender at a real server whose key has its sessions of the day used up: it waits as the answer asks, and after the budget is raised everything
 * arrives once. A proxy makes the waits short, and notes when each sender asks.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server as Proxy } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { open } from "../../clients/typescript/node.ts";
import { runDaemon } from "../../daemon/main.ts";
import { type Server, serve } from "../../daemon/serve/serve.ts";
import type { Summary } from "../../src/core/answers/summary.ts";
import { findPythons } from "../suites.ts";
import { isGoMissing } from "./go/world.ts";

const root = new URL("../..", import.meta.url).pathname;
const ADMIN_SECRET = "correct horse battery staple";
const WAIT_S = 1;
const PATIENT = { timeout: 45_000, interval: 100 };
const found = [...(await findPythons())];

const folder = mkdtempSync(join(tmpdir(), "datacat-budgets-"));
let server: Server;
let proxy: Proxy;
let url: string;
/** Answers to `POST /api/ingest`, by key. */
const answers = new Map<string, { at: number; status: number; budget?: string }[]>();

beforeAll(async () => {
  server = await serve({ data: join(folder, "data"), bindings: { LOCAL: "0", ADMIN_SECRET } });
  proxy = createServer((incoming, outgoing) => {
    void forward(incoming).then(({ status, headers, body }) => {
      outgoing.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`; // listening on a port
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function forward(incoming: IncomingMessage) {
  const { status, headers, body } = await new Promise<{
    status: number;
    headers: IncomingMessage["headers"];
    body: string;
  }>((resolve, reject) => {
    const asked = request(`${server.url}${incoming.url}`, {
      method: incoming.method,
      headers: { ...incoming.headers, host: new URL(server.url).host },
    });
    asked.on("error", reject);
    asked.on("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
      );
    });
    incoming.pipe(asked);
  });
  const key = incoming.headers.authorization?.replace("Bearer ", "") ?? "";
  const { error } = status === 429 ? (JSON.parse(body) as { error: { budget: string } }) : {};
  answers.set(key, [
    ...(answers.get(key) ?? []),
    { at: Date.now(), status, budget: error?.budget },
  ]);
  if (headers["retry-after"]) {
    expect(Number(headers["retry-after"])).toBeGreaterThan(WAIT_S);
    headers["retry-after"] = String(WAIT_S);
  }
  delete headers["transfer-encoding"];
  delete headers["content-length"];
  return { status, headers, body };
}

async function admin<Answer>(path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${ADMIN_SECRET}` },
    body: body && JSON.stringify(body),
  });
  expect(response.status, path).toBe(200);
  return (await response.json()) as Answer; // the server's own types
}

type Key = { id: string; key: string };

/** A key whose one session of the day is used up. */
async function usedUpKey(): Promise<Key> {
  const made = await admin<Key>("/api/keys", { kind: "ingest", sessions_per_day: 1 });
  const used = await fetch(`${server.url}/api/sessions`, {
    method: "POST",
    headers: { authorization: `Bearer ${made.key}` },
    body: "{}",
  });
  expect(used.status).toBe(200);
  return made;
}

/** Waits until the sender was refused twice and so has waited; then raises the budget. */
async function raiseAfterRefusals({ id, key }: Key): Promise<void> {
  await vi.waitFor(() => expect(answers.get(key)?.length).toBeGreaterThan(1), PATIENT);
  const [first, second] = answers.get(key) ?? [];
  expect([first?.status, first?.budget]).toEqual([429, "sessions_per_day"]);
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(WAIT_S * 1_000 - 20);
  await admin(`/api/keys/${id}`, { sessions_per_day: 10 });
}

/** The session has everything that was issued, and nothing was lost. */
async function expectWhole(id: string, counts: Partial<Summary["counts"]>): Promise<void> {
  await vi.waitFor(async () => {
    const response = await fetch(`${server.url}/api/sessions/${id}/summary`, {
      headers: { authorization: `Bearer ${ADMIN_SECRET}` },
    });
    expect(await response.json()).toMatchObject({
      counts,
      verdict: { status: "ended" },
      ledger: { dropped: {} },
    });
  }, PATIENT);
  const { ledger } = await admin<Summary>(`/api/sessions/${id}/summary`);
  expect(ledger.stored).toBe(ledger.accepted);
}

function run(command: string, args: string[], options: { cwd?: string; env: NodeJS.ProcessEnv }) {
  const program = spawn(command, args, options);
  let output = "";
  program.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  program.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise<string>((resolve) => program.on("close", () => resolve(output)));
}

const idIn = (output: string) => /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(output)?.[0] ?? output;
const environment = (key: string) => ({
  PATH: process.env["PATH"],
  HOME: process.env["HOME"],
  DATACAT_HOME: mkdtempSync(join(folder, "home-")),
  DATACAT_URL: url,
  DATACAT_KEY: key,
});

describe.concurrent("over the budget of new sessions", () => {
  test("the TypeScript client without a daemon", async () => {
    const key = await usedUpKey();
    const session = open({ product: "game", url, key: key.key, direct: true });
    for (let n = 0; n < 50; n++) session.logEvent("door");
    session.end();
    await raiseAfterRefusals(key);
    await session.flush(30_000);
    await expectWhole(session.id, { events: 50 });
  });

  for (const [name, path] of pythons())
    test(`the client of ${name} without a daemon`, async () => {
      const key = await usedUpKey();
      const program = `
import sys; sys.path.insert(0, ${JSON.stringify(join(root, "clients/python"))})
import datacat
session = datacat.open(product="game", use_daemon=False)
for n in range(50): session.log_event("door")
session.end()
session.flush(30)
print(session.session_id)`;
      const output = run(path, ["-c", program], { env: environment(key.key) });
      await raiseAfterRefusals(key);
      await expectWhole(idIn(await output), { events: 50 });
    });

  test.skipIf(isGoMissing)("the Go client without a daemon", async () => {
    const key = await usedUpKey();
    const env = { ...environment(key.key), GOCACHE: process.env["GOCACHE"] };
    const output = run("go", ["run", "./examples/direct"], { cwd: join(root, "clients/go"), env });
    await raiseAfterRefusals(key);
    await expectWhole(idIn(await output), { points: 5_000, events: 1 });
  });

  test("the daemon", async () => {
    const key = await usedUpKey();
    const env = environment(key.key);
    const daemon = await runDaemon({ env, folder: env.DATACAT_HOME, port: 0, stay: () => true });
    const program = `
      import { open } from ${JSON.stringify(join(root, "clients/typescript/node.ts"))};
      const session = open({ product: "game" });
      for (let n = 0; n < 50; n++) session.logEvent("door");
      session.end();
      console.log(session.id);`;
    const output = await run(
      process.execPath,
      ["--conditions=datacat-source", "--input-type=module", "-e", program],
      { env: { ...env, DATACAT_DAEMON: "off" } },
    );
    await raiseAfterRefusals(key);
    await expectWhole(idIn(output), { events: 50 });
    await daemon?.stop();
  });
});

/** The oldest and the newest, if they are here. */
function pythons(): [string, string][] {
  return found
    .filter(([name]) => name.includes(" 2.7"))
    .concat(found.filter(([name]) => name.includes(" 3.")).slice(-1));
}
