/** What the catalog holds of each product, for monitoring: added up from the counts of versions and of groups of exceptions, never from sessions. */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_MONITORED_ROWS } from "./limits.ts";
import type { VersionCounts } from "./products.ts";

export type ProductTotals = Omit<VersionCounts, "version" | "first_at"> & {
  versions: number;
  /** On which a version was used, added up over the versions. */
  days: number;
  exception_groups: number;
  /** How often exceptions occurred, and how many of them ended the program or its thread. */
  exceptions: number;
  unhandled: number;
};

export type Fleet = {
  /** The product with the newest session first. */
  products: ProductTotals[];
  /** There are more than MAX_MONITORED_ROWS days of versions, or groups, so the totals are too low. */
  partial: boolean;
  /** Size of the catalog's database. */
  catalog_bytes: number;
};

/** Of all products, or of one. */
export async function fleet(db: D1Database, product?: string): Promise<Fleet> {
  const catalog = drizzle(db);
  const ofVersions = sql`SELECT product, count(*) AS days, count(DISTINCT version) AS versions, sum(sessions) AS sessions, sum(active) AS active, sum(suspended) AS suspended,
      sum(hung) AS hung, sum(crashed) AS crashed, sum(ended) AS ended, sum(failed) AS failed, sum(ever_hung) AS ever_hung, sum(bytes) AS bytes,
      sum(test_runs) AS test_runs, sum(failed_runs) AS failed_runs, max(last_at) AS last_at
    FROM (SELECT * FROM version_days WHERE ${present(product)} LIMIT ${MAX_MONITORED_ROWS}) GROUP BY product ORDER BY last_at DESC, product`;
  const ofGroups = sql`SELECT product, count(*) AS exception_groups, sum(count) AS exceptions, sum(unhandled) AS unhandled
    FROM (SELECT product, count, unhandled FROM exception_groups WHERE ${present(product)} LIMIT ${MAX_MONITORED_ROWS}) GROUP BY product`;
  const [counted, groups] = await Promise.all([
    catalog.run(ofVersions), // `run` alone has the size
    catalog.all<GroupTotals>(ofGroups),
  ]);
  const versions = counted.results as VersionTotals[]; // of the query above
  const byProduct = new Map(groups.map((row) => [row.product, row]));
  const sumOf = (counts: number[]) => counts.reduce((sum, count) => sum + count, 0);
  return {
    products: versions.map((row) => ({ ...row, ...(byProduct.get(row.product) ?? NO_GROUPS) })),
    partial:
      sumOf(versions.map(({ days }) => days)) >= MAX_MONITORED_ROWS ||
      sumOf(groups.map((row) => row.exception_groups)) >= MAX_MONITORED_ROWS,
    catalog_bytes: counted.meta.size_after,
  };
}

type GroupTotals = Pick<ProductTotals, "product" | "exception_groups" | "exceptions" | "unhandled">;
type VersionTotals = Omit<ProductTotals, Exclude<keyof GroupTotals, "product">>;

const NO_GROUPS = { exception_groups: 0, exceptions: 0, unhandled: 0 };

function present(product: string | undefined): SQL {
  return product === undefined ? sql`sessions > 0` : sql`sessions > 0 AND product = ${product}`;
}
