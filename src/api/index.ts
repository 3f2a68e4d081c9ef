/** Mounts the API: JSON for programs. One place answers errors, unknown addresses and wrong methods. */
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AccessEnv } from "../access/access.ts";
import { guard } from "../access/guard.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { exceptions } from "./exceptions.ts";
import { grafana } from "./grafana.ts";
import { ingest } from "./ingest.ts";
import { keys } from "./keys.ts";
import { legacy } from "./legacy.ts";
import { CATALOG_RETRY_S } from "./limits.ts";
import { metrics } from "./metrics.ts";
import { products } from "./products.ts";
import { reindex } from "./reindex.ts";
import { sessions } from "./sessions.ts";

// 1.x answered with a slash at the end as well.
export const api = new Hono<AccessEnv>({ strict: false });

api.onError(answerError);
api.use(async (c, next) => {
  // The answer to a socket's upgrade is the platform's, and takes no headers.
  if (c.req.header("upgrade") !== undefined) await next();
  else await headers(c, next);
});
api.use(guard);
for (const part of [
  ingest,
  legacy,
  sessions,
  metrics,
  exceptions,
  products,
  keys,
  reindex,
  grafana,
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

const headers = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  crossOriginResourcePolicy: "cross-origin", // answers to ingest are read by pages of other sites; all else needs a key
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

/** A refusal is told as it is; anything else is our fault: logged with its cause, and not told. */
export function answerError(thrown: Error, c: Context): Response {
  const refusal = refusalOf(thrown);
  if (!refusal) console.error(`${c.req.method} ${c.req.path} failed:`, thrown);
  const told = refusal ?? (isPassing(thrown) ? UNAVAILABLE : INTERNAL);
  if (told.code === "unauthorized") c.header("www-authenticate", "Bearer");
  const wait = told.details["retry_after"];
  if (wait !== undefined) c.header("retry-after", String(wait));
  return c.json(told, told.status as ContentfulStatusCode); // as: every status of REFUSALS has a body
}

const INTERNAL = new Refusal(
  "internal",
  "The server met an error and has logged it. Trying again may help.",
);
const UNAVAILABLE = new Refusal("unavailable", "The database is not answering; try again.", {
  retry_after: CATALOG_RETRY_S,
});

/** Whether the catalog failed, not we: D1 names every error its own, but of our mistakes SQLite's code is in it. */
function isPassing(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (/D1_|D1 DB/.test(thrown.message))
    return !/SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE|MISUSE)/.test(thrown.message);
  return isPassing(thrown.cause); // drizzle wraps it
}
