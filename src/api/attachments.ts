/** Attachments of sessions: senders put their contents chunk by chunk, readers list and download them. Times are epoch milliseconds. */
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { type AccessEnv, records, requires } from "../access/access.ts";
import { download } from "../session/attachments/download.ts";
import { isLoopback } from "../access/guard.ts";
import { isLocal } from "../env.ts";
import { ATTACHMENT_CHUNK_BYTES } from "../core/limits.ts";
import { Refusal } from "../core/refusal.ts";
import { type SessionClient, sessionOf } from "../session/client.ts";
import { readBytes } from "./request/body.ts";

export const attachments = new Hono<AccessEnv>();

// Pages of any site may record here with a key, and those of this machine on a local server. This only lets them read the answer.
attachments.use(
  "/sessions/:id/attachments/:attachment/chunks/*",
  cors({
    origin: (origin, c: Context<AccessEnv>) =>
      !isLocal(c.env) ? "*" : isLoopback(origin) ? origin : null,
    allowMethods: ["GET", "PUT"],
    allowHeaders: ["authorization", "content-type", "x-chunk-sha256"],
    exposeHeaders: ["retry-after"],
  }),
);

attachments.get("/sessions/:id/attachments", requires("read"), async (c) =>
  c.body(await session(c).json("attachments"), 200, { "content-type": "application/json" }),
);

attachments.get("/sessions/:id/attachments/:attachment", requires("read"), (c) =>
  download(c, session(c), c.req.param("attachment")),
);

attachments.get("/sessions/:id/attachments/:attachment/chunks", records, async (c) =>
  c.json(await session(c).uploaded(c.req.param("attachment"))),
);

/** The body is the chunk itself. Sending it again changes nothing. */
attachments.put("/sessions/:id/attachments/:attachment/chunks/:chunk", records, async (c) => {
  const { id: _session, attachment: id, chunk } = c.req.param();
  const { spending } = c.var;
  const sha256 = c.req.header("x-chunk-sha256");
  if (!/^\d{1,4}$/.test(chunk)) throw new Refusal("bad_chunk", "Chunks have numbers, from 0.");
  if (sha256 !== undefined && !/^[\da-f]{64}$/i.test(sha256))
    throw new Refusal("bad_chunk", "X-Chunk-Sha256 has 64 hexadecimal digits.");
  if ((c.req.header("content-encoding") ?? "identity") !== "identity")
    throw new Refusal("invalid_encoding", "A chunk is sent as it is, without Content-Encoding.");
  const bytes = await readBytes(c.req.raw, ATTACHMENT_CHUNK_BYTES);
  spending.upload(bytes.length, Date.now());
  const { cost, ...progress } = await session(c).upload({
    id,
    chunk: Number(chunk),
    bytes,
    ...(sha256 !== undefined && { sha256 }),
  });
  spending.add(cost);
  return c.json(progress);
});

function session(c: Context<AccessEnv, "/:id">): SessionClient {
  return sessionOf(c.env, c.var.access, c.req.param("id"));
}
