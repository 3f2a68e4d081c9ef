/** Mounts and exports; decides nothing. */
import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import type { AccessEnv } from "./access/access.ts";
import { dataHeaders } from "./access/headers.ts";
import { health } from "./api/health.ts";
import { answerError, api } from "./api/index.ts";
import { openMetrics } from "./api/openmetrics.ts";
import type { Env } from "./env.ts";
import { runJobs } from "./jobs/jobs.ts";
import { pages } from "./pages/index.ts";

export { Session } from "./session/session.ts";
export { SourceMaps } from "./sourcemaps/object.ts";

const app = new Hono<AccessEnv>({
  // As in 1.x, repeated slashes count as one, because a server's address may be configured with one at its end; so does one at the
  // end of the path.
  getPath: (request) =>
    getPath(request)
      .replace(/\/{2,}/g, "/")
      .replace(/(?<=.)\/$/, ""),
});
app.onError(answerError);
app.all("/health", dataHeaders, health);
app.route("/api", api);
app.route("/", openMetrics);
app.route("/", pages); // last: its rules are for every path that is left

export default {
  fetch: app.fetch,
  scheduled: (_, env) => runJobs(env, Date.now()),
} satisfies ExportedHandler<Env>;

/**
 * `npm start` sends here what programs of its own user ask (daemon/serve/front.ts). They need no key. Only the default handler has the
 * platform's static files in front of it, so here they come first as well.
 */
export const owner = {
  async fetch(request, env, context) {
    if (request.method === "GET" && /\.\w+$/.test(new URL(request.url).pathname)) {
      const file = await env.ASSETS.fetch(request.clone());
      if (file.status !== 404) return file;
    }
    return app.fetch(request, env.LOCAL === "others" ? { ...env, LOCAL: "1" } : env, context);
  },
} satisfies ExportedHandler<Env>;
