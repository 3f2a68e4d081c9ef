/**
 * Exception groups that people merged: a tree per product, in which each group is merged into at most one other. Shown is its root, with
 * all that was merged into it, directly or not. Splitting a group off removes one row, so that it has what was merged into it again.
 */
import { count, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Refusal } from "../core/refusal.ts";
import { listDecisions } from "./decisions.ts";
import { MAX_MERGED_GROUPS, MAX_MERGES } from "./limits.ts";
import { merges } from "./schema.ts";

/** One group that is merged into another. */
export type Merge = typeof merges.$inferSelect;

/** A group of groups: its fingerprint is that of its first member. */
type MergedGroup = { product: string; members: string[] };

/** Every merge in force, or those of one product. */
export async function listMerges(db: D1Database, product?: string): Promise<Merge[]> {
  return drizzle(db)
    .select()
    .from(merges)
    .where(product === undefined ? undefined : eq(merges.product, product))
    .limit(MAX_MERGES);
}

/** The decisions and merged groups in force, or those of one product: the argument of catalog/exceptions.ts. */
export async function listDecided(db: D1Database, product?: string) {
  const [decisions, merged] = await Promise.all([
    listDecisions(db, product),
    listMerged(db, product),
  ]);
  return { decisions, merged };
}

/** Every merged group, or those of one product. */
export async function listMerged(db: D1Database, product?: string): Promise<MergedGroup[]> {
  return mergedGroups(await listMerges(db, product));
}

/** The merged groups, each with its root first. Takes time proportional to the rows. */
export function mergedGroups(
  rows: Pick<Merge, "product" | "fingerprint" | "merged_into">[],
): MergedGroup[] {
  const parents = new Map(
    rows.map((row) => [keyOf(row.product, row.fingerprint), row.merged_into]),
  );
  const roots = new Map<string, string>();
  const groups = new Map<string, MergedGroup>();
  for (const { product, fingerprint } of rows) {
    const root = rootIn(parents, roots, product, fingerprint);
    const group = groups.get(keyOf(product, root)) ?? { product, members: [root] };
    if (fingerprint !== root) group.members.push(fingerprint);
    groups.set(keyOf(product, root), group);
  }
  return [...groups.values()];
}

/** Follows the tree up. A cycle, which only a damaged table can have, ends at the group at which it began. */
function rootIn(
  parents: Map<string, string>,
  roots: Map<string, string>,
  product: string,
  fingerprint: string,
): string {
  const path: string[] = [];
  const seen = new Set<string>();
  let at = fingerprint;
  for (;;) {
    const known = roots.get(keyOf(product, at));
    const parent = parents.get(keyOf(product, at));
    if (known !== undefined) at = known;
    if (known !== undefined || parent === undefined || seen.has(at)) break;
    seen.add(at);
    path.push(at);
    at = parent;
  }
  for (const each of path) roots.set(keyOf(product, each), at);
  return at;
}

function keyOf(product: string, fingerprint: string): string {
  return `${product}\n${fingerprint}`;
}

type NewMerge = { product: string; fingerprint: string; into: string; by: string };

/**
 * Merges a group, with all that is merged into it, into another. False if they are one already. Throws a Refusal (too_large) above a limit, or
 * (invalid_body) if another request merged them at the same moment.
 */
export async function merge(
  db: D1Database,
  { product, fingerprint, into, by }: NewMerge,
  now: number,
): Promise<boolean> {
  const groups = mergedGroups(await listMerges(db, product));
  const membersOf = (one: string) =>
    groups.find(({ members }) => members.includes(one))?.members ?? [one];
  const [moved, target] = [membersOf(fingerprint), membersOf(into)];
  const [from = fingerprint, to = into] = [moved[0], target[0]];
  if (from === to) return false;
  if (moved.length + target.length > MAX_MERGED_GROUPS) {
    throw new Refusal("too_large", `At most ${MAX_MERGED_GROUPS} groups can be merged into one.`);
  }
  const registry = drizzle(db);
  const [held] = await registry.select({ count: count() }).from(merges);
  if ((held?.count ?? 0) >= MAX_MERGES) {
    throw new Refusal(
      "too_large",
      `${MAX_MERGES} groups are merged already; split some off first.`,
    );
  }
  // Read and written in one statement, because two that are merged into each other would be a cycle.
  const { meta } = await registry.run(sql`
    INSERT INTO merges (product, fingerprint, merged_into, merged_at, merged_by)
    SELECT ${product}, ${from}, ${to}, ${now}, ${by}
    WHERE ${from} NOT IN (
      WITH RECURSIVE above(fingerprint) AS (
        SELECT ${to} UNION
        SELECT m.merged_into FROM merges AS m JOIN above ON m.product = ${product} AND m.fingerprint = above.fingerprint)
      SELECT fingerprint FROM above)
    ON CONFLICT DO NOTHING`);
  if (meta.changes > 0) return true;
  throw new Refusal("invalid_body", "These groups were merged otherwise meanwhile; look again.");
}

/** Undoes the merge of a group into another. False if it was not merged. */
export async function split(
  db: D1Database,
  { product, fingerprint }: Pick<Merge, "product" | "fingerprint">,
): Promise<boolean> {
  const { meta } = await drizzle(db).run(
    sql`DELETE FROM merges WHERE product = ${product} AND fingerprint = ${fingerprint}`,
  );
  return meta.changes > 0;
}

/** A filter for an exception, with the groups that are merged with it. */
export async function withMerged<Filter extends { exception?: string; product?: string }>(
  db: D1Database,
  filter: Filter,
): Promise<Filter & { merged?: { product: string; fingerprint: string }[] }> {
  const { exception, product } = filter;
  if (exception === undefined) return filter;
  const merged = mergedGroups(await listMerges(db, product))
    .filter(({ members }) => members.includes(exception))
    .flatMap(({ product, members }) => members.map((fingerprint) => ({ product, fingerprint })));
  return { ...filter, merged };
}
