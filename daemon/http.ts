/**
 * The daemon's HTTP listener: loopback only unless told otherwise, a bridge from Node's requests to a fetch handler, and a guard
 * against web pages that try to talk to it through a browser.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LOCAL_BODY_BYTES } from "./limits.ts";

export type Handler = (request: Request) => Response | Promise<Response>;

export type Listener = { port: number; close(): Promise<void> };

export type ListenOptions = {
  port: number;
  /** Besides loopback. */
  addresses: string[];
  /** Names we may be called by, besides those of this machine for itself. */
  hosts: string[];
  /** Pages of these may talk to us. */
  origins: string[];
};

/** Listens on 127.0.0.1 and ::1 on the same port; throws if the port is taken. */
export async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const servers: Server[] = [];
  const close = async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  let { port } = options;
  for (const address of ["127.0.0.1", "::1", ...options.addresses]) {
    const server = createServer((request, response) => {
      answer(handler, options, request, response).catch(() => response.destroy());
    });
    try {
      port = await bind(server, port, address);
      servers.push(server);
    } catch (error) {
      // A machine without IPv6, or without IPv4: the other will do.
      if (isMissingAddress(error)) continue;
      await close();
      throw error;
    }
  }
  if (servers.length === 0) throw new Error("There is no address of this machine to listen on");
  return { port, close };
}

/** Why a request is not answered, or nothing. */
export function unwelcome(
  headers: { host?: string | undefined; origin?: string | undefined },
  { hosts, origins }: Pick<ListenOptions, "hosts" | "origins">,
): string | undefined {
  // A page may have made its own name point here: the name that the browser used gives it away.
  const name = headers.host?.replace(/:\d+$/, "").toLowerCase() ?? "";
  if (!["localhost", "127.0.0.1", "[::1]", ...hosts].includes(name)) {
    return `This daemon does not answer to the name "${name}".`;
  }
  if (headers.origin !== undefined && !origins.includes(headers.origin)) {
    return `Pages of ${headers.origin} may not talk to this daemon.`;
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
  const refusal = unwelcome({ host, origin }, options);
  const body = refusal === undefined ? await readBody(incoming) : undefined;
  if (refusal !== undefined || body === "too large") {
    outgoing.writeHead(refusal === undefined ? 413 : 403, {
      "content-type": "text/plain; charset=utf-8",
      connection: "close",
    });
    outgoing.end(`${refusal ?? "The request is larger than this daemon takes."}\n`);
    return;
  }
  const response = await handler(toRequest(incoming, body));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

function toRequest(incoming: IncomingMessage, body: Buffer | undefined): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const method = incoming.method ?? "GET";
  const hasBody = body !== undefined && method !== "GET" && method !== "HEAD";
  return new Request(new URL(incoming.url ?? "/", "http://localhost"), {
    method,
    headers,
    ...(hasBody && { body: new Uint8Array(body) }),
  });
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
