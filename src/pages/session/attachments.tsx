/** The attachments of a session. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { download } from "../../session/attachments/download.ts";
import { sessionIn } from "./view.ts";

export const attachmentRoutes = new Hono<AccessEnv>();

attachmentRoutes.get("/sessions/:id/attachments/:attachment", (c) =>
  download(c, sessionIn(c), c.req.param("attachment")),
);
