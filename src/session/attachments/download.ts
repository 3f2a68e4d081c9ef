/**
 * The content of an attachment as an answer of the API or of a page. It was recorded, so it may be anything: a browser stores it, and
 * renders it at most as one of four kinds of images that begin as such (core/attachments/attachments.ts).
 */
import type { Context } from "hono";
import * as v from "valibot";
import { fileNameOf } from "../../core/attachments/attachments.ts";
import { Refusal } from "../../core/refusal.ts";
import type { SessionClient } from "../client.ts";

const CONTENT_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'";

/** The query of a download. `zeros`: in the place of what is damaged. */
export const Download = v.object({ damaged: v.optional(v.literal("zeros")) });

export async function download(c: Context, session: SessionClient, id: string): Promise<Response> {
  const damaged = c.req.query("damaged");
  if (!v.is(Download.entries.damaged, damaged))
    throw new Refusal("invalid_query", "The parameter damaged: must be zeros");
  const range = c.req.header("range");
  const { info, body } = await session.content({
    id,
    ...(range !== undefined && { range }),
    fillsDamaged: damaged === "zeros",
    isInfoOnly: c.req.method === "HEAD",
  });
  const { from, to, size, isPart } = info;
  const headers = new Headers({
    "content-type": info.image ?? "application/octet-stream",
    "content-length": String(to - from),
    "content-disposition": disposition(fileNameOf(info.name, id)),
    "content-security-policy": CONTENT_POLICY,
    "accept-ranges": "bytes",
    etag: `"${info.sha256}"`,
  });
  if (isPart) headers.set("content-range", `bytes ${from}-${to - 1}/${size}`);
  if (info.damaged > 0) headers.set("datacat-damaged", String(info.damaged));
  return new Response(c.req.method === "HEAD" ? null : body, {
    status: isPart ? 206 : 200,
    headers,
  });
}

/** RFC 6266: the name in ASCII, and in UTF-8 if it has other characters. */
function disposition(name: string): string {
  const ascii = name.replace(/[^\w .()-]/g, "_");
  if (ascii === name) return `attachment; filename="${ascii}"`;
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
