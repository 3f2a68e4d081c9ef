/** Who opens a socket: the request to the object carries it in a header, which only this server sets. */
import type { Access } from "../../core/access/authority.ts";

const HEADER = "datacat-access";

export function withAccess(request: Request, { kind, product }: Access): Request {
  const headers = new Headers(request.headers);
  // A header holds only ASCII.
  headers.set(HEADER, encodeURIComponent(JSON.stringify({ kind, product })));
  return new Request(request, { headers });
}

export function accessIn(request: Request): Access {
  return JSON.parse(decodeURIComponent(request.headers.get(HEADER) ?? "")) as Access; // as withAccess wrote it
}
