/**
 * `POST /api/reindex`: sessions publish themselves to the catalog again. Which: `sessions` (their ids), or `objects` (ids of Durable
 * Objects, as Cloudflare lists them: this is how a lost catalog is rebuilt), or neither: all that the catalog knows, a part at a
 * time, with the `cursor` of the answer before.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { type AccessEnv, requires } from "../access/access.ts";
import { listSessions } from "../catalog/sessions.ts";
import { parse, parseJson } from "../core/parse.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { readText } from "./body.ts";
import { REINDEX_AT_ONCE } from "./limits.ts";
import { call, callObject } from "../session/call.ts";

export const reindex = new Hono<AccessEnv>();

const Reindex = v.object({
  sessions: v.optional(v.pipe(v.array(v.string()), v.maxLength(REINDEX_AT_ONCE))),
  objects: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))), v.maxLength(REINDEX_AT_ONCE)),
  ),
  cursor: v.optional(v.string()),
});

reindex.post("/reindex", requires("admin"), async (c) => {
  if (c.var.access.product !== null)
    throw new Refusal("forbidden", "A key for one product can't reindex.");
  const body = await readText(c.req.raw);
  const { sessions, objects, cursor } = parse(
    Reindex,
    parseJson(body || "{}", "The body"),
    "The body",
  );
  if (objects) {
    const asked = objects.map((id) =>
      outcome(
        id,
        callObject(c.env, id, (session) => session.reindex()),
      ),
    );
    return c.json({ ...sorted(await Promise.all(asked)), next: null });
  }
  const page = sessions
    ? { ids: sessions, next: null }
    : await listSessions(c.env.CATALOG, {
        limit: REINDEX_AT_ONCE,
        ...(cursor !== undefined && { cursor }),
      }).then(({ items, next }) => ({ ids: items.map((row) => row.id), next }));
  const asked = page.ids.map((id) =>
    outcome(
      id,
      call(c.env, id, (session) => session.reindex()),
    ),
  );
  return c.json({ ...sorted(await Promise.all(asked)), next: page.next });
});

type Outcome = { id: string; error?: string };

async function outcome(id: string, asked: Promise<unknown>): Promise<Outcome> {
  try {
    await asked;
    return { id };
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) console.error(`Session ${id} could not be indexed again:`, error);
    return { id, error: refusal?.message ?? "Failed; the server has logged why." };
  }
}

function sorted(outcomes: Outcome[]): { done: string[]; failed: Outcome[] } {
  return {
    done: outcomes.filter(({ error }) => error === undefined).map(({ id }) => id),
    failed: outcomes.filter(({ error }) => error !== undefined),
  };
}
