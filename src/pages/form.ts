/** Reads the fields of a page's form. The size is checked before the body is read, and while it is. */
import type { Context } from "hono";
import { Refusal } from "../core/refusal.ts";
import { MAX_FORM_BYTES } from "./limits.ts";

/** The fields of a form. A field that is missing is the empty text. */
export async function readForm(c: Context): Promise<(name: string) => string> {
  const fields = await readFields(c);
  return (name) => fields.get(name) ?? "";
}

/** The fields of a form as browsers send it by default; other encodings are refused. */
export async function readFields(c: Context): Promise<URLSearchParams> {
  const type = (c.req.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded")
    throw new Refusal("invalid_body", "A form is sent as application/x-www-form-urlencoded.");
  if (Number(c.req.header("content-length")) > MAX_FORM_BYTES) throw tooLarge();
  return new URLSearchParams(await readText(c.req.raw));
}

async function readText({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of (body ?? []) as ReadableStream<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_FORM_BYTES) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(): Refusal {
  return new Refusal("too_large", `A form may have ${MAX_FORM_BYTES / 1024} KiB.`);
}

/**
 * The path, query and fragment to return to after a form, if it is an address of this server, else "/". Browsers ignore tabs and line
 * breaks in an address, read `\` as `/` and remove `.` segments, so it is the parsed address that is checked and used.
 */
export function ownPath(address: string): string {
  if (!URL.canParse(address, ANY_ORIGIN)) return "/";
  const { origin, pathname, search, hash } = new URL(address, ANY_ORIGIN);
  const path = `${pathname}${search}${hash}`;
  // `/.//elsewhere` is parsed as the path `//elsewhere`, which as an address of its own leaves this server.
  return origin === ANY_ORIGIN && !pathname.startsWith("//") ? path : "/";
}

/** A name that no server has (RFC 2606). */
const ANY_ORIGIN = "http://this-server.invalid";
