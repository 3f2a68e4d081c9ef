/** HTTP to the server: gzip, keys, proxies and certificates by the usual variables, and every failure as a value. */
import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import * as v from "valibot";
import type { IngestAnswer } from "../src/core/wire.ts";
import type { Environment } from "./home.ts";
import { CONNECT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from "./limits.ts";
import { reason } from "./log.ts";
import { parseRetryAfter } from "./retry.ts";

export type Answer =
  | { kind: "answered"; answer: IngestAnswer }
  /** The server, or something before it, did not take the request as a whole. */
  | { kind: "refused"; status: number; code?: string; message: string; retryAfterMs?: number }
  | { kind: "unreachable"; message: string };

const compress = promisify(gzip);

const BatchResult = v.object({
  session: v.string(),
  lane: v.string(),
  applied: v.number(),
  watched: v.optional(v.boolean()),
  error: v.optional(v.object({ code: v.string(), message: v.string() })),
});
const Ingested = v.object({
  results: v.array(BatchResult),
  slow_down_ms: v.optional(v.number()),
});
const ErrorBody = v.object({ error: v.object({ code: v.string(), message: v.string() }) });

export type UploaderOptions = { env: Environment; insecure: boolean; keys: Record<string, string> };

export class Uploader {
  readonly #agent: Dispatcher;
  readonly #keys: Record<string, string>;

  constructor({ env, insecure, keys }: UploaderOptions) {
    this.#keys = keys;
    const ca = extraCertificates(env);
    const tls = { ...(ca && { ca }), ...(insecure && { rejectUnauthorized: false }) };
    const httpProxy = env["http_proxy"] ?? env["HTTP_PROXY"];
    const httpsProxy = env["https_proxy"] ?? env["HTTPS_PROXY"];
    this.#agent = new EnvHttpProxyAgent({
      ...(httpProxy && { httpProxy }),
      ...(httpsProxy && { httpsProxy }),
      // A proxy is for elsewhere: a server on this machine is asked directly.
      noProxy: [env["no_proxy"] ?? env["NO_PROXY"], "localhost", "127.0.0.1", "::1", "[::1]"]
        .filter(Boolean)
        .join(","),
      connect: { timeout: CONNECT_TIMEOUT_MS, ...tls },
      requestTls: tls,
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: REQUEST_TIMEOUT_MS,
      connections: 4,
    });
  }

  /** Posts a body of batches. */
  async ingest(server: string, body: string): Promise<Answer> {
    let status: number;
    let text: string;
    let retryAfter: string | undefined;
    try {
      const response = await this.#request(server, "/api/ingest", await compress(body));
      status = response.statusCode;
      const header = response.headers["retry-after"];
      retryAfter = Array.isArray(header) ? header[0] : header;
      text = await response.body.text();
    } catch (error) {
      return { kind: "unreachable", message: reason(error) };
    }
    const parsed = parse(text);
    if (status === 200) {
      const answer = v.safeParse(Ingested, parsed);
      // The optional keys are those of the type.
      if (answer.success) return { kind: "answered", answer: answer.output as IngestAnswer };
      const message = "it answered 200 but not as a Datacat server does: is the address right?";
      return { kind: "refused", status: 502, message };
    }
    const told = v.safeParse(ErrorBody, parsed);
    const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
    return {
      kind: "refused",
      status,
      message: told.success ? told.output.error.message : `it answered ${status}`,
      ...(told.success && { code: told.output.error.code }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }

  /** Asks for something; throws if the server cannot be reached in that time. */
  async get(
    server: string,
    path: string,
    timeoutMs: number,
  ): Promise<{ status: number; body: string; type: string }> {
    const response = await this.#request(server, path, undefined, timeoutMs);
    const type = response.headers["content-type"];
    return {
      status: response.statusCode,
      body: await response.body.text(),
      type: typeof type === "string" ? type : "application/json",
    };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #request(
    server: string,
    path: string,
    body: Buffer | undefined,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<Dispatcher.ResponseData> {
    const url = new URL(server + path);
    const key = this.#keys[server];
    return this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: body ? "POST" : "GET",
      headers: {
        "user-agent": "datacat-daemon/2",
        ...(key && { authorization: `Bearer ${key}` }),
        ...(body && { "content-type": "application/json", "content-encoding": "gzip" }),
      },
      ...(body && { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** NODE_EXTRA_CA_CERTS is Node's own doing; SSL_CERT_FILE is what other programs read. */
function extraCertificates(env: Environment): string[] | undefined {
  const path = env["SSL_CERT_FILE"];
  if (!path) return undefined;
  try {
    return [...rootCertificates, readFileSync(path, "utf8")];
  } catch {
    return undefined;
  }
}
