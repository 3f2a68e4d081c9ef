/** The requests that the clients of 1.x send to the daemon, the answers that they need, and what the server receives. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { World } from "../world.ts";

type Step = { request: [string, string]; body?: unknown; status: number; answer: object | null };
type Conversation = { name: string; steps: Step[]; ops: object[] };

const file = join(import.meta.dirname, "../../fixtures/legacy/daemon.json");
const conversations = JSON.parse(readFileSync(file, "utf8")) as Conversation[];

test.each(conversations)("$name", async ({ steps, ops }) => {
  await using world = await World.make();
  world.server.pages.set("/health", { status: 200, body: "{}" });
  const { port } = await world.daemon();
  let id = "";
  for (const { request: asked, body, status, answer } of steps) {
    const [method, path] = asked;
    const text = body === undefined ? "" : JSON.stringify(body).replaceAll("{id}", id);
    const got = await send(port, method, path, text);
    expect([method, path, got.status]).toEqual([method, path, status]);
    if (answer === null) continue;
    const json = JSON.parse(got.text) as { session_id?: string };
    id ||= json.session_id ?? "";
    expect(json).toEqual(JSON.parse(JSON.stringify(answer).replaceAll("{id}", id)));
  }
  if (ops.length > 0) expect(world.server.session(id).ops).toMatchObject(ops);
});

/** As written: fetch would change a path that begins with two slashes. */
function send(
  port: number,
  method: string,
  path: string,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
