/** Requests to the server: gzip, one key per server, and every failure as a value. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import * as v from "valibot";
import type { IngestAnswer } from "../../src/core/batch.ts";
import type { Config } from "../config.ts";
import type { Environment, Home } from "../home.ts";
import { REQUEST_TIMEOUT_MS } from "../limits.ts";
import { findToken, loopbackPort } from "../local-token.ts";
import { reason } from "../log.ts";
import { isForeignPort } from "../peer.ts";
import { parsedJson } from "../json.ts";
import { parseRetryAfter } from "./retry.ts";
import {
  type Incoming,
  openTransport,
  type Receive,
  type Transport,
  type Upload,
} from "./transport.ts";

export type Answer =
  | { kind: "answered"; answer: IngestAnswer }
  /** The server, or a proxy before it, refused the request as a whole. */
  | {
      kind: "refused";
      status: number;
      code?: string;
      message: string;
      retryAfterMs?: number;
      /** The budget of the key that is used up. */
      budget?: string;
    }
  | { kind: "unreachable"; message: string };

const compress = promisify(gzip);

const BatchResult = v.object({
  session: v.string(),
  lane: v.string(),
  applied: v.number(),
  watched: v.optional(v.boolean()),
  error: v.optional(
    v.object({ code: v.string(), message: v.string(), retry_after: v.optional(v.number()) }),
  ),
});
const Ingested = v.object({
  results: v.array(BatchResult),
  slow_down_ms: v.optional(v.number()),
});
const ErrorBody = v.object({
  error: v.object({ code: v.string(), message: v.string(), budget: v.optional(v.string()) }),
});

type UploaderOptions = {
  env: Environment;
  /** Has the tokens of this user's servers on this machine. */
  home: Home;
} & Pick<Config, "keys" | "insecureServer">;

export class Uploader {
  readonly #home: Home;
  readonly #transport: Transport;
  readonly #keys: Map<string, string>;
  readonly #insecureServer: string | undefined;
  readonly #insecure: Transport | undefined;

  constructor({ env, home, insecureServer, keys }: UploaderOptions) {
    this.#home = home;
    this.#transport = openTransport(env, false);
    this.#keys = new Map(Object.entries(keys));
    this.#insecureServer = insecureServer;
    this.#insecure = insecureServer === undefined ? undefined : openTransport(env, true);
  }

  /** Posts a body of batches. */
  async ingest(server: string, body: string): Promise<Answer> {
    let response: Incoming;
    try {
      response = await this.#send(server, "/api/ingest", REQUEST_TIMEOUT_MS, await compress(body));
    } catch (error) {
      return { kind: "unreachable", message: reason(error) };
    }
    const { status } = response;
    const parsed = parsedJson(response.body);
    if (status === 200) {
      const answer = v.safeParse(Ingested, parsed);
      if (answer.success) return { kind: "answered", answer: answer.output };
      const message =
        "it answered 200, but not as a Datacat server does; check the server's address";
      return { kind: "refused", status: 502, message };
    }
    const refusal = v.safeParse(ErrorBody, parsed);
    const retryAfterMs = parseRetryAfter(response.headers["retry-after"], Date.now());
    return {
      kind: "refused",
      status,
      message: refusal.success ? refusal.output.error.message : `it answered ${status}`,
      code: refusal.success ? refusal.output.error.code : undefined,
      budget: refusal.success ? refusal.output.error.budget : undefined,
      retryAfterMs,
    };
  }

  /** Throws if there is no answer within the time. */
  get(server: string, path: string, timeoutMs: number): Promise<Incoming> {
    return this.#send(server, path, timeoutMs);
  }

  /**
   * Gets the bytes from `from` to before `to` of a file; the answer's body has a character for each. Throws if there is no answer
   * within the time.
   */
  getBytes(
    server: string,
    path: string,
    { from, to }: { from: number; to: number },
    timeoutMs: number,
  ): Promise<Incoming> {
    const headers = { range: `bytes=${from}-${to - 1}` };
    return this.#request(server, path, timeoutMs, { headers, encoding: "latin1" });
  }

  /** Gets a body of any length, part by part. Throws if it does not end within the time. */
  getParts(server: string, path: string, receive: Receive, timeoutMs: number): Promise<Incoming> {
    return this.#request(server, path, timeoutMs, { headers: {}, receive });
  }

  /** Posts JSON. Throws if there is no answer within the time. */
  async post(server: string, path: string, body: string, timeoutMs: number): Promise<Incoming> {
    return this.#send(server, path, timeoutMs, await compress(body));
  }

  /** Posts a file, as it is read. Throws if there is no answer within the time. */
  postFile(server: string, path: string, body: Upload, timeoutMs: number): Promise<Incoming> {
    const headers = { "content-type": "application/octet-stream" };
    return this.#request(server, path, timeoutMs, { headers, body });
  }

  /** Puts bytes. Throws if there is no answer within the time. */
  put(server: string, path: string, body: Buffer, timeoutMs: number): Promise<Incoming> {
    const sha256 = createHash("sha256").update(body).digest("hex");
    const headers = { "content-type": "application/octet-stream", "x-chunk-sha256": sha256 };
    return this.#request(server, path, timeoutMs, { method: "PUT", headers, body });
  }

  /** Puts a body that is compressed already. Throws if there is no answer within the time. */
  putCompressed(server: string, path: string, body: Buffer, timeoutMs: number): Promise<Incoming> {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    return this.#request(server, path, timeoutMs, { method: "PUT", headers, body });
  }

  /** Throws if there is no answer within the time. */
  delete(server: string, path: string, timeoutMs: number): Promise<Incoming> {
    return this.#request(server, path, timeoutMs, { method: "DELETE", headers: {} });
  }

  async close(): Promise<void> {
    await this.#transport.close();
    await this.#insecure?.close();
  }

  #send(server: string, path: string, timeoutMs: number, body?: Buffer): Promise<Incoming> {
    const headers = body && { "content-type": "application/json", "content-encoding": "gzip" };
    return this.#request(server, path, timeoutMs, { headers: headers ?? {}, body });
  }

  async #request(
    server: string,
    path: string,
    timeoutMs: number,
    { headers, ...content }: Content,
  ): Promise<Incoming> {
    const key = this.#keys.get(server) ?? findToken(this.#home, server);
    if (key === undefined) await refuseForeignPort(server);
    const isInsecure = server === this.#insecureServer;
    return (isInsecure && this.#insecure ? this.#insecure : this.#transport).send({
      url: new URL(server + path),
      headers: {
        "user-agent": "datacat-daemon/2",
        ...(key && { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...content,
      timeoutMs,
    });
  }
}

type Content = {
  method?: "PUT" | "DELETE";
  headers: Record<string, string>;
  body?: Buffer | Upload;
  encoding?: "latin1";
  receive?: Receive;
};

/** While this user's server does not run, another user may listen on its port. Theirs would ask for a key, and an impostor would not. */
async function refuseForeignPort(server: string): Promise<void> {
  const port = loopbackPort(server);
  if (port === undefined || !(await isForeignPort(port))) return;
  throw new Error(
    `another user of this machine listens on port ${port}, so nothing is sent there without a key (datacat login ${server})`,
  );
}
