/**
 * `POST /api/ingest`: batches of many sessions in one request. Each session's batches go to its object in one call, in their order. A
 * session that fails does not affect the others. Each batch has its own result, in the order of the request.
 */
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import * as v from "valibot";
import { explain } from "../catalog/outage.ts";
import { type AccessEnv, records } from "../access/access.ts";
import { UNUSED, type Used } from "../core/access/budget.ts";
import { parse, parseJson } from "../core/parse.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { type BatchResult, Ingest, type IngestAnswer } from "../core/batch.ts";
import { Id } from "../core/wire-fields.ts";
import { plus } from "../registry/usage.ts";
import { readCounted } from "./request/body.ts";
import { SLOW_DOWN_MS } from "./limits.ts";
import { failedResult, sessionIdOf } from "../session/requests/batch-result.ts";
import { type SessionClient, sessionOf } from "../session/client.ts";
import { PublicationBatch } from "../session/publication/publication-batch.ts";

export const ingest = new Hono<AccessEnv>();

ingest.use("/ingest", async (c, next) => {
  c.header("cross-origin-resource-policy", "cross-origin"); // pages of other sites read the answer
  await next();
});
// Pages of any site may record here with a key. This only lets them read the answer.
ingest.use(
  "/ingest",
  cors({
    origin: "*",
    allowMethods: ["POST"],
    allowHeaders: ["authorization", "content-type", "content-encoding"],
    exposeHeaders: ["retry-after"],
  }),
);

ingest.post("/ingest", records, async (c) => {
  const { spending } = c.var;
  const text = await readCounted(c.req.raw, spending);
  const { sent_at, batches } = parse(Ingest, parseJson(text, "The body"), "The body");
  const groups = Map.groupBy(batches.keys(), (index) => sessionIdOf(batches[index]));
  const results: BatchResult[] = [];
  let slow_down_ms: number | undefined;
  const publications = new PublicationBatch(c.env);
  spending.begin({ sessions: groups.size, bytes: text.length });
  let cost: Used = UNUSED;
  let overBudget: Refusal | undefined;

  await Promise.all(
    [...groups].map(async ([session, indexes]) => {
      const group = indexes.map((index) => batches[index]);
      const { write, close } = publications.add();
      try {
        const only = groups.size === 1 ? text : textOf({ sent_at, batches: group });
        const refusal = spending.open(Date.now());
        overBudget ??= refusal;
        const answer = await sessionIn(c, session, refusal).ingest(
          only,
          group.some(isUrgent) ? write : undefined,
        );
        cost = plus(cost, answer.cost);
        answer.results.forEach((result, n) => (results[indexes[n] ?? -1] = result));
        slow_down_ms = Math.max(slow_down_ms ?? 0, answer.slow_down_ms ?? 0) || undefined;
      } catch (error) {
        const known = refusalOf(error);
        const refusal = known ?? (await explain(error, c.env.DISK));
        if (!known) console.error(`Session ${session} applied no batch:`, error);
        if (refusal?.code === "too_many_requests") slow_down_ms = SLOW_DOWN_MS;
        for (const index of indexes)
          results[index] = failedResult(session, batches[index], refusal);
      } finally {
        close();
      }
    }),
  );
  spending.add({ ...cost, d1_rows: Math.max(cost.d1_rows, publications.rows) });
  if (overBudget && results.every(isWaiting)) throw overBudget;
  return c.json({ results, slow_down_ms } satisfies IngestAnswer);
});

function isWaiting({ error }: BatchResult): boolean {
  return error?.code === "too_many_requests";
}

/** `noNewSession`: why the request may open none. */
function sessionIn(
  c: Context<AccessEnv>,
  session: string,
  noNewSession: Refusal | undefined,
): SessionClient {
  if (!v.is(Id, session))
    throw new Refusal("invalid_body", "The batch names no session: `session` must be its id.");
  return sessionOf(c.env, { ...c.var.access, noNewSession }, session);
}

/** Whether a batch, not checked yet, may have to be published at once. If this is wrong, the session publishes by its alarm. */
function isUrgent(batch: unknown): boolean {
  const { ops } = v.parse(Ops, batch);
  return ops.some((op) => URGENT.has(v.parse(Kind, op)));
}

const Ops = v.fallback(v.object({ ops: v.array(v.unknown()) }), { ops: [] });
const Kind = v.fallback(
  v.pipe(
    v.object({ op: v.string() }),
    v.transform(({ op }) => op),
  ),
  "",
);
const URGENT = new Set(["start", "end", "crash"]);

/** JSON again. What is nested too deep for JSON.stringify is nested deeper than the limit. */
function textOf(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw new Refusal("too_deep", "A batch is nested too deep.");
  }
}
