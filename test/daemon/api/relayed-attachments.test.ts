/** The content of attachments of clients on another disk, which a daemon passes on to the server. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { SHOWS_PEERS } from "../../../daemon/peer.ts";
import { ATTACHMENT_CHUNK_BYTES as CHUNK } from "../../../src/core/limits.ts";
import { asRoot, askAsSecondUser } from "../../second-user.ts";
import { until, World } from "../world.ts";

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

/** A daemon that has the op of an attachment `a` of this content. */
async function relay(content: Buffer) {
  const world = await World.make();
  const { port } = await world.daemon();
  const url = `http://127.0.0.1:${port}`;
  const chunks = `${url}/api/sessions/s/attachments/a/chunks`;
  const op = { op: "attachment", at: 2, id: "a", name: "a.bin", type: "a/b" };
  const ops = [
    { op: "start", at: 1 },
    { ...op, size: content.length, sha256: sha256(content) },
  ];
  const batch = { session: "s", lane: "l", first: 1, last: 2, ops };
  const sent = await fetch(`${url}/api/ingest`, {
    method: "POST",
    body: JSON.stringify({ batches: [batch] }),
  });
  expect(await sent.json()).toEqual({ results: [{ session: "s", lane: "l", applied: 2 }] });
  const put = (chunk: number, body: Buffer, headers: Record<string, string> = {}) =>
    fetch(`${chunks}/${chunk}`, { method: "PUT", body: new Uint8Array(body), headers });
  return { world, url, chunks, put, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

test("chunks go to the server, with what it has of them as the answer", async () => {
  const content = Buffer.alloc(CHUNK + 3, 7);
  await using daemon = await relay(content);
  const { world, chunks, put } = daemon;
  await until(() => world.server.ops("s", "attachment")).toHaveLength(1);
  await expect(fetch(chunks).then((answer) => answer.json())).resolves.toMatchObject({
    chunks: 2,
    received: [],
  });
  const first = content.subarray(0, CHUNK);
  expect((await put(0, first, { "x-chunk-sha256": sha256(first) })).status).toBe(200);
  expect(await (await put(1, content.subarray(CHUNK))).json()).toMatchObject({ complete: true });
  expect(world.server.content("s", "a").equals(content)).toBe(true);
});

test("while the op waits in the daemon, the client is asked to come again", async () => {
  const content = Buffer.from("content");
  await using daemon = await relay(content);
  const { world, url, chunks } = daemon;
  await until(() => world.server.ops("s", "attachment")).toHaveLength(1);
  // A server that fails keeps the next op here.
  world.server.behaviour = { status: 503 };
  const op = { op: "attachment", at: 3, id: "b", name: "b", size: 7, sha256: sha256(content) };
  const batch = { session: "s", lane: "l", first: 3, last: 3, ops: [op] };
  await fetch(`${url}/api/ingest`, {
    method: "POST",
    body: JSON.stringify({ batches: [batch] }),
  });
  const waiting = await fetch(chunks.replace("/a/", "/b/"));
  expect([waiting.status, waiting.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await waiting.json()).toMatchObject({ error: { code: "unavailable" } });
  // One that no batch has announced is unknown to both.
  const unknown = await fetch(chunks.replace("/a/", "/c/"));
  expect([unknown.status, await unknown.json()]).toMatchObject([
    404,
    { error: { code: "not_found" } },
  ]);
});

test("what the server refuses, and what is no chunk, is refused", async () => {
  const content = Buffer.from("content");
  await using daemon = await relay(content);
  const { world, url, put } = daemon;
  await until(() => world.server.ops("s", "attachment")).toHaveLength(1);
  const refused = async (answer: Promise<Response>) => {
    const { status, headers } = await answer.then(async (each) => {
      await each.arrayBuffer();
      return each;
    });
    return [status, headers.get("retry-after")];
  };
  expect(await refused(put(0, content, { "x-chunk-sha256": sha256(Buffer.from("x")) }))).toEqual([
    400,
    null,
  ]);
  expect(await refused(put(0, content, { "content-encoding": "gzip" }))).toEqual([400, null]);
  expect(await refused(put(0, Buffer.alloc(CHUNK + 1)))).toEqual([413, null]);
  expect(world.server.uploads).toEqual([]);
  world.server.nextUpload = [
    { status: 429, headers: { "retry-after": "60" } },
    { status: 422, body: '{"error":{"code":"attachment_refused","message":"no"}}' },
  ];
  expect(await refused(put(0, content))).toEqual([429, "60"]);
  expect(await refused(put(0, content))).toEqual([422, null]);
  expect(await refused(fetch(`${url}/api/sessions/s/attachments/a`))).toEqual([404, null]);
  expect(await refused(fetch(`${url}/api/sessions/s/attachments//chunks`))).toEqual([404, null]);
  expect(
    await refused(fetch(`${url}/api/sessions/s/attachments/a/chunks`, { method: "POST" })),
  ).toEqual([405, null]);
  await world.server.down();
  expect(await refused(put(0, content))).toEqual([503, null]);
  await world.server.up();
  expect(await refused(put(0, content))).toEqual([200, null]);
});

asRoot(SHOWS_PEERS)("another user's programs neither ask for nor put chunks", async () => {
  await using daemon = await relay(Buffer.from("content"));
  const { world, chunks } = daemon;
  await until(() => world.server.ops("s", "attachment")).toHaveLength(1);
  expect((await askAsSecondUser(chunks)).status).toBe(401);
  const put = { method: "PUT", body: "content" };
  expect((await askAsSecondUser(`${chunks}/0`, put)).status).toBe(401);
  expect(world.server.uploads).toEqual([]);
});
