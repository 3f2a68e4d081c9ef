/** Attachments over HTTP: authority, budgets, hostile names and requests, the headers of a download, ranges. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { bearer, code, deployed, newKey, SECRET } from "../access/world.ts";
import { CHUNK, type File, file, fileOf } from "../session/attachments/attachments.ts";
import { open, post, server, type Server, withKey } from "./server.ts";

const ask = server();

async function announced(files: File[], by: Server = ask, product = "game"): Promise<string> {
  const id = await open(by, { product });
  const ops = files.map(({ op }) => op);
  const batch = { session: id, lane: "l", first: 1, last: ops.length, ops };
  const answer = await by("/api/ingest", post({ batches: [batch] }));
  expect(await answer.json()).toMatchObject({ results: [{ applied: ops.length }] });
  return id;
}

const pathOf = (session: string, { op }: File) => `/api/sessions/${session}/attachments/${op.id}`;

function put(session: string, sent: File, chunk: number | string, more: RequestInit = {}) {
  const body = sent.chunks[Number(chunk)] ?? new Uint8Array();
  return {
    path: `${pathOf(session, sent)}/chunks/${chunk}`,
    init: { method: "PUT", body, ...more },
  };
}

async function send(by: Server, session: string, sent: File): Promise<Response[]> {
  const answers = [];
  for (const chunk of sent.chunks.keys()) {
    const { path, init } = put(session, sent, chunk);
    answers.push(await by(path, init));
  }
  return answers;
}

test("a file is announced, sent in chunks, listed and downloaded", async () => {
  const save = file(CHUNK + 3, { name: "level 7.sav", type: "text/html" });
  const id = await announced([save]);
  const path = pathOf(id, save);
  expect(await code(await ask(path))).toBe("not_found");
  expect(await (await ask(`${path}/chunks`)).json()).toEqual({
    id: save.op.id,
    size: CHUNK + 3,
    chunks: 2,
    received: [],
    complete: false,
  });
  const [first, last] = await send(ask, id, save);
  expect(await first?.json()).toMatchObject({ received: [0], complete: false });
  expect(await last?.json()).toEqual({
    id: save.op.id,
    size: CHUNK + 3,
    chunks: 2,
    received: [0, 1],
    complete: true,
  });
  const list = await (await ask(`/api/sessions/${id}/attachments`)).json();
  const { op: _, ...announcedAs } = save.op;
  expect(list).toEqual({
    items: [{ ...announcedAs, seq: 2, complete: true, received_bytes: CHUNK + 3 }],
    next: null,
  });
  const download = await ask(path);
  expect(Object.fromEntries(download.headers)).toMatchObject({
    "content-type": "application/octet-stream",
    "content-length": String(CHUNK + 3),
    "content-disposition": 'attachment; filename="level 7.sav"',
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    etag: `"${save.op.sha256}"`,
  });
  expect(new Uint8Array(await download.arrayBuffer())).toEqual(save.bytes);
});

const MARKUP = new TextEncoder().encode("<html><script>alert(1)</script>");
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]);

test.each([
  ["a PNG", PNG, "image/png", "image/png"],
  ["a PNG that calls itself markup", PNG, "text/html", "application/octet-stream"],
  ["markup that calls itself a PNG", MARKUP, "image/png", "application/octet-stream"],
  ["markup", MARKUP, "text/html", "application/octet-stream"],
  ["SVG", MARKUP, "image/svg+xml", "application/octet-stream"],
  ["a type with a header in it", PNG, "image/png\r\nx-bad: 1", "application/octet-stream"],
])("%s is sent as %4$s", async (_what, bytes, type, expected) => {
  const sent = fileOf(bytes, { type });
  const id = await announced([sent]);
  await send(ask, id, sent);
  for (const path of [pathOf(id, sent), pathOf(id, sent).replace("/api", "")]) {
    const answer = await ask(path);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, expected]);
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment;/);
    expect(answer.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);
    expect(answer.headers.has("x-bad")).toBe(false);
    await answer.arrayBuffer();
  }
});

test.each([
  ["ordinary.txt", "ordinary.txt"],
  ["../../etc/passwd", "passwd"],
  ["C:\\Users\\ada\\save.dat", "save.dat"],
  ["a\r\nx-bad: 1\r\n\r\n<html>.txt", "ax-bad_ 1_html_.txt"],
  ['quote".txt', "quote_.txt"],
  ["", "attachment-ID"],
  ["..", "attachment-ID"],
  ["/", "attachment-ID"],
  [" . ", "attachment-ID"],
  ["nul.txt", "_nul.txt"],
  [".bashrc", "bashrc"],
  ["\u202egnp.exe", "gnp.exe"],
  ["\u0000\u001b[31m.txt", "[31m.txt"],
  ["bild größe 猫.png", "bild größe 猫.png"],
  [`${"x".repeat(250)}.png`, `${"x".repeat(196)}.png`],
  ["a'b%c;d.txt", "a'b%c;d.txt"],
])("the name %j is downloaded as %j", async (name, expected) => {
  const sent = file(1, { name });
  const id = await announced([sent]);
  await send(ask, id, sent);
  const answer = await ask(pathOf(id, sent));
  await answer.arrayBuffer();
  const disposition = answer.headers.get("content-disposition") ?? "";
  expect(disposition).toMatch(
    /^attachment; filename="[\w .()-]+"(; filename\*=UTF-8''[\w%.~-]+)?$/,
  );
  const [, ascii = ""] = /filename="([^"]*)"/.exec(disposition) ?? [];
  const [, encoded] = /filename\*=UTF-8''(.*)$/.exec(disposition) ?? [];
  const shown = encoded === undefined ? ascii : decodeURIComponent(encoded);
  expect(shown).toBe(expected.replace("ID", sent.op.id));
});

test.each([
  ["bytes=0-0", 206, [0, 1]],
  ["bytes=2-4", 206, [2, 5]],
  ["bytes=5-", 206, [5, 10]],
  ["bytes=-3", 206, [7, 10]],
  ["bytes=-30", 206, [0, 10]],
  ["bytes=0-99", 206, [0, 10]],
  ["bytes=10-", 416, undefined],
  ["bytes=-0", 416, undefined],
  ["bytes=5-2", 200, [0, 10]],
  ["bytes=0-1,3-4", 200, [0, 10]],
  ["bytes=a-b", 200, [0, 10]],
  ["bytes=-", 200, [0, 10]],
  ["lines=1-2", 200, [0, 10]],
  [`bytes=${"9".repeat(400)}-`, 200, [0, 10]],
  ["bytes=999999999999999-", 416, undefined],
])("the range %s", async (range, status, part) => {
  const sent = fileOf(Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  const id = await announced([sent]);
  await send(ask, id, sent);
  const answer = await ask(pathOf(id, sent), { headers: { range } });
  expect(answer.status).toBe(status);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (!part) return;
  expect(bytes).toEqual(sent.bytes.slice(...part));
  const [from = 0, to = 0] = part;
  expect(answer.headers.get("content-range")).toBe(
    status === 206 ? `bytes ${from}-${to - 1}/10` : null,
  );
});

describe("a chunk that does not fit is refused:", () => {
  const save = file(CHUNK + 5);
  let id = "";
  beforeAll(async () => void (id = await announced([save])));
  const SHA = "0".repeat(64);

  test.each<[string, string, RequestInit, number, string]>([
    ["number 2", "2", { body: "x" }, 400, "bad_chunk"],
    ["number -1", "-1", {}, 400, "bad_chunk"],
    ["number 1e3", "1e3", {}, 400, "bad_chunk"],
    ["number 99999", "99999", {}, 400, "bad_chunk"],
    ["number ../0", "..%2F0", {}, 400, "bad_chunk"],
    ["number 0x0", "0x0", {}, 400, "bad_chunk"],
    ["too small", "1", { body: "four" }, 400, "bad_chunk"],
    ["empty", "1", { body: "" }, 400, "bad_chunk"],
    ["without a body", "1", {}, 400, "bad_chunk"],
    ["too large", "0", { body: new Uint8Array(CHUNK + 1) }, 413, "too_large"],
    [
      "another checksum",
      "1",
      { body: "12345", headers: { "x-chunk-sha256": SHA } },
      400,
      "bad_chunk",
    ],
    ["no checksum", "1", { body: "12345", headers: { "x-chunk-sha256": "x" } }, 400, "bad_chunk"],
    [
      "gzip",
      "1",
      { body: "12345", headers: { "content-encoding": "gzip" } },
      400,
      "invalid_encoding",
    ],
  ])("%s", async (_what, chunk, init, status, reason) => {
    const answer = await ask(`${pathOf(id, save)}/chunks/${chunk}`, { method: "PUT", ...init });
    expect(answer.status).toBe(status);
    expect(await code(answer)).toBe(reason);
    const progress = await ask(`${pathOf(id, save)}/chunks`);
    expect(await progress.json()).toMatchObject({ received: [], complete: false });
  });

  test("a body that has no length is cut at the limit", async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        if (sent > 8 * CHUNK) controller.close();
        else controller.enqueue(new Uint8Array(65_536));
      },
    });
    const { path, init } = put(id, save, 0, { body });
    const answer = await ask(path, init);
    expect([answer.status, await code(answer)]).toEqual([413, "too_large"]);
    expect(sent).toBeLessThan(2 * CHUNK);
  });
});

test("an attachment over a limit is listed with its reason, and its content is refused for good", async () => {
  const large = file(1, { size: 10 * 1024 * 1024 + 1 });
  const id = await announced([large]);
  const { path, init } = put(id, large, 0);
  const answer = await ask(path, init);
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({
    error: { code: "attachment_refused", reason: "too_large" },
  });
  expect(await (await ask(`${pathOf(id, large)}/chunks`)).json()).toMatchObject({
    refused: "too_large",
    received: [],
  });
  expect(await (await ask(`/api/sessions/${id}/attachments`)).json()).toMatchObject({
    items: [{ refused: "too_large", received_bytes: 0 }],
  });
  const missing = await ask(pathOf(id, large));
  expect([missing.status, await code(missing)]).toEqual([404, "not_found"]);
});

test("no id, number or body makes a server error", async () => {
  const save = file(3);
  const id = await announced([save]);
  const part = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom("__proto__", "..", "%00", save.op.id, "0", "\ud800", "x".repeat(300)),
  );
  await fc.assert(
    fc.asyncProperty(part, part, fc.uint8Array({ maxLength: 5 }), async (one, other, body) => {
      const [attachment, chunk] = [one, other].map((text) =>
        encodeURIComponent(text.toWellFormed()),
      );
      const path = `/api/sessions/${id}/attachments/${attachment}`;
      for (const [to, init] of [
        [`${path}/chunks/${chunk}`, { method: "PUT", body }],
        [`${path}/chunks`, {}],
        [path, { headers: { range: `bytes=${chunk}` } }],
      ] as const) {
        const answer = await ask(to, init);
        expect(answer.status, to).toBeLessThan(500);
        await answer.arrayBuffer();
      }
    }),
    { numRuns: 60 },
  );
});

describe("a page of another origin", () => {
  const origin = "https://game.example.org";
  const page = "http://localhost:5173";
  const evil = "https://evil.example.org";

  test("sends contents with its key, and reads the answers", async () => {
    const { key } = await newKey({ kind: "ingest", product: "game", origins: [origin] });
    const by: Server = (path, init = {}) =>
      deployed(path, withKey(key, { ...init, headers: { origin } }));
    const save = file(4);
    const id = await announced([save], (path, init) =>
      path.endsWith("/ingest") ? by(path, init) : deployed(path, withKey(SECRET, init)),
    ).catch(() => "");
    expect(id).toBe(""); // another key opened the session
    const batch = { session: crypto.randomUUID(), lane: "l", first: 1, last: 2 };
    const ops = [{ op: "start", at: 1 }, save.op];
    await by("/api/ingest", post({ batches: [{ ...batch, ops }] }));
    const { path, init } = put(batch.session, save, 0);
    const asked = await deployed(path, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "PUT" },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(asked.headers.get("access-control-allow-headers")).toContain("x-chunk-sha256");
    const answer = await by(path, init);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await answer.json()).toMatchObject({ complete: true });
  });

  test("on a local server only a page of this machine does", async () => {
    const save = file(4);
    const id = await announced([save]);
    const { path, init } = put(id, save, 0);
    const foreign = await ask(path, { ...init, headers: { origin: evil } });
    expect(foreign.status).toBe(403);
    const seen = await ask(`${pathOf(id, save)}/chunks`, { headers: { origin: evil } });
    expect(seen.headers.has("access-control-allow-origin")).toBe(false);
    const own = await ask(path, { ...init, headers: { origin: page } });
    expect([own.status, own.headers.get("access-control-allow-origin")]).toEqual([200, page]);
  });
});

describe("keys", () => {
  const by =
    (key: string): Server =>
    (path, init) =>
      deployed(path, withKey(key, init));

  test("only the key that opened the session, or one that may continue it, sends contents", async () => {
    const [own, other, continuing, reader] = await Promise.all([
      newKey({ kind: "ingest" }),
      newKey({ kind: "ingest" }),
      newKey({ kind: "ingest", continues_others: true }),
      newKey({ kind: "read" }),
    ]);
    const save = file(2 * CHUNK);
    const id = await announced([save], by(own.key));
    for (const [key, expected] of [
      [other.key, "forbidden"],
      [reader.key, "forbidden"],
      [own.key, "ok"],
    ] as const) {
      const { path, init } = put(id, save, 0);
      expect(await code(await by(key)(path, init))).toBe(expected);
      expect(await code(await by(key)(`${pathOf(id, save)}/chunks`))).toBe(expected);
    }
    const { path, init } = put(id, save, 1);
    expect(await code(await by(continuing.key)(path, init))).toBe("ok");
    expect(await code(await by(own.key)(pathOf(id, save)))).toBe("forbidden");
    const read = await by(reader.key)(pathOf(id, save));
    expect(new Uint8Array(await read.arrayBuffer())).toEqual(save.bytes);
  });

  test("over its budget of attachments a key waits; what it records otherwise is stored", async () => {
    const { id: keyId, key } = await newKey({ kind: "ingest", attachment_mib_per_day: 2 });
    const [one, two] = [file(2 * CHUNK), file(1)];
    const id = await announced([one, two], by(key));
    for (const answer of await send(by(key), id, one)) expect(await code(answer)).toBe("ok");
    // A repetition stores nothing.
    const again = put(id, one, 0);
    const { path, init } = put(id, two, 0);
    const over = await by(key)(path, init);
    expect(over.status).toBe(429);
    expect(Number(over.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await over.json()).toMatchObject({
      error: { code: "too_many_requests", budget: "attachment_mib_per_day", limit: 2 },
    });
    expect((await by(key)(again.path, again.init)).status).toBe(429);
    expect(await announced([], by(key)).then(() => "ok", String)).toBe("ok");
    const raised = post({ attachment_mib_per_day: null }, bearer(SECRET));
    expect((await deployed(`/api/keys/${keyId}`, raised)).status).toBe(200);
    expect(await code(await by(key)(path, init))).toBe("ok");
  });
});
