/** datacat 1.x's routes, as its clients and daemon need them (test/api/legacy.test.ts has each): every success is 200 with JSON. */
import { type Context, Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { listSessions, type SessionList } from "../catalog/sessions.ts";
import { LEGACY_LEASE_MS, MAX_PAGE } from "../core/limits.ts";
import { refusalOf } from "../core/refusal.ts";
import type { Op } from "../core/wire.ts";
import { newId } from "../core/id.ts";
import { readText } from "./request/body.ts";
import { crashOp, createBody, eventOp, metricOp, stateOp } from "./request/legacy.ts";
import { type SessionClient, sessionOf } from "../session/client.ts";
import { PublicationBatch } from "../session/publication-batch.ts";

export const legacy = new Hono<AccessEnv>();

legacy.post("/sessions", requires("ingest"), async (c) => {
  const { start, writer } = createBody(await readText(c.req.raw), Date.now());
  const { product } = c.var.access;
  if (product !== null) start.product = product;
  const id = newId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
  const session = sessionOf(c.env, c.var.access, id);
  // 1.x's programs list all sessions right after they made one, so the answer waits for its publication.
  await session.record([start], { writer }, new PublicationBatch(c.env).add().write);
  return c.json({ session_id: id });
});

legacy.get("/sessions/:id", requires("read"), async (c) =>
  c.body(await sessionOf(c.env, c.var.access, c.req.param("id")).stream("legacy"), 200, JSON_TYPE),
);

legacy.post("/sessions/:id/state", requires("ingest"), async (c) =>
  record(c, stateOp(await readText(c.req.raw), Date.now())),
);
legacy.post("/sessions/:id/events", requires("ingest"), async (c) =>
  record(c, eventOp(await readText(c.req.raw), Date.now())),
);
legacy.post("/sessions/:id/metrics", requires("ingest"), async (c) =>
  record(c, metricOp(await readText(c.req.raw), Date.now())),
);
legacy.post("/sessions/:id/crash", requires("ingest"), async (c) =>
  record(c, crashOp(await readText(c.req.raw), Date.now())),
);
legacy.post("/sessions/:id/end", requires("ingest"), (c) =>
  record(c, { op: "end", at: Date.now() }),
);
// Sent by 1.x's daemon on a timer, whether or not the program runs: so it only extends the lease.
legacy.post("/sessions/:id/heartbeat", requires("ingest"), (c) =>
  record(c, { op: "heartbeat", at: Date.now() }, LEGACY_LEASE_MS),
);

legacy.get("/data/sessions", requires("read"), everySession);
legacy.get("/grafana/sessions", requires("read"), everySession);

const JSON_TYPE = { "content-type": "application/json" };

async function record(c: Context<AccessEnv, "/:id">, op: Op, lease_ms?: number): Promise<Response> {
  const write = isOver(op) ? new PublicationBatch(c.env).add().write : undefined;
  await sessionOf(c.env, c.var.access, c.req.param("id")).record([op], { lease_ms }, write);
  return c.json({ status: "ok" });
}

function isOver({ op }: Op): boolean {
  return op === "end" || op === "crash";
}

/** Every session in full, as one array. It is streamed, since its length is not known. */
async function everySession(c: Context<AccessEnv>): Promise<Response> {
  const { access } = c.var;
  const pageAt = (cursor?: string) =>
    listSessions(c.env.CATALOG, { limit: MAX_PAGE, product: access.product ?? undefined, cursor });
  const first = await pageAt(); // before the answer begins, so that a failure can still be answered as one
  const { readable, writable } = new IdentityTransformStream();
  const pages = { first, pageAt, session: (id: string) => sessionOf(c.env, access, id) };
  c.executionCtx.waitUntil(
    writeAll(pages, writable).catch((error: unknown) => {
      // Aborted rather than closed: an export that lacks a session must not look complete.
      console.error("The export of all sessions was aborted:", error);
      return writable.abort(error).catch(() => undefined); // the reader may have disconnected, too
    }),
  );
  return c.body(readable, 200, JSON_TYPE);
}

type Pages = {
  first: SessionList;
  pageAt: (cursor: string) => Promise<SessionList>;
  session: (id: string) => SessionClient;
};

async function writeAll(
  { first, pageAt, session }: Pages,
  writable: WritableStream,
): Promise<void> {
  let separator = "[";
  for (let page = first; ; page = await pageAt(page.next)) {
    for (const { id } of page.items) {
      const whole = await wholeSession(session(id));
      if (!whole) continue;
      await write(writable, separator);
      await whole.pipeTo(writable, { preventClose: true });
      separator = ",";
    }
    if (page.next === null) break;
  }
  await write(writable, separator === "[" ? "[]" : "]");
  await writable.close();
}

/** Codes of a session that was deleted since the list was read, or that the catalog has under another product. */
const LEFT_OUT = new Set(["not_found", "gone", "forbidden"]);

async function wholeSession(
  session: SessionClient,
): Promise<ReadableStream<Uint8Array> | undefined> {
  try {
    return await session.stream("legacy");
  } catch (error) {
    if (LEFT_OUT.has(refusalOf(error)?.code ?? "")) return undefined;
    throw error;
  }
}

async function write(writable: WritableStream, text: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}
