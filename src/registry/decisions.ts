/** What people decided about exception groups. Whether a resolved group returned is computed by catalog/exceptions.ts. */
import { and, count, eq, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Refusal } from "../core/refusal.ts";
import type { GroupStatus } from "../core/vocabulary.ts";
import { MAX_DECISIONS } from "./limits.ts";
import { decisions } from "./schema.ts";

type Decision = {
  product: string;
  fingerprint: string;
  status: GroupStatus;
  resolved_at: number | null;
  resolved_version: string | null;
};

/** Every decision in force, or those of one product. Groups that are open again have none. */
export async function listDecisions(db: D1Database, product?: string): Promise<Decision[]> {
  return drizzle(db)
    .select({
      product: decisions.product,
      fingerprint: decisions.fingerprint,
      status: decisions.status,
      resolved_at: decisions.resolved_at,
      resolved_version: decisions.resolved_version,
    })
    .from(decisions)
    .where(
      and(
        ne(decisions.status, "open"),
        product === undefined ? undefined : eq(decisions.product, product),
      ),
    )
    .limit(MAX_DECISIONS);
}

type NewDecision = {
  product: string;
  fingerprint: string;
  status: GroupStatus;
  /** The version that contains the fix, if it is known. */
  version?: string;
  /** Who decided. */
  by: string;
};

/** Stores a decision in place of the group's last one. Resolving a group again starts over: earlier returns no longer count. */
export async function decide(
  db: D1Database,
  { product, fingerprint, status, version, by }: NewDecision,
  now: number,
): Promise<void> {
  const registry = drizzle(db);
  if (status !== "open") {
    const others = and(ne(decisions.status, "open"), ne(decisions.fingerprint, fingerprint));
    const [held] = await registry.select({ count: count() }).from(decisions).where(others);
    if ((held?.count ?? 0) >= MAX_DECISIONS) {
      throw new Refusal(
        "too_large",
        `${MAX_DECISIONS} groups are resolved or muted already; reopen one first.`,
      );
    }
  }
  const resolved = status === "resolved";
  const decision = {
    status,
    resolved_at: resolved ? now : null,
    resolved_version: (resolved && version) || null,
    decided_at: now,
    decided_by: by,
  };
  await registry
    .insert(decisions)
    .values({ product, fingerprint, ...decision })
    .onConflictDoUpdate({
      target: [decisions.product, decisions.fingerprint],
      set: decision,
    });
}
