import type { Context } from "hono";
import { Refusal } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { WRONG_KEY_WAIT_S } from "./limits.ts";

/** Limits the rate of wrong keys from one address, where the deployment has a rate limit. */
export async function countWrongKey(c: Context): Promise<void> {
  const { WRONG_KEYS } = c.env as Env; // Hono's default Context knows no bindings
  const outcome = await WRONG_KEYS?.limit({ key: c.req.header("cf-connecting-ip") ?? "unknown" });
  if (outcome && !outcome.success) {
    throw new Refusal("too_many_requests", "Too many wrong keys; wait a minute.", {
      retry_after: WRONG_KEY_WAIT_S,
    });
  }
}
