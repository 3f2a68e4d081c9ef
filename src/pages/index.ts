/** Mounts the pages with their layout and headers. Mounted last in the Worker, because its middleware is for every path. */
import { Hono, type MiddlewareHandler } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { guard } from "../access/guard.ts";
import { answerHeaders } from "../access/headers.ts";
import { checkParameters } from "../core/parse.ts";
import { requireCatalog } from "../catalog/outage.ts";
import { compare } from "./compare.tsx";
import { deletion } from "./delete.tsx";
import { distinctions } from "./distinctions.tsx";
import { docs } from "./docs.tsx";
import { answerError, answerUnknown } from "./error.tsx";
import { exceptions } from "./exceptions.tsx";
import { home } from "./home.tsx";
import { icons } from "./icon.ts";
import { layout } from "./layout.tsx";
import { login, signedIn } from "./login.tsx";
import { metrics } from "./metrics.tsx";
import { moved } from "./moved.ts";
import { preferences } from "./preferences.tsx";
import { sessionRoutes } from "./session.tsx";
import { sessions } from "./sessions.tsx";
import { settings } from "./settings.tsx";
import { tests } from "./tests.tsx";
import { suggest } from "./suggest.tsx";
import { views } from "./views.tsx";

export const pages = new Hono<AccessEnv>();

pages.use((c, next) => (c.env.DEV === "1" ? developmentHeaders : headers)(c, next));
pages.use(layout);
pages.onError(answerError);

// Public, also while the server is locked.
pages.route("/", icons);

pages.use(guard);
pages.use(async (c, next) => {
  checkParameters(new URL(c.req.url).searchParams);
  await next();
});
pages.route("/", preferences);
pages.route("/", login);

pages.use(signedIn);
for (const path of ["/", "/sessions", "/distinctions", "/exceptions/*", "/metrics/*", "/tests/*"]) {
  pages.get(path, async (c, next) => {
    await requireCatalog(c.env.CATALOG);
    await next();
  });
}
pages.route("/", moved);
pages.route("/", home);
pages.route("/", sessions);
pages.route("/", views);
pages.route("/", suggest);
pages.route("/", deletion);
pages.route("/", sessionRoutes);
pages.route("/", exceptions);
pages.route("/", metrics);
pages.route("/", tests);
pages.route("/", compare);
pages.route("/", distinctions);
pages.route("/", docs);
pages.route("/", settings);
pages.get("*", answerUnknown);

/** The page takes code, styles, images and data from this server only: recorded text stays text. */
const headers = headersWith(["'self'"]);
/** wrangler adds an inline script that reloads the page. */
const developmentHeaders = headersWith(["'self'", "'unsafe-inline'"]);

function headersWith(scriptSrc: string[]): MiddlewareHandler {
  return answerHeaders({
    defaultSrc: ["'none'"],
    scriptSrc,
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  });
}
