/** datacat 1.x's routes, as its clients and daemon need them (test/api/legacy.test.ts has each): every success is 200 with JSON. */
import { type Context, Hono } from "hono";
import { type AccessEnv, records, requires } from "../access/access.ts";
import { listSessions, type SessionList } from "../catalog/search/sessions.ts";
import { withNamesCut } from "../core/text/cut-names.ts";
import { LEGACY_LEASE_MS, MAX_PAGE } from "../core/limits.ts";
import { refusalOf } from "../core/refusal.ts";
import type { Op } from "../core/wire.ts";
import { newId } from "../core/id.ts";
import { readCounted } from "./request/body.ts";
import { crashOp, createBody, eventOp, metricOp, stateOp } from "./request/legacy.ts";
import { type SessionClient, sessionOf } from "../session/client.ts";
import { PublicationBatch, type Write } from "../session/publication/publication-batch.ts";
import type { Charged } from "../session/session.ts";

export const legacy = new Hono<AccessEnv>();

legacy.post("/sessions", records, async (c) => {
  const { start, writer } = createBody(await body(c), Date.now());
  const refusal = c.var.spending.open(Date.now());
  if (refusal) throw refusal;
  const { product } = c.var.access;
  if (product !== null) start.product = product;
  const id = newId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
  const session = sessionOf(c.env, c.var.access, id);
  // 1.x's programs list all sessions right after they made one, so the answer waits for its publication.
  await charged(c, (write) => session.record(withNamesCut(start), { writer }, write), true);
  return c.json({ session_id: id });
});

legacy.get("/sessions/:id", requires("read"), async (c) =>
  c.body(
    await sessionOf(c.env, c.var.access, c.req.param("id")).stream({ kind: "legacy" }),
    200,
    JSON_TYPE,
  ),
);

legacy.post("/sessions/:id/state", records, async (c) =>
  record(c, stateOp(await body(c), Date.now())),
);
legacy.post("/sessions/:id/events", records, async (c) =>
  record(c, eventOp(await body(c), Date.now())),
);
legacy.post("/sessions/:id/metrics", records, async (c) =>
  record(c, metricOp(await body(c), Date.now())),
);
legacy.post("/sessions/:id/crash", records, async (c) =>
  record(c, crashOp(await body(c), Date.now())),
);
legacy.post("/sessions/:id/end", records, (c) => {
  c.var.spending.begin({ sessions: 1, bytes: 0 });
  return record(c, { op: "end", at: Date.now() });
});
// Sent by 1.x's daemon on a timer, whether or not the program runs: so it only extends the lease.
legacy.post("/sessions/:id/heartbeat", records, (c) => {
  c.var.spending.begin({ sessions: 1, bytes: 0 });
  return record(c, { op: "heartbeat", at: Date.now() }, LEGACY_LEASE_MS);
});

legacy.get("/data/sessions", requires("read"), everySession);
legacy.get("/grafana/sessions", requires("read"), everySession);

const JSON_TYPE = { "content-type": "application/json" };

async function record(c: Context<AccessEnv, "/:id">, op: Op, lease_ms?: number): Promise<Response> {
  const session = sessionOf(c.env, c.var.access, c.req.param("id"));
  await charged(c, (write) => session.record(withNamesCut(op), { lease_ms }, write), isOver(op));
  return c.json({ status: "ok" });
}

async function body(c: Context<AccessEnv>): Promise<string> {
  const text = await readCounted(c.req.raw, c.var.spending);
  c.var.spending.begin({ sessions: 1, bytes: text.length });
  return text;
}

/** Records, and counts what that cost the budgets of the key. `isUrgent`: it is published before the answer. */
async function charged(
  c: Context<AccessEnv>,
  recorded: (write: Write | undefined) => Promise<Charged>,
  isUrgent: boolean,
): Promise<void> {
  const publications = new PublicationBatch(c.env);
  const { cost } = await recorded(isUrgent ? publications.add().write : undefined);
  c.var.spending.add({ ...cost, d1_rows: Math.max(cost.d1_rows, publications.rows) });
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
    return await session.stream({ kind: "legacy" });
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
