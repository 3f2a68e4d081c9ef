/** The pages, as a test opens them: over two runs of a game, one of which has markup in every text, and a recorded command. */
import { env } from "cloudflare:workers";
import { SERVER } from "../../src/core/access/authority.ts";
import type { Batch } from "../../src/core/batch.ts";
import { sessionOf } from "../../src/session/client.ts";
import { server } from "../api/server.ts";
import { command, game, record, SPICE } from "./world.ts";

export const START = Date.now() - 3_600_000;
export const END = START + 140_000;

export const ask = server();

type Answer = { status: number; html: string; headers: Headers };

export async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await ask(path, { headers, redirect: "manual" });
  return { status: answer.status, html: await answer.text(), headers: answer.headers };
}

/** A form as a browser sends it. */
export function submit(path: string, fields: Record<string, string>): Promise<Response> {
  return ask(path, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
}

export type Op = Batch["ops"][number];

/** Of sessions of single tests: their product is in no list that another test counts, whenever they are published. */
export const SAMPLE: Op = { op: "start", at: START, product: "sample", version: "1" };

export function batch(session: string, ops: Op[]): Batch {
  return { session, lane: `${session}-lane`, first: 1, last: ops.length, ops };
}

export async function recordWorld(): Promise<void> {
  await record(ask, game({ id: "broken", at: START }));
  await record(ask, game({ id: "well", at: START, ending: "end", version: "1.4.1", seed: 3 }));
  await record(ask, game({ id: "spicy", at: START, spice: SPICE }));
  await record(ask, command({ id: "command", at: START }));
  // A session publishes with a delay, for which a test cannot wait.
  for (const id of ["broken", "well", "spicy", "command"])
    await sessionOf(env, SERVER, id).publish();
}
