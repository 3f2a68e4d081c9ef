/**
 * `POST /api/ingest`: batches of many sessions in one request. Each session's batches go to its object in one call, in their order. A
 * session that fails does not affect the others. Each batch has its own result, in the order of the request.
 */
import { Hono } from "hono";
import { cors } from "hono/cors";
import * as v from "valibot";
import { type AccessEnv, requires } from "../access/access.ts";
import type { Access } from "../core/authority.ts";
import { parse, parseJson } from "../core/parse.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { type BatchResult, Id, Ingest, type IngestAnswer } from "../core/wire.ts";
import type { Env } from "../env.ts";
import { readText } from "./request/body.ts";
import { SLOW_DOWN_MS } from "./limits.ts";
import { failedResult, sessionIdOf } from "../session/batch-result.ts";
import { sessionOf } from "../session/client.ts";

export const ingest = new Hono<AccessEnv>();

// Pages of any site may record here with a key. This only lets them read the answer.
ingest.use(
  "/ingest",
  cors({
    origin: "*",
    allowMethods: ["POST"],
    allowHeaders: ["authorization", "content-type", "content-encoding"],
  }),
);

ingest.post("/ingest", requires("ingest"), async (c) => {
  const text = await readText(c.req.raw);
  const { sent_at, batches } = parse(Ingest, parseJson(text, "The body"), "The body");
  const groups = Map.groupBy(batches.keys(), (index) => sessionIdOf(batches[index]));
  const results: BatchResult[] = [];
  let slow_down_ms: number | undefined;

  await Promise.all(
    [...groups].map(async ([session, indexes]) => {
      const group = indexes.map((index) => batches[index]);
      try {
        const only = groups.size === 1 ? text : textOf({ sent_at, batches: group });
        const answer = await send(c.env, c.var.access, session, only);
        answer.results.forEach((result, n) => (results[indexes[n] ?? -1] = result));
        slow_down_ms = Math.max(slow_down_ms ?? 0, answer.slow_down_ms ?? 0) || undefined;
      } catch (error) {
        const refusal = refusalOf(error);
        if (!refusal) console.error(`Session ${session} applied no batch:`, error);
        if (refusal?.code === "too_many_requests") slow_down_ms = SLOW_DOWN_MS;
        for (const index of indexes)
          results[index] = failedResult(session, batches[index], refusal);
      }
    }),
  );
  return c.json({ results, slow_down_ms } satisfies IngestAnswer);
});

async function send(
  env: Env,
  access: Access,
  session: string,
  text: string,
): Promise<IngestAnswer> {
  if (!v.is(Id, session))
    throw new Refusal("invalid_body", "The batch names no session: `session` must be its id.");
  return sessionOf(env, access, session).ingest(text);
}

/** JSON again. What is nested too deep for JSON.stringify is nested deeper than the limit. */
function textOf(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw new Refusal("too_deep", "A batch is nested too deep.");
  }
}
