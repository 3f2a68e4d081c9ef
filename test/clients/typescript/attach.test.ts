/** Attachments of the TypeScript client: numbers, sources, crash handlers, and direct mode against a server that fails. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { attach, flushAttachments } from "../../../clients/typescript/attach/attach.ts";
import { attachmentOp } from "../../../clients/typescript/attach/attachment.ts";
import { DirectSession } from "../../../clients/typescript/attach/direct-session.ts";
import * as limits from "../../../clients/typescript/attach/limits.ts";
import { WorkerSession } from "../../../clients/typescript/attach/worker-session.ts";
import { openDirect } from "../../../clients/typescript/direct/sender.ts";
import { LaneFile } from "../../../clients/typescript/lane/lane-file.ts";
import { LaneSession } from "../../../clients/typescript/lane/lane-session.ts";
import { Session } from "../../../clients/typescript/session/session.ts";
import fixture from "../../fixtures/attachments.json" with { type: "json" };
import { readLanes, testHome, type Line } from "./lanes.ts";

const client = new URL("../../../clients/typescript/node.ts", import.meta.url).pathname;
const MIB = 1024 * 1024;

test("this client has the numbers and the types of all clients", () => {
  expect({
    max_bytes: limits.MAX_ATTACHMENT_BYTES,
    block_bytes: limits.BLOCK_BYTES,
    chunk_bytes: limits.CHUNK_BYTES,
    waiting_bytes: limits.WAITING_BYTES,
    unknown_answers: limits.UNKNOWN_ANSWERS,
    type_length: limits.TYPE_LENGTH,
  }).toEqual(
    Object.fromEntries(Object.entries(fixture).filter(([, value]) => typeof value === "number")),
  );
  const typeOf = (name: string) =>
    /"type":"([^"]+)"/.exec(
      attachmentOp(name, undefined, { id: "i", size: 0, sha256: "" }, []),
    )?.[1];
  for (const [extension, type] of Object.entries(fixture.types))
    expect(typeOf(`a.${extension}`)).toBe(type);
  expect(typeOf("a.exe")).toBe(fixture.default_type);
});

/** A session whose lane is in a folder of its own. */
function laneSession() {
  const folder = mkdtempSync(join(tmpdir(), "datacat-attach-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lanes = join(folder, "lanes");
  mkdirSync(lanes);
  const header = { lane: "l", session: "s", server: "", at: 1, monotonic_ms: 1, writer: {} };
  const lane = new LaneFile({ folder: lanes, header, maxBytes: 8 * MIB });
  const settings = { url: "", server: "", stacks: false, fatalReports: false };
  const session = new LaneSession("s", settings, lane, false);
  const records = () => readLanes({ lanes })[0]?.records ?? [];
  const contents = () => readdirSync(lanes).filter((name) => name.endsWith(".attachment"));
  return { folder, lanes, session, records, contents };
}

test("a path may be a link to a file, or a file: URL; a file that grows is recorded as far as it was read", () => {
  const { folder, lanes, session, records } = laneSession();
  const path = join(folder, "run.log");
  writeFileSync(path, "one\n");
  symlinkSync(path, join(folder, "link"));
  session.attach("run.log", path);
  appendFileSync(path, "two\n");
  session.attach("link.log", join(folder, "link"));
  session.attach("url.log", pathToFileURL(path));
  const sizes = records()
    .slice(1)
    .map((record) => record["size"]);
  expect(sizes).toEqual([4, 8, 8]);
  expect(readFileSync(join(lanes, "l.1.attachment"), "utf8")).toBe("one\n");
});

test("what is no regular file, too large, missing or no content is a counted loss, named by an event", () => {
  const { folder, session, records, contents } = laneSession();
  const path = (name: string) => join(folder, name);
  execFileSync("mkfifo", [path("pipe")]);
  writeFileSync(path("huge"), "");
  truncateSync(path("huge"), 20 * 1024 * MIB);
  session.attach("pipe", path("pipe"));
  session.attach("folder", folder);
  session.attach("huge", path("huge"));
  session.attach("missing", path("missing"));
  session.attach("null", null as unknown as string);
  expect(contents()).toEqual([]);
  const lost = records().filter(({ op }: Line) => op === "dropped");
  expect(lost.map(({ cause, detail }: Line) => `${cause} ${detail}`)).toEqual([
    "unreadable pipe: it is not a regular file",
    "unreadable folder: it is not a regular file",
    `too_large huge: ${20 * 1024 * MIB} bytes`,
    "unreadable missing: no such file or directory",
    "unreadable null: neither bytes nor a path",
  ]);
  const events = records().filter(({ op }: Line) => op === "event");
  expect(events.map(({ data }: Line) => data.attachment)).toEqual([
    "pipe",
    "folder",
    "huge",
    "missing",
    "null",
  ]);
  expect(session.stats().dropped).toEqual({ unreadable: 4, too_large: 1 });
});

test("where the content cannot be written the op is lost, and counted as ops are", () => {
  const { lanes, session, records, contents } = laneSession();
  mkdirSync(join(lanes, "l.1.attachment")); // in the way of the first
  session.attach("a", Uint8Array.of(1));
  session.attach("b", Uint8Array.of(2));
  session.end();
  session.attach("c", Uint8Array.of(3));
  expect(records().map(({ op, cause, name }: Line) => [op, cause ?? name])).toEqual([
    ["start", undefined],
    ["dropped", "write_failed"],
    ["event", "attachment_lost"],
    ["attachment", "b"],
    ["end", undefined],
  ]);
  expect(contents()).toEqual(["l.1.attachment", "l.2.attachment"]);
  expect(session.stats().dropped).toEqual({ write_failed: 1 });
});

test("a listener of the uncaught exception attaches, also one that was added after the session was opened", () => {
  using home = testHome();
  const script = join(home.folder, "program.mjs");
  writeFileSync(
    script,
    `import { open } from ${JSON.stringify(client)};
    let session;
    process.on("uncaughtExceptionMonitor", () => session.attach("before.txt", Buffer.from("1")));
    session = open();
    process.on("uncaughtExceptionMonitor", () => session.attach("after.txt", Buffer.from("22")));
    throw new Error("x");`,
  );
  const ran = spawnSync(process.execPath, [script], {
    env: { PATH: process.env["PATH"], DATACAT_HOME: home.folder, DATACAT_DAEMON: "off" },
  });
  expect(ran.status).toBe(1);
  const records = readLanes(home)[0]?.records ?? [];
  expect(records.map(({ op, name }) => name ?? op)).toEqual([
    "start",
    "before.txt",
    "exception",
    "after.txt",
    "crash",
  ]);
  expect(records.at(-1)).toMatchObject({ reason: "uncaught_exception", exit_code: 1 });
});

/** The server's routes of attachments and batches; `faults` come first, one for each request of an attachment. */
async function server() {
  const faults: number[] = [];
  const uploads: string[] = [];
  const ops: Line[] = [];
  const chunks = new Map<string, Map<number, Buffer>>();
  const keys = new Set<string | undefined>();
  const listener = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    keys.add(request.headers.authorization);
    const [, id, chunk] = /attachments\/([^/]+)\/chunks\/?(\d+)?/.exec(request.url ?? "") ?? [];
    if (id === undefined) {
      const { batches } = JSON.parse(body.toString()) as { batches: Line[] };
      const results = batches.map(({ session, lane, last, ops: sent }) => {
        ops.push(...sent);
        return { session, lane, applied: last };
      });
      return response.end(JSON.stringify({ results }));
    }
    uploads.push([request.method, chunk].filter(Boolean).join(" "));
    const fault = faults.shift();
    if (fault !== undefined) return response.writeHead(fault).end("{}");
    const op = ops.find((each) => each["id"] === id);
    if (!op) return response.writeHead(404).end("{}");
    const stored = chunks.get(id) ?? new Map<number, Buffer>();
    chunks.set(id, stored);
    if (chunk !== undefined) stored.set(Number(chunk), body);
    const count = Math.ceil(op["size"] / MIB);
    const received = [...stored.keys()];
    return response.end(
      JSON.stringify({ id, chunks: count, received, complete: received.length === count }),
    );
  }
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`; // listening on a port
  onTestFinished(() => {
    listener.closeAllConnections();
    listener.close();
  });
  const content = (id: string) =>
    Buffer.concat(
      [...(chunks.get(id) ?? [])].toSorted(([a], [b]) => a - b).map(([, part]) => part),
    );
  return { url, faults, uploads, ops, keys, content };
}

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

test.each([
  ["Node", DirectSession],
  ["a Worker", WorkerSession],
  ["a page", Session],
] as const)("in direct mode of %s the chunks follow the op, with the key", async (_where, Kind) => {
  const far = await server();
  const { session } = openDirect(Kind, { url: far.url, key: "the-key" }, {});
  const content = new Uint8Array(2 * MIB + 3).fill(5);
  if (session instanceof DirectSession || session instanceof WorkerSession)
    await session.attach("a.bin", content);
  else await attach(session, "a.bin", content);
  content.fill(6); // the program goes on with its own bytes
  await session.flush();
  if (!(session instanceof DirectSession)) await flushAttachments(session);
  const [op] = far.ops.filter((each) => each["op"] === "attachment");
  expect(op).toMatchObject({ name: "a.bin", size: 2 * MIB + 3 });
  expect(sha256(far.content(op?.["id"] ?? ""))).toBe(op?.["sha256"]);
  expect(far.content(op?.["id"] ?? "")[0]).toBe(5);
  expect(far.uploads).toEqual(["GET", "PUT 0", "PUT 1", "PUT 2"]);
  expect([...far.keys]).toEqual(["Bearer the-key"]);
});

test("in direct mode a failed request is made again, and a refused one is not", async () => {
  const far = await server();
  const { session } = openDirect(DirectSession, { url: far.url }, {});
  far.faults.push(503);
  session.attach("a", Uint8Array.of(1));
  await session.flush(20_000);
  expect(far.uploads).toEqual(["GET", "GET", "PUT 0"]);
  far.faults.push(422);
  session.attach("b", Uint8Array.of(2));
  await session.flush(20_000);
  expect(far.uploads.slice(3)).toEqual(["GET"]);
  expect(session.stats()).toMatchObject({ waiting: 0, dropped: {} });
});

test("in direct mode what is no content is counted and named, and nothing is thrown", async () => {
  const far = await server();
  const page = openDirect(Session, { url: far.url }, {}).session;
  for (const content of [null, undefined, 5, "text"])
    await attach(page, "a", content as unknown as Uint8Array); // as: a program without types
  await page.flush();
  expect(far.uploads).toEqual([]);
  expect(far.ops.map(({ op, name, cause }) => name ?? cause ?? op)).toEqual([
    "start",
    ...Array.from({ length: 4 }, () => ["unreadable", "attachment_lost"]).flat(),
  ]);
});

test("in direct mode content without room is counted and named, and there is room again later", async () => {
  const far = await server();
  const { session } = openDirect(DirectSession, { url: far.url }, {});
  session.attach("large", new Uint8Array(3 * MIB));
  session.attach("second", new Uint8Array(2 * MIB));
  expect(session.stats().dropped).toEqual({ queue_full: 1 });
  await session.flush(20_000);
  session.attach("third", new Uint8Array(2 * MIB));
  await session.flush(20_000);
  const shown = far.ops.map(({ op, name, cause }) => [op, name ?? cause]);
  expect(shown).toEqual([
    ["start", undefined],
    ["attachment", "large"],
    ["dropped", "queue_full"],
    ["event", "attachment_lost"],
    ["attachment", "third"],
  ]);
});
