/**
 * The daemon's HTTP listener: loopback only unless configured otherwise, and closed to web pages that reach it through a browser.
 * It is Node's own server with a table of paths: fetch's Request and Response take 20 MB of the 100 that the daemon may use.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { http } from "../builtin.ts";
import { LOCAL_BODY_BYTES } from "../limits.ts";
import { Caller } from "./caller.ts";
import { type EarlyListener, serve } from "./early.ts";

export type Ask = {
  method: string;
  path: string;
  query: URLSearchParams;
  encoding: string | undefined;
  /** Of the body, if it is a chunk of an attachment: SHA-256 in hex. */
  checksum: string | undefined;
  body: Buffer;
  /** Who asks. */
  caller: Caller;
};
export type Reply = { status: number; type: string; body: string; retryAfter?: string | undefined };
export type Handler = (ask: Ask) => Reply | Promise<Reply>;
/** By path, in which `:name` is any part, and method; `*` is any other. */
export type Routes = { [path: string]: { [method: string]: Handler } };

export function json(value: unknown, status = 200): Reply {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

export function plain(status: number, message: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body: `${message}\n` };
}

/** The handler of these routes, with 1.x's answers for other paths. */
export function routed(routes: Routes, onError: (error: unknown, ask: Ask) => Reply): Handler {
  const table = new Map(Object.entries(routes));
  const patterns = [...table]
    .filter(([path]) => path.includes("/:"))
    .map(([path, route]) => ({ parts: path.split("/"), route }));
  return async (ask) => {
    const parts = ask.path.split("/");
    const route =
      table.get(ask.path) ?? patterns.find((pattern) => isMatch(pattern.parts, parts))?.route;
    if (!route) return plain(404, "404 page not found");
    const handler = route[ask.method] ?? route["*"];
    if (!handler) return plain(405, "Method not allowed");
    try {
      return await handler(ask);
    } catch (error) {
      return onError(error, ask);
    }
  };
}

function isMatch(pattern: string[], parts: string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, i) => (part.startsWith(":") ? parts[i] !== "" : part === parts[i]))
  );
}

export type Listener = { port: number; close(): Promise<void> };

type ListenOptions = {
  port: number;
  /** In addition to loopback. */
  addresses: string[];
  /** Accepted values of the Host header, in addition to this machine's names for itself. */
  hosts: string[];
  /** Origins whose pages may send requests. */
  origins: string[];
  /** Listeners on the port that are open already. */
  early: EarlyListener[];
  /** Shows that the caller can read the owner's files. */
  token: string;
};

/** Listens on 127.0.0.1 and ::1 on the same port; throws if the port is taken. */
export async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const servers: Server[] = [];
  const { early } = options;
  const close = async () => {
    for (const listener of early) listener.server.close();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  let { port } = options;
  for (const address of ["127.0.0.1", "::1", ...options.addresses]) {
    const server = http.createServer((request, response) => {
      answer(handler, options, request, response).catch(() => response.destroy());
    });
    const open = early.find((listener) => listener.address === address);
    if (open) {
      serve(open, server);
      servers.push(server);
      continue;
    }
    try {
      port = await bind(server, port, address);
      servers.push(server);
    } catch (error) {
      // A machine without IPv6, or without IPv4.
      if (isMissingAddress(error)) continue;
      await close();
      throw error;
    }
  }
  if (servers.length === 0) throw new Error("There is no address of this machine to listen on");
  return { port, close };
}

/** Why a request is refused; undefined if it is not. */
export function refusalOf(
  headers: { host?: string | undefined; origin?: string | undefined },
  { hosts, origins }: Pick<ListenOptions, "hosts" | "origins">,
): string | undefined {
  // A page may let its own host name resolve to this machine. The Host header shows the name that the browser used.
  const name = headers.host?.replace(/:\d+$/, "").toLowerCase() ?? "";
  if (!["localhost", "127.0.0.1", "[::1]", ...hosts].includes(name)) {
    return `The host name "${name}" is not allowed here.`;
  }
  if (headers.origin !== undefined && !origins.includes(headers.origin)) {
    return `Pages of ${headers.origin} may not use this daemon.`;
  }
  return undefined;
}

async function answer(
  handler: Handler,
  options: ListenOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { host, origin } = incoming.headers;
  const refusal = refusalOf({ host, origin }, options);
  const body = refusal === undefined ? await readBody(incoming) : undefined;
  const reply =
    body === undefined
      ? plain(403, refusal ?? "")
      : body === "too large"
        ? plain(413, "The request is too large.")
        : await handler(toAsk(incoming, body, options.token));
  outgoing.writeHead(reply.status, {
    "content-type": reply.type,
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    ...(reply.retryAfter !== undefined && { "retry-after": reply.retryAfter }),
    // An unread body must not be parsed as the next request.
    ...(Buffer.isBuffer(body) ? {} : { connection: "close" }),
  });
  outgoing.end(reply.body);
}

function toAsk(incoming: IncomingMessage, body: Buffer, token: string): Ask {
  // Repeated slashes count as one, as in 1.x; two at the beginning would be a host.
  const [path = "/", query = ""] = (incoming.url ?? "/").split(/\?(.*)/s);
  const url = new URL(`http://localhost${path.replace(/\/{2,}/g, "/")}?${query}`);
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    encoding: incoming.headers["content-encoding"],
    checksum: header(incoming, "x-chunk-sha256"),
    body,
    caller: new Caller(incoming.socket, incoming.headers.authorization, token),
  };
}

function header({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | "too large"> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = chunk as Buffer; // no encoding was set on the stream
    size += bytes.length;
    if (size > LOCAL_BODY_BYTES) return "too large";
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function bind(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.removeListener("error", reject);
      resolve((server.address() as AddressInfo).port); // never a path: a port was asked for
    });
  });
}

function isMissingAddress(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT" || code === "EINVAL";
}
