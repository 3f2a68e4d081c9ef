/** One HTTP request, directly or through the proxy that the environment names. Throws if there is no answer. */
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { http, https } from "../builtin.ts";
import type { Environment } from "../home.ts";

type Outgoing = {
  url: URL;
  headers: Record<string, string>;
  /** Default: POST with a body, else GET. */
  method?: "PUT" | "DELETE";
  body?: Buffer | Upload;
  /** "latin1": the bytes of the answer, a character for each. */
  encoding?: "latin1";
  /** Takes the answer's body part by part, at its own pace, if the status is 200. `body` of the answer is then "". */
  receive?: Receive;
  timeoutMs: number;
};
/** A body that is read as it is sent: its parts, from the beginning each time. */
export type Upload = { length: number; parts: () => AsyncIterable<Buffer> };
export type Receive = (part: Buffer) => void | Promise<void>;
export type Incoming = { status: number; headers: IncomingHttpHeaders; body: string };
export type Transport = { send(request: Outgoing): Promise<Incoming>; close(): Promise<void> };

type Tls = { ca?: string[]; rejectUnauthorized?: boolean };

export function openTransport(env: Environment, insecure: boolean): Transport {
  const ca = extraCertificates(env);
  const tls: Tls = { ca, rejectUnauthorized: !insecure };
  const proxied = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];
  return proxied.some((name) => env[name]) ? throughProxy(env, tls) : direct(tls);
}

/** Node's own client: a library would take more memory than the rest of the daemon. */
function direct(tls: Tls): Transport {
  const agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets: 4 }),
    "https:": new https.Agent({ keepAlive: true, maxSockets: 4, ...tls }),
  };
  const once = (outgoing: Outgoing): Promise<Incoming> =>
    new Promise((resolve, reject) => {
      const { url, headers, method, body, timeoutMs } = outgoing;
      const isSecure = url.protocol === "https:";
      const request = (isSecure ? https : http).request(url, {
        method: method ?? (body ? "POST" : "GET"),
        headers: { ...headers, ...(body && { "content-length": body.length }) },
        agent: isSecure ? agents["https:"] : agents["http:"],
        signal: AbortSignal.timeout(timeoutMs),
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && CONNECTION_CLOSED.has(error.code ?? "");
        reject(isStale ? new StaleSocket(error) : error);
      });
      request.on("response", (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        bodyOf(response, status, outgoing).then(
          (text) => resolve({ status, headers: answered, body: text }),
          (error: Error) => {
            request.destroy();
            reject(error);
          },
        );
      });
      if (body === undefined || !("parts" in body)) request.end(body);
      // Of an answer that comes before the end of the body, the answer counts.
      else pipeline(body.parts(), request).catch((error: Error) => request.destroy(error));
    });
  let isOpen = true;
  return {
    async send(request) {
      try {
        return await once(request);
      } catch (error) {
        // The server closed a kept connection as it was used. Sending any of our requests twice is safe.
        if (error instanceof StaleSocket && isOpen) return once(request);
        throw error;
      }
    },
    close() {
      isOpen = false;
      for (const agent of Object.values(agents)) agent.destroy();
      return Promise.resolve();
    },
  };
}

async function bodyOf(
  response: AsyncIterable<Buffer>,
  status: number,
  { receive, encoding }: Outgoing,
): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) {
    if (receive && status === 200) await receive(part);
    else parts.push(part);
  }
  return Buffer.concat(parts).toString(encoding ?? "utf8");
}

/** Codes of errors of a request whose connection the other side closed. */
const CONNECTION_CLOSED: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

class StaleSocket extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function throughProxy(env: Environment, tls: Tls): Transport {
  const opened = openProxyAgent(env, tls);
  return {
    async send(outgoing) {
      const { url, headers, method, body, timeoutMs } = outgoing;
      const response = await (
        await opened
      ).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: method ?? (body ? "POST" : "GET"),
        headers: { ...headers, ...(body && { "content-length": String(body.length) }) },
        body: body && "parts" in body ? Readable.from(body.parts()) : body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const { statusCode: status, headers: answered } = response;
      return { status, headers: answered, body: await bodyOf(response.body, status, outgoing) };
    },
    async close() {
      await (await opened).destroy();
    },
  };
}

async function openProxyAgent(env: Environment, tls: Tls) {
  // Loaded only where there is a proxy.
  const { EnvHttpProxyAgent } = await import("undici");
  const httpProxy = env["http_proxy"] ?? env["HTTP_PROXY"];
  const httpsProxy = env["https_proxy"] ?? env["HTTPS_PROXY"];
  return new EnvHttpProxyAgent({
    httpProxy,
    httpsProxy,
    // A server on this machine is asked directly.
    noProxy: [env["no_proxy"] ?? env["NO_PROXY"], "localhost", "127.0.0.1", "::1", "[::1]"]
      .filter(Boolean)
      .join(","),
    connect: tls,
    requestTls: tls,
    connections: 4,
  });
}

/** Node reads NODE_EXTRA_CA_CERTS itself. Other programs read SSL_CERT_FILE, which Node does not. */
function extraCertificates(env: Environment): string[] | undefined {
  const path = env["SSL_CERT_FILE"];
  if (!path) return undefined;
  try {
    return [...process.getBuiltinModule("node:tls").rootCertificates, readFileSync(path, "utf8")];
  } catch {
    return undefined;
  }
}
