/** The order of the rows in the table of a metric. */
import { expect, test } from "vitest";
import type { ComparedSeries } from "../../src/core/comparison/comparison.ts";
import type { Grouping } from "../../src/core/comparison/grouping.ts";
import { rowsOf } from "../../src/pages/metrics/columns.ts";

const NOON = Date.UTC(2026, 10, 23, 12);

/** A series of one point, in a session of this product, version and start. */
function series(product: string, version: string, hours = 0): ComparedSeries {
  const session = {
    id: `${product} ${version}`,
    product,
    version,
    created_at: NOON + hours,
    tags: [`v:${version}`],
  };
  return {
    session,
    type: "gauge",
    points: 1,
    count: 1,
    sum: 1,
    sum_low: 0,
    sum_scale: 1,
    deviation: 0,
    increase: 0,
    min: 1,
    max: 1,
    first: 1,
    last: 1,
    first_at: NOON,
    last_at: NOON,
    distribution: null,
    rollup: null,
    quantile_steps: null,
  } as unknown as ComparedSeries; // as: what the statistics read
}

const ITEMS = [
  series("game", "1.10.0-rc.1"),
  series("game", "1.9.0"),
  series("game", ""),
  series("game", "fe12ab9", 2),
  series("game", "c0ffee1", 1),
  series("editor", "2.0"),
  series("game", "1.10.0"),
  series("editor", "10.0"),
];

const groups = (by: Grouping, sort?: "group", order: "asc" | "desc" = "desc") =>
  rowsOf(ITEMS, { by, sort, order }).map(({ group }) => group);

test("versions are in their order within each product, the newest first", () => {
  expect(groups("version")).toEqual([
    "editor 10.0",
    "editor 2.0",
    "game",
    "game fe12ab9",
    "game c0ffee1",
    "game 1.10.0",
    "game 1.10.0-rc.1",
    "game 1.9.0",
  ]);
  expect(groups("version", "group", "asc").slice(0, 4)).toEqual([
    "editor 2.0",
    "editor 10.0",
    "game 1.9.0",
    "game 1.10.0-rc.1",
  ]);
  expect(groups("version", "group", "desc")[0]).toBe("game");
});

test("other groups are in the order of their names", () => {
  expect(groups("product")).toEqual(["editor", "game"]);
  expect(groups("product", "group", "desc")).toEqual(["game", "editor"]);
});
