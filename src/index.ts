/** Mounts and exports; decides nothing. */
import { Hono } from "hono";
import type { Env } from "./env.ts";

export { Session } from "./session/session.ts";

const app = new Hono<{ Bindings: Env }>();
app.get("/health", (c) =>
  c.json({ service: "datacat-server", status: "healthy", version: "2.0.0" }),
);
export default app;
