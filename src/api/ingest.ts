/**
 * `POST /api/ingest`: many sessions' batches in one request. Each session's batches go to its object in one call, in their order;
 * what happens to one session never holds up another, and every batch gets an answer of its own, in the order they came.
 */
import { Hono } from "hono";
import { cors } from "hono/cors";
import * as v from "valibot";
import { type Access, type AccessEnv, requires } from "../access/access.ts";
import { parse, parseJson } from "../core/parse.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { type BatchResult, Id, Ingest, type IngestAnswer } from "../core/wire.ts";
import type { Env } from "../env.ts";
import { readText } from "./body.ts";
import { SLOW_DOWN_MS } from "./limits.ts";
import { call } from "../session/call.ts";
import { mayTouch } from "./product.ts";

export const ingest = new Hono<AccessEnv>();

// Pages of any site may record here if they have a key; reading the answer is all that this allows.
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
  const groups = Map.groupBy(batches.keys(), (index) => sessionOf(batches[index]));
  const results: BatchResult[] = [];
  let slow_down_ms: number | undefined;

  await Promise.all(
    [...groups].map(async ([session, indexes]) => {
      const group = indexes.map((index) => batches[index]);
      try {
        const only = groups.size === 1 ? text : textOf({ sent_at, batches: group });
        const answer = await send(c.env, c.var.access, session, only, group);
        answer.results.forEach((result, n) => (results[indexes[n] ?? -1] = result));
        slow_down_ms = Math.max(slow_down_ms ?? 0, answer.slow_down_ms ?? 0) || undefined;
      } catch (error) {
        const refusal = refusalOf(error);
        if (!refusal) console.error(`Session ${session} took no batch:`, error);
        if (refusal?.code === "too_many_requests") slow_down_ms = SLOW_DOWN_MS;
        for (const index of indexes) results[index] = failed(batches[index], session, refusal);
      }
    }),
  );
  const answer: IngestAnswer = { results, ...(slow_down_ms !== undefined && { slow_down_ms }) };
  return c.json(answer);
});

async function send(
  env: Env,
  access: Access,
  session: string,
  text: string,
  batches: unknown[],
): Promise<IngestAnswer> {
  if (!v.is(Id, session))
    throw new Refusal("invalid_body", "The batch names no session: `session` must be its id.");
  await mayTouch(env, access, session);
  mayStart(access, batches);
  return JSON.parse(await call(env, session, (object) => object.ingest(text))) as IngestAnswer; // as the object wrote it
}

/** A key that is bound to a product opens sessions of that product only. */
function mayStart({ product }: Access, batches: unknown[]): void {
  if (product === null) return;
  for (const { ops } of v.parse(v.array(Starts), batches)) {
    if (ops.some((op) => op.op === "start" && op.product !== product)) {
      throw new Refusal(
        "forbidden",
        `This key is for the product "${product}", and the session says that it is of another.`,
      );
    }
  }
}

const Started = v.fallback(v.object({ op: v.string(), product: v.optional(v.string()) }), {
  op: "",
});
const Starts = v.fallback(v.object({ ops: v.array(Started) }), { ops: [] });

function sessionOf(batch: unknown): string {
  return field(batch, "session");
}

function field(batch: unknown, name: string): string {
  const value: unknown =
    typeof batch === "object" && batch !== null ? Reflect.get(batch, name) : undefined;
  return typeof value === "string" ? value : "";
}

/** JSON again; what is nested too deep for that is nested too deep for us. */
function textOf(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw new Refusal("too_deep", "A batch is nested too deep.");
  }
}

function failed(batch: unknown, session: string, refusal: Refusal | undefined): BatchResult {
  const { code, message } =
    refusal ?? new Refusal("unavailable", "The session's storage failed; send the batch again.");
  const first: unknown =
    typeof batch === "object" && batch !== null ? Reflect.get(batch, "first") : undefined;
  // What was applied is not known here; the sender knows what came before this batch.
  const applied = typeof first === "number" && first >= 1 ? first - 1 : 0;
  return { session, lane: field(batch, "lane"), applied, error: { code, message } };
}
