/** Writes the audit list. Refused secrets are counted in memory first, so that guessing them writes few rows. */
import type { Context } from "hono";
import type { AuditAction } from "../core/vocabulary.ts";
import type { Env } from "../env.ts";
import { addToAudit, type AuditEntry } from "../registry/audit.ts";
import { networkOf } from "./address.ts";
import { MAX_REFUSED_NETWORKS, REFUSED_WRITE_MS } from "./limits.ts";

type Entry = Omit<AuditEntry, "last_at">;

/** Records what was done. A failure is logged: the action itself has succeeded. */
export async function record(
  c: Context,
  action: AuditAction,
  who: string,
  subject = "",
): Promise<void> {
  const { REGISTRY } = c.env as Env; // Hono's default Context knows no bindings
  const entry = { action, who, subject, address: networkOf(c), at: Date.now(), count: 1 };
  await write(REGISTRY, [entry]);
}

/** Refusals of this isolate that are not written yet, by action and network. */
const refused = new Map<string, Entry>();
let writtenAt = -Infinity;

/** Records a wrong secret or key: at once after a pause of REFUSED_WRITE_MS, else with the first one after it. */
export function recordRefused(c: Context, action: "sign_in_failed" | "key_refused"): void {
  const network = networkOf(c);
  const key = `${action} ${network}`;
  // Above the limit the network is not stored.
  const address = refused.has(key) || refused.size < MAX_REFUSED_NETWORKS ? network : "";
  const entry = refused.get(`${action} ${address}`) ?? {
    action,
    who: "",
    address,
    subject: "",
    at: 0,
    count: 0,
  };
  refused.set(`${action} ${address}`, { ...entry, at: Date.now(), count: entry.count + 1 });
  if (Date.now() - writtenAt >= REFUSED_WRITE_MS)
    c.executionCtx.waitUntil(writeRefused((c.env as Env).REGISTRY));
}

/** Writes the refusals that this isolate counted: called before the list is read. */
export async function writeRefused(registry: D1Database): Promise<void> {
  const entries = [...refused.values()];
  refused.clear();
  writtenAt = Date.now();
  await write(registry, entries);
}

async function write(registry: D1Database, entries: Entry[]): Promise<void> {
  try {
    await addToAudit(registry, entries);
  } catch (error) {
    console.error("The audit list was not written:", error);
  }
}
