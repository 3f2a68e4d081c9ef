/**
 * The headers of every answer, refusals and redirects included: what a browser may do with it, and that nothing between keeps it. The
 * platform's static files have the same in public/_headers.
 */
import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

type Policy = NonNullable<Parameters<typeof secureHeaders>[0]>["contentSecurityPolicy"];

/** An answer that is a page may allow more than nothing. What a route sets itself stays: its policy, and what is for caches and other origins. */
export function answerHeaders(contentSecurityPolicy: Policy): MiddlewareHandler {
  const secure = secureHeaders({
    contentSecurityPolicy,
    crossOriginResourcePolicy: false,
    referrerPolicy: "same-origin",
  });
  return async (c, next) => {
    await next();
    const own = c.res.headers.get("content-security-policy");
    await secure(c, async () => {});
    const { headers } = c.res;
    if (own !== null) headers.set("content-security-policy", own);
    for (const [name, value] of DEFAULTS) if (!headers.has(name)) headers.set(name, value);
  };
}

const DEFAULTS = [
  ["cache-control", "private, no-store"], // almost every answer holds what was recorded
  ["cross-origin-resource-policy", "same-origin"],
] as const;

/** Of JSON and other files: a browser that shows one runs nothing in it. */
export const dataHeaders = answerHeaders({ defaultSrc: ["'none'"], frameAncestors: ["'none'"] });
