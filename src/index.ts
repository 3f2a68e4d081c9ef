/** Mounts and exports; decides nothing. */
import { Hono } from "hono";
import type { AccessEnv } from "./access/access.ts";
import { answerError, api } from "./api/index.ts";
import type { Env } from "./env.ts";
import { runJobs } from "./jobs/jobs.ts";
import { pages } from "./pages/index.ts";

export { Session } from "./session/session.ts";

const app = new Hono<AccessEnv>({ strict: false });
app.onError(answerError);
// 1.x's health check: any method, and no key even where everything else is locked.
app.all("/health", (c) =>
  c.json({ service: "datacat-server", status: "healthy", version: "2.0.0" }),
);
app.route("/api", api);
app.route("/", pages); // last: its rules are for every path that is left

export default {
  fetch: app.fetch,
  scheduled: (_, env) => runJobs(env, Date.now()),
} satisfies ExportedHandler<Env>;
