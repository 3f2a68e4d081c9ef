/** What a refused attack costs: bytes that are read of its body, characters that are parsed, statements in the databases. */
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { SECRET, newKey } from "../access/world.ts";
import { gzip, open, server } from "./server.ts";

const MIB = 1024 * 1024;
const PIECE = new Uint8Array(64 * 1024).fill(0x5b);

const counted = { read: 0, statements: 0 };

function counting(database: D1Database): D1Database {
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare" || name === "batch") counted.statements++;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

const HOME = "https://datacat.example.org";
const ask = server(
  {
    ADMIN_SECRET: SECRET,
    CATALOG: counting(env.CATALOG),
    REGISTRY: counting(env.REGISTRY),
  },
  HOME,
);

/** A body that never ends. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      counted.read += PIECE.length;
      controller.enqueue(PIECE);
    },
  });
}

/** The bytes, as a body whose reading is counted. */
function body(bytes: Uint8Array | string): ReadableStream<Uint8Array> {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = all.slice(at, at + PIECE.length);
      counted.read += piece.length;
      at += piece.length;
      if (piece.length > 0) controller.enqueue(piece);
      else controller.close();
    },
  });
}

type Attack = {
  what: string;
  status: number;
  path: string;
  method?: string;
  body?: () => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;
  headers?: Record<string, string>;
  /** Default: of an administrator. "bound": an admin key of another product. */
  as?: "bound" | "none";
  /** At most; default: nothing is read or asked, and only what databases answer about the caller is parsed. */
  read?: number;
  parsed?: number;
  statements?: number;
};

const GZIP = { "content-encoding": "gzip" };
const bomb = async () => body(await gzip(" ".repeat(40 * MIB)));
const MAPS = "/api/sourcemaps?product=cost&version=1&file=a.js";
const CHUNKS = "/api/sessions/SESSION/attachments/a.1/chunks";
const q = (text: string) => `/api/sessions?q=${encodeURIComponent(text)}`;

const ATTACKS: Attack[] = [
  {
    what: "a batch that never ends",
    path: "/api/ingest",
    method: "POST",
    body: endless,
    status: 413,
    read: 8.2 * MIB,
  },
  {
    what: "a batch that inflates to 40 MiB",
    path: "/api/ingest",
    method: "POST",
    body: bomb,
    headers: GZIP,
    status: 413,
    read: MIB,
  },
  {
    what: "a batch of two million lists",
    path: "/api/ingest",
    method: "POST",
    body: () => body(`[${"[],".repeat(2e6)}[]]`),
    status: 413,
    read: 6.2 * MIB,
  },
  {
    what: "a batch without a key",
    path: "/api/ingest",
    method: "POST",
    body: endless,
    as: "none",
    status: 401,
    statements: 2,
  },
  {
    what: "a chunk that never ends",
    path: `${CHUNKS}/0`,
    method: "PUT",
    body: endless,
    status: 413,
    read: 1.2 * MIB,
  },
  {
    what: "a chunk with a negative number",
    path: `${CHUNKS}/-1`,
    method: "PUT",
    body: endless,
    status: 400,
  },
  {
    what: "a chunk with a huge number",
    path: `${CHUNKS}/99999999999`,
    method: "PUT",
    body: endless,
    status: 400,
  },
  {
    what: "a chunk that is compressed",
    path: `${CHUNKS}/0`,
    method: "PUT",
    body: bomb,
    headers: GZIP,
    status: 400,
  },
  {
    what: "a chunk without a key",
    path: `${CHUNKS}/0`,
    method: "PUT",
    body: endless,
    as: "none",
    status: 401,
    statements: 2,
  },
  {
    what: "a chunk for another product",
    path: `${CHUNKS}/0`,
    method: "PUT",
    body: () => body("x"),
    as: "bound",
    status: 403,
    read: 1,
    statements: 4,
  },
  {
    what: "a source map that never ends",
    path: MAPS,
    method: "PUT",
    body: endless,
    status: 413,
    read: 8.2 * MIB,
    statements: 2,
  },
  {
    what: "a source map that inflates to 40 MiB",
    path: MAPS,
    method: "PUT",
    body: bomb,
    headers: GZIP,
    status: 413,
    read: MIB,
    statements: 4,
  },
  {
    what: "a source map of lists in lists",
    path: MAPS,
    method: "PUT",
    body: () => body(`{"version":${"[".repeat(1e6)}`),
    status: 400,
    read: 1.2 * MIB,
    statements: 4,
  },
  {
    what: "a source map for another product",
    path: MAPS,
    method: "PUT",
    body: endless,
    as: "bound",
    status: 403,
    statements: 4,
  },
  { what: "a query of 12,000 characters", path: q("a".repeat(12_000)), status: 400, statements: 4 },
  {
    what: "a query of 300 values",
    path: q(`event:${Array(300).fill("a*").join()}`),
    status: 400,
    statements: 4,
  },
  { what: "a query nested 300 deep", path: q("(".repeat(300)), status: 400, statements: 4 },
  {
    what: "a query of 90 ranges of versions",
    path: q(`version:${Array(90).fill(">1").join()}`),
    status: 400,
    statements: 4,
  },
  {
    what: "merging 10,000 groups",
    path: "/api/exceptions/0123456789abcdef/merges",
    method: "POST",
    body: () =>
      body(
        JSON.stringify({ product: "cost", fingerprints: Array(10_000).fill("0123456789abcdef") }),
      ),
    status: 400,
    read: 0.3 * MIB,
    parsed: 0.3 * MIB,
    statements: 4,
  },
];

test.each(ATTACKS)("$what is refused before it costs anything", async (attack) => {
  const {
    path,
    method = "GET",
    as,
    headers,
    status,
    read = 0,
    parsed = 4_000,
    statements = 0,
  } = attack;
  const { key } = await newKey({ label: "bound", kind: "admin", product: "another" });
  const session = await open(
    (at, init) => ask(at, { ...init, headers: { authorization: `Bearer ${SECRET}` } }),
    { product: "cost" },
  );
  const sent = await attack.body?.();
  const authorization = as === "none" ? undefined : `Bearer ${as === "bound" ? key : SECRET}`;
  const all = { ...headers, ...(authorization !== undefined && { authorization }) };
  const init = { method, headers: all, ...(sent && { body: sent, duplex: "half" }) };
  Object.assign(counted, { read: 0, statements: 0 });
  const parse = vi.spyOn(JSON, "parse");
  const answer = await ask(path.replace("SESSION", session), init);
  const characters = parse.mock.calls.reduce((sum, [text]) => sum + text.length, 0);
  parse.mockRestore();
  expect(answer.status, await answer.text()).toBe(status);
  // A stream reads one piece ahead.
  expect(counted.read).toBeLessThanOrEqual(read + PIECE.length);
  expect(characters).toBeLessThanOrEqual(parsed);
  expect(counted.statements).toBeLessThanOrEqual(statements);
});
