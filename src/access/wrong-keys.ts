/**
 * Slows the guessing of the admin secret, by counts in each isolate's memory: no binding is needed. Where the deployment has the rate
 * limit WRONG_KEYS, that counts secrets and API keys for all isolates of a location as well.
 */
import type { Context } from "hono";
import { Refusal } from "../core/refusal.ts";
import { type Env, isLocal } from "../env.ts";
import { networkOf } from "./address.ts";
import {
  MAX_NETWORKS,
  MAX_ALL_UNKNOWN_KEYS,
  MAX_ALL_WRONG_SECRETS,
  MAX_UNKNOWN_KEYS,
  MAX_WRONG_SECRETS,
  WRONG_SECRET_PERIOD_MS,
} from "./limits.ts";

let period = 0;
let all = 0;
const byNetwork = new Map<string, number>();

/** Throws if there were too many wrong secrets: then one is not even compared, or the guessing would go on. */
export function checkAttempts(c: Context, now = Date.now()): void {
  // The token of npm start is random, and all callers have one address: anyone could shut out the others.
  if (isLocal(c.env as Env)) return; // Hono's default Context knows no bindings
  turn(now);
  const ofNetwork = byNetwork.get(networkOf(c)) ?? 0;
  if (all >= MAX_ALL_WRONG_SECRETS || ofNetwork >= MAX_WRONG_SECRETS) throw tooMany(now);
}

/** Counts a wrong admin secret. */
export function noteWrongSecret(c: Context, now = Date.now()): void {
  turn(now);
  const network = networkOf(c);
  all++;
  if (byNetwork.size < MAX_NETWORKS || byNetwork.has(network))
    byNetwork.set(network, (byNetwork.get(network) ?? 0) + 1);
}

/** Counts a wrong API key or secret where there is a rate limit. Keys are random, and a sender whose key was revoked must not shut people out. */
export async function countWrongKey(c: Context, now = Date.now()): Promise<void> {
  const { WRONG_KEYS } = c.env as Env; // Hono's default Context knows no bindings
  const outcome = await WRONG_KEYS?.limit({ key: networkOf(c) });
  if (outcome && !outcome.success) throw tooMany(now);
}

/**
 * Counts the lookup of a key that this isolate has not seen, and throws if there were too many: a flood of made-up keys would keep the
 * registry from answering for right ones. The answer states whether the key exists; those that do are not counted.
 */
export async function countUnknown<Found>(
  network: string,
  lookUp: () => Promise<Found | undefined>,
  now = Date.now(),
): Promise<Found | undefined> {
  turn(now);
  const before = unknownByNetwork.get(network) ?? 0;
  if (unknown >= MAX_ALL_UNKNOWN_KEYS || before >= MAX_UNKNOWN_KEYS) throw tooMany(now);
  const count = (change: number) => {
    unknown += change;
    unknownByNetwork.set(network, (unknownByNetwork.get(network) ?? 0) + change);
  };
  // Before the answer, because many may be asked for at once.
  count(1);
  const of = period;
  const found = await lookUp();
  if (found !== undefined && of === period) count(-1);
  return found;
}

let unknown = 0;
const unknownByNetwork = new Map<string, number>();

function turn(now: number): void {
  const current = Math.floor(now / WRONG_SECRET_PERIOD_MS);
  if (current === period) return;
  period = current;
  all = 0;
  byNetwork.clear();
  unknown = 0;
  unknownByNetwork.clear();
}

function tooMany(now: number): Refusal {
  const wait = Math.ceil((WRONG_SECRET_PERIOD_MS - (now % WRONG_SECRET_PERIOD_MS)) / 1_000);
  return new Refusal("too_many_requests", "Too many wrong keys or secrets; wait a minute.", {
    retry_after: wait,
  });
}
