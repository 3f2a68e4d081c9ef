/** The README's table of routes is the router's own. */
import { expect, test } from "vitest";
import readme from "../../README.md?raw";
import { api } from "../../src/api/index.ts";

const table = /<!-- routes -->(.*)<!-- \/routes -->/s.exec(readme)?.[1] ?? "";
const documented = [...table.matchAll(/^\| `([A-Z]+) (\S+)`/gm)].map(
  ([, method, path]) => `${method} ${path}`,
);
const served = api.routes
  .filter(({ method }) => method !== "ALL")
  .map(
    ({ method, path }) => `${method} /api${path.replaceAll(/:(\w+)/g, "{$1}").replace(/\/$/, "")}`,
  );

/** Not below /api. */
const OUTSIDE = ["GET /health", "GET /metrics"];

test("every documented route is served", () => {
  expect(documented.filter((route) => !OUTSIDE.includes(route) && !served.includes(route))).toEqual(
    [],
  );
});

test("every route that is served is documented", () => {
  expect([...new Set(served)].filter((route) => !documented.includes(route))).toEqual([]);
});
