/** What the jobs remove from the catalog: sessions older than the retention, counts that are 0, and names that no session has any more. */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { firstKey } from "./tables/key.ts";
import { MAX_SWEPT } from "./limits.ts";
import { TOKEN } from "./tables/posting.ts";
import type { names } from "./tables/schema.ts";

/** The oldest sessions without activity since `before` that are not running. */
export async function expiredSessions(
  db: D1Database,
  before: number,
  limit: number,
): Promise<string[]> {
  // A key may be one of a later millisecond (key.ts), but not of a session that started later than that.
  const rows = await drizzle(db).all<{ id: string }>(
    sql`SELECT id FROM sessions WHERE key < ${firstKey(before)} AND updated_at < ${before} AND status NOT IN ('active', 'hung')
        ORDER BY key LIMIT ${limit}`,
  );
  return rows.map((row) => row.id);
}

const KEYS = {
  version_days: "product, version, day",
  exception_groups: "product, fingerprint",
};

/** Removes counts that became 0 when sessions moved from one product or version to another, and some of the names that no session has any more. */
export async function sweep(db: D1Database): Promise<void> {
  for (const [name, columns] of Object.entries(KEYS)) {
    const [table, key] = [sql.raw(name), sql.raw(columns)];
    await drizzle(db).run(
      sql`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE sessions <= 0 LIMIT ${MAX_SWEPT})`,
    );
  }
  await sweepNames(db);
}

type Name = Pick<typeof names.$inferSelect, "kind" | "name" | "product">;

/** Looks at the next MAX_SWEPT names: each run goes on where the one before stopped. */
async function sweepNames(db: D1Database): Promise<void> {
  const catalog = drizzle(db);
  const some = await catalog.all<Name>(
    sql`SELECT kind, name, product FROM names WHERE (kind, name, product) >
          (coalesce((SELECT kind FROM swept), ''), coalesce((SELECT name FROM swept), ''), coalesce((SELECT product FROM swept), ''))
        ORDER BY kind, name, product LIMIT ${MAX_SWEPT}`,
  );
  const looked = some.map(({ kind, name, product }) => [
    kind,
    name,
    product,
    `${TOKEN.product(product)} AND ${TOKENS[kind](name)}`,
  ]);
  await catalog.run(
    sql`DELETE FROM names WHERE (kind, name, product) IN (
          SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(${JSON.stringify(looked)}) AS looked
          WHERE NOT EXISTS (SELECT 1 FROM postings WHERE postings MATCH looked.value ->> 3))`,
  );
  const last = some.length === MAX_SWEPT ? some.at(-1) : undefined;
  const { kind, name, product } = last ?? { kind: "", name: "", product: "" };
  await catalog.run(
    sql`INSERT INTO swept (id, kind, name, product) VALUES (1, ${kind}, ${name}, ${product})
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, product = excluded.product
        WHERE (swept.kind, swept.name, swept.product) IS NOT (excluded.kind, excluded.name, excluded.product)`,
  );
}

const TOKENS: { [kind in Name["kind"]]: (name: string) => string } = {
  metric: TOKEN.metric,
  event: TOKEN.event,
  state: TOKEN.path,
  tag: TOKEN.tagKey,
};
