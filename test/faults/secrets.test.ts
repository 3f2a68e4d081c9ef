/** Promise 27 of README.md: secrets in every field that a program may put them into are found nowhere: lanes, wire, object, catalog, logs, pages. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Page } from "../../src/core/answers/page.ts";
import { eventually, World } from "../end-to-end/world.ts";
import { findPythons } from "../suites.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);
const SECRET = "hunter2-must-not-be-found";
const PUBLIC = "ada-may-be-found";

/** Places for a secret in the fields that take any value. */
const SOWN = {
  user: PUBLIC,
  password: SECRET,
  API_KEY: SECRET,
  headers: [{ "Set-Cookie": SECRET, Authorization: `Bearer ${SECRET}` }],
  deep: { er: { "private-key": { pem: SECRET } } },
};

const NODE = `
  import { open } from ${JSON.stringify(join(root, "clients/typescript/node.ts"))};
  const sown = ${JSON.stringify(SOWN)};
  const session = open({ product: "sown", version: "node", state: sown });
  session.updateState({ later: sown });
  session.logEvent("login", { data: sown });
  session.logException(new Error("refused"), { data: sown });
  session.gauge("load", 1, { metadata: sown });
  session.end();
`;

const PYTHON = `
import json, sys
sys.path.insert(0, ${JSON.stringify(join(root, "clients/python"))})
import datacat
sown = json.loads(${JSON.stringify(JSON.stringify(SOWN))})
session = datacat.open(product="sown", version="python", state=sown)
session.update_state({"later": sown})
session.log_event("login", data=sown)
def fail(password):
    raise ValueError("refused")
try:
    fail(sown["password"])
except ValueError:
    session.log_exception(data=sown, locals=True)
session.gauge("load", 1, metadata=sown)
session.end()
`;

test("secrets are found in no lane, request, database, log, answer or page", async () => {
  await using world = await World.make();
  await using wire = await Wire.to(world.url);
  const env = { ...world.env, DATACAT_URL: wire.url };
  const found: { where: string; text: string }[] = [];
  const look = (where: string, text: string) => found.push({ where, text });

  // No daemon runs yet: everything stays in the lanes.
  const node = join(root, "node_modules/.bin/node");
  await run(node, ["--input-type=module-typescript", "-e", NODE, "--", "--token", SECRET], { env });
  const [python] = [...(await findPythons())].filter(([name]) => name.includes(" 3."));
  if (python) await run(python[1], ["-c", PYTHON, `--password=${SECRET}`], { env });
  await world.run(["run", "--product", "sown", "--", "true", `--api-key=${SECRET}`], { env });
  for (const [name, text] of filesIn(join(world.folder, "home"))) look(name, text);
  const programs = python ? 3 : 2;
  expect(found.filter(({ where }) => where.endsWith(".lane")).length).toBeGreaterThanOrEqual(
    programs,
  );

  await world.startServer();
  const post = (url: string, body: object) =>
    fetch(url, { method: "POST", body: JSON.stringify(body) });
  // 1.x's programs, at the server and at the daemon, redact nothing.
  const answer = await post(`${world.url}/api/sessions`, { product: "sown", version: "1.x" });
  const { session_id } = (await answer.json()) as { session_id: string };
  const session = `${world.url}/api/sessions/${session_id}`;
  await post(`${session}/state`, { state: SOWN });
  await post(`${session}/events`, { name: "login", data: SOWN });
  await post(`${session}/metrics`, { name: "load", value: 1, metadata: SOWN });
  await post(`${session}/end`, {});
  const { port } = JSON.parse(readFileSync(join(world.folder, "home/daemon.json"), "utf8")) as {
    port: number;
  };
  const daemon = `http://127.0.0.1:${port}`;
  const registered = await post(`${daemon}/register`, { product: "sown", version: "daemon" });
  const joined = (await registered.json()) as { session_id: string };
  await post(`${daemon}/state`, { ...joined, state: SOWN });
  await post(`${daemon}/event`, { ...joined, name: "login", data: SOWN });
  await post(`${daemon}/end`, joined);

  const ended = await eventually(async () => {
    const { items } = await world.get<Page<{ id: string; status: string }>>(
      "/api/sessions?product=sown&status=ended",
    );
    return items.length >= programs + 2 ? items : undefined;
  });
  for (const { id } of ended) {
    for (const path of [
      "",
      "/export",
      "/summary",
      "/state",
      "/state/history",
      "/events",
      "/metrics",
    ])
      look(path, await read(`${world.url}/api/sessions/${id}${path}`));
    look("page", await read(`${world.url}/sessions/${id}`));
    look("moment", await read(`${world.url}/sessions/${id}/moment`));
  }
  for (const path of [
    "/",
    "/sessions?text=sown",
    "/exceptions",
    "/metrics?metric=load",
    "/api/data/sessions",
  ])
    look(path, await read(`${world.url}${path}`));
  for (const body of wire.bodies) look("wire", body);
  await world.run(["daemon", "stop"]);
  await world.stopServer();
  for (const [name, text] of filesIn(world.folder)) look(name, text);

  // Proof that all places were searched: a text that is no secret is found in each.
  const has = (kind: string) =>
    found.some(({ where, text }) => where.includes(kind) && text.includes(PUBLIC));
  for (const kind of [".lane", "wire", "/export", "/state", "/events", "page", ".sqlite"])
    expect({ kind, has: has(kind) }).toEqual({ kind, has: true });
  expect(found.filter(({ text }) => text.includes(SECRET)).map(({ where }) => where)).toEqual([]);
});

async function read(url: string): Promise<string> {
  const answer = await fetch(url);
  expect(answer.status, url).toBe(200);
  return answer.text();
}

function filesIn(folder: string): [name: string, text: string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), "latin1")]);
}

/** A proxy between the daemon and the server that keeps what it forwards. */
class Wire {
  readonly bodies: string[] = [];
  readonly #server: Server;

  static async to(target: string): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>((resolve) => wire.#server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  private constructor(target: string) {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set
      const body = Buffer.concat(chunks);
      const isPacked = request.headers["content-encoding"] === "gzip";
      this.bodies.push(
        `${request.rawHeaders.join()} ${(isPacked ? gunzipSync(body) : body).toString()}`,
      );
      try {
        const { host: _host, connection: _, ...headers } = request.headers;
        const answer = await fetch(`${target}${request.url}`, {
          method: request.method ?? "GET",
          headers: headers as Record<string, string>, // none of ours comes twice
          ...(body.length > 0 && { body }),
        });
        response.writeHead(answer.status, { "content-type": "application/json" });
        response.end(await answer.text());
      } catch {
        response.destroy(); // there is no server yet
      }
    });
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("The wire is cut.");
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
