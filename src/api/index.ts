/** Mounts the API: JSON for programs. Errors, unknown addresses and wrong methods are answered here. */
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AccessEnv } from "../access/access.ts";
import { guard } from "../access/guard.ts";
import { dataHeaders } from "../access/headers.ts";
import { explain, requireCatalog } from "../catalog/outage.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { attachments } from "./attachments.ts";
import { audit } from "./audit.ts";
import { distinctions } from "./distinctions.ts";
import { exceptions } from "./exceptions.ts";
import { imports } from "./imports.ts";
import { ingest } from "./ingest.ts";
import { keys } from "./keys.ts";
import { legacy } from "./legacy.ts";
import { metrics } from "./metrics.ts";
import { products } from "./products.ts";
import { reindex } from "./reindex.ts";
import { sessions } from "./sessions.ts";
import { sourceMaps } from "./source-maps.ts";
import { tables } from "./tables/tables.ts";
import { tests } from "./tests.ts";

/** What is answered from the catalog. */
const CATALOG_PATHS = [
  "/sessions",
  "/sessions/:id/changes",
  "/distinctions",
  "/data/sessions",
  "/metrics/*",
  "/events",
  "/exceptions/*",
  "/products",
  "/tests/*",
  "/tables/*",
  "/grafana/sessions",
];

// 1.x answered with a slash at the end as well.
export const api = new Hono<AccessEnv>({ strict: false });

api.onError(answerError);
api.use(dataHeaders);
api.use(guard);
for (const path of CATALOG_PATHS) {
  api.use(path, async (c, next) => {
    // 1.x opens a session at the address of the list, which needs no catalog.
    if (c.req.method !== "POST" || path !== "/sessions") await requireCatalog(c.env.CATALOG);
    await next();
  });
}
for (const part of [
  ingest,
  imports,
  legacy,
  sessions,
  attachments,
  distinctions,
  metrics,
  exceptions,
  products,
  tests,
  tables,
  sourceMaps,
  keys,
  audit,
  reindex,
])
  api.route("/", part);
for (const [path, methods] of methodsByPath()) {
  api.all(path, (c) => {
    c.header("allow", methods.join(", "));
    throw new Refusal(
      "method_not_allowed",
      `This address takes ${methods.join(" and ")}, not ${c.req.method}.`,
    );
  });
}
api.all("*", () => {
  throw new Refusal("not_found", "There is nothing at this address of the API.");
});

function methodsByPath(): Map<string, string[]> {
  const paths = Map.groupBy(
    api.routes.filter((route) => route.method !== "ALL"),
    (route) => route.path,
  );
  return new Map(
    [...paths].map(([path, routes]) => [path, [...new Set(routes.map((route) => route.method))]]),
  );
}

/** Answers with a refusal. Any other error is the server's own: its cause is logged, and not part of the answer. */
export async function answerError(thrown: Error, c: Context): Promise<Response> {
  const known = refusalOf(thrown);
  if (!known) console.error(`${c.req.method} ${c.req.path} failed:`, thrown);
  const { DISK } = c.env as Env; // Hono's default Context knows no bindings
  const refusal = known ?? (await explain(thrown, DISK)) ?? INTERNAL;
  if (refusal.code === "unauthorized") c.header("www-authenticate", "Bearer");
  const wait = refusal.details["retry_after"];
  if (wait !== undefined) c.header("retry-after", String(wait));
  return c.json(refusal, refusal.status as ContentfulStatusCode); // as: every status of REFUSALS has a body
}

const INTERNAL = new Refusal(
  "internal",
  "The server met an error and has logged it. Trying again may help.",
);
