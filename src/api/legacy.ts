/** datacat 1.x's routes, as its clients and daemon force them on us (COMPATIBILITY.md §0, §1): every success is 200 with JSON. */
import { type Context, Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { requires } from "../access/access.ts";
import { listSessions, type SessionList } from "../catalog/sessions.ts";
import { LEGACY_LEASE_MS, MAX_PAGE } from "../core/limits.ts";
import { refusalOf } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { readText } from "./body.ts";
import { uuidv7 } from "./id.ts";
import { crashOp, createBody, eventOp, type LegacyOp, metricOp, stateOp } from "./legacy-bodies.ts";
import { call } from "../session/call.ts";
import { mayTouch } from "./product.ts";

export const legacy = new Hono<AccessEnv>();

legacy.post("/sessions", requires("ingest"), async (c) => {
  const { start, writer } = createBody(await readText(c.req.raw), Date.now());
  const { product } = c.var.access;
  if (product !== null) start.product = product;
  const id = uuidv7(Date.now());
  await call(
    c.env,
    id,
    (session) => session.record(JSON.stringify({ ops: [start], writer })),
    ONCE,
  );
  try {
    // Its programs list all sessions right after they made one, so this one can't wait for the alarm.
    await call(c.env, id, (session) => session.reindex());
  } catch (error) {
    console.error(`Session ${id} is recorded, but the catalog does not know it yet:`, error);
  }
  return c.json({ session_id: id });
});

legacy.get("/sessions/:id", requires("read"), async (c) => {
  const id = c.req.param("id");
  await mayTouch(c.env, c.var.access, id);
  return c.body(await call<Whole>(c.env, id, (session) => session.legacy()), 200, JSON_TYPE);
});

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
// Sent by the daemon's timer, not by the program: so it says that somebody will be heard again, and not more.
legacy.post("/sessions/:id/heartbeat", requires("ingest"), (c) =>
  record(c, { op: "heartbeat", at: Date.now() }, LEGACY_LEASE_MS),
);

legacy.get("/data/sessions", requires("read"), everySession);
legacy.get("/grafana/sessions", requires("read"), everySession);

/** What is not the same sent twice. */
const ONCE = { again: false };
const JSON_TYPE = { "content-type": "application/json" };

async function record(
  c: Context<AccessEnv, "/:id">,
  op: LegacyOp,
  lease_ms?: number,
): Promise<Response> {
  const id = c.req.param("id");
  await mayTouch(c.env, c.var.access, id);
  const body = JSON.stringify({ ops: [op], ...(lease_ms !== undefined && { lease_ms }) });
  await call(c.env, id, (session) => session.record(body), ONCE);
  return c.json({ status: "ok" });
}

/** Every session in full, as one array: streamed, since nobody knows how long it is. */
async function everySession(c: Context<AccessEnv>): Promise<Response> {
  const { product } = c.var.access;
  const pageAt = (cursor?: string) =>
    listSessions(c.env.CATALOG, {
      limit: MAX_PAGE,
      ...(product !== null && { product }),
      ...(cursor !== undefined && { cursor }),
    });
  const first = await pageAt(); // before the answer begins: then it may still be an error
  const { readable, writable } = new IdentityTransformStream();
  c.executionCtx.waitUntil(
    writeAll(c.env, first, pageAt, writable).catch((error: unknown) => {
      // Broken off rather than closed: an export that lacks a session must not look whole.
      console.error("The export of all sessions broke off:", error);
      return writable.abort(error).catch(() => undefined); // the reader may have gone, too
    }),
  );
  return c.body(readable, 200, JSON_TYPE);
}

async function writeAll(
  env: Env,
  first: SessionList,
  pageAt: (cursor: string) => Promise<SessionList>,
  writable: WritableStream,
): Promise<void> {
  let separator = "[";
  for (let page = first; ; page = await pageAt(page.next)) {
    for (const { id } of page.items) {
      const session = await whole(env, id);
      if (!session) continue;
      await write(writable, separator);
      if (typeof session === "string") await write(writable, session);
      else await session.pipeTo(writable, { preventClose: true });
      separator = ",";
    }
    if (page.next === null) break;
  }
  await write(writable, separator === "[" ? "[]" : "]");
  await writable.close();
}

/** A session in full: as text if it is short. */
type Whole = string | ReadableStream<Uint8Array>;

/** The session in full; nothing if it was deleted since the list was read. */
async function whole(env: Env, id: string): Promise<Whole | undefined> {
  try {
    return await call<Whole>(env, id, (session) => session.legacy());
  } catch (error) {
    if (refusalOf(error)?.code === "not_found" || refusalOf(error)?.code === "gone")
      return undefined;
    throw error;
  }
}

async function write(writable: WritableStream, text: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}
