/** The server's API, with the same address, key, proxies and certificates as the daemon. */
import type { Page } from "../../src/core/answers/page.ts";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import { MAX_PAGE } from "../../src/core/limits.ts";
import { readConfig } from "../config.ts";
import { type Environment, home } from "../home.ts";
import { reason } from "../log.ts";
import type { Receive, Upload } from "../send/transport.ts";
import { Uploader } from "../send/uploader.ts";
import { EXPORT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from "./limits.ts";
import { DATACAT } from "./invocation.ts";
import { Trouble } from "./trouble.ts";

type Query = Record<string, string | number | boolean | undefined>;

export class Server {
  readonly url: string;
  readonly key: string | undefined;
  readonly #uploader: Uploader;

  constructor(env: Environment) {
    const own = { ...env, DATACAT_CONFIG: undefined }; // for daemons that 1.x's clients start
    const folder = home(env, process.platform);
    const config = readConfig(own, "/", folder.config);
    this.url = config.server;
    this.key = config.keys[config.server];
    this.#uploader = new Uploader({ env, home: folder, ...config });
  }

  /** A JSON answer of the type that belongs to the path. */
  async get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return JSON.parse(await this.getText(path, query)) as Answer; // from our own server, of the same version
  }

  async getText(path: string, query: Query = {}, timeoutMs = REQUEST_TIMEOUT_MS): Promise<string> {
    return this.#bodyOf(await this.ask(path + searchOf(query), timeoutMs), path);
  }

  /** The bytes from `from` to before `to` of a file. */
  async getBytes(path: string, from: number, to: number): Promise<Buffer> {
    const range = { from, to };
    const sent = this.#uploader.getBytes(this.url, path, range, REQUEST_TIMEOUT_MS);
    const answer = await this.#answered(sent);
    const { status } = answer;
    const body = this.#bodyOf({ ...answer, status: status === 206 ? 200 : status }, path);
    if (body.length !== to - from)
      throw new Trouble("failed", `${this.url} sent ${body.length} bytes instead of ${to - from}`);
    return Buffer.from(body, "latin1");
  }

  /** Gives a body of any length to `receive`, part by part. Throws `failed` if it does not end as it should. */
  async getParts(path: string, query: Query, receive: Receive): Promise<void> {
    let hasBegun = false;
    let failure: Error | undefined;
    const take: Receive = async (part) => {
      hasBegun = true;
      try {
        await receive(part);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        throw error;
      }
    };
    const url = path + searchOf(query);
    const answer = await this.#uploader
      .getParts(this.url, url, take, EXPORT_TIMEOUT_MS)
      .catch((error: unknown) => {
        if (failure) throw failure;
        if (!hasBegun) throw this.#unreachable(error);
        throw new Trouble("failed", `${this.url} sent only a part (${reason(error)}).`);
      });
    this.#bodyOf(answer, path);
  }

  /** The JSON answer to a request that changes something. */
  async post<Answer>(path: string, body: object, timeoutMs: number): Promise<Answer> {
    const sent = this.#uploader.post(this.url, path, JSON.stringify(body), timeoutMs);
    return JSON.parse(this.#bodyOf(await this.#answered(sent), path)) as Answer; // as in get()
  }

  /** The JSON answer to a file, which is read as it is sent. */
  async postFile<Answer>(path: string, query: Query, file: Upload): Promise<Answer> {
    const sent = this.#uploader.postFile(this.url, path + searchOf(query), file, EXPORT_TIMEOUT_MS);
    return JSON.parse(this.#bodyOf(await this.#answered(sent), path)) as Answer; // as in get()
  }

  /** Puts a compressed body. Undefined, or the message with which the server refused it for its content. */
  async put(
    path: string,
    query: Query,
    body: Buffer,
    timeoutMs: number,
  ): Promise<string | undefined> {
    const sent = this.#uploader.putCompressed(this.url, path + searchOf(query), body, timeoutMs);
    const answer = await this.#answered(sent);
    if (answer.status === 400 || answer.status === 413) return messageOf(answer.body) ?? "";
    this.#bodyOf(answer, path);
    return undefined;
  }

  /** The JSON answer to a deletion. */
  async delete<Answer>(path: string, query: Query): Promise<Answer> {
    const sent = this.#uploader.delete(this.url, path + searchOf(query), REQUEST_TIMEOUT_MS);
    return JSON.parse(this.#bodyOf(await this.#answered(sent), path)) as Answer; // as in get()
  }

  #bodyOf(answer: { status: number; body: string }, path: string): string {
    if (answer.status === 200) return answer.body;
    const message = messageOf(answer.body) ?? `${this.url} answered ${answer.status} to ${path}.`;
    if (answer.status === 401 || answer.status === 403) {
      throw new Trouble(
        "not_allowed",
        `${message}\nTo set a key for this machine: ${DATACAT} login`,
      );
    }
    if (answer.status === 404 || answer.status === 410) throw new Trouble("not_found", message);
    throw new Trouble("failed", message);
  }

  /** The server's answer, whatever its status. Throws if there is none. */
  ask(path: string, timeoutMs: number): Promise<{ status: number; body: string }> {
    return this.#answered(this.#uploader.get(this.url, path, timeoutMs));
  }

  async #answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw error instanceof Trouble ? error : this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): Trouble {
    return new Trouble(
      "unreachable",
      `The server ${this.url} does not answer (${reason(error)}).\n` +
        `Is it running? Start it on this machine with npm start, or name another one with DATACAT_URL or: ${DATACAT} login <url>`,
    );
  }

  /** The id that `last`, an id, or a unique beginning of one stands for. */
  async findSession(abbreviated: string): Promise<string> {
    if (abbreviated === "last") {
      const { items } = await this.get<Page<SessionRow>>("/api/sessions", { limit: 1 });
      const [newest] = items;
      if (!newest) throw new Trouble("not_found", `${this.url} has no sessions yet.`);
      return newest.id;
    }
    const query = { text: abbreviated, limit: MAX_PAGE };
    const { items } = await this.get<Page<SessionRow>>("/api/sessions", query);
    const found = items.filter(({ id }) => id.startsWith(abbreviated.toLowerCase()));
    const exact = found.find(({ id }) => id === abbreviated);
    if (exact ?? found.length === 1) return (exact ?? found[0])?.id ?? abbreviated;
    // A new session may not be in the catalog yet. The session itself answers for a whole id.
    if (found.length === 0 && abbreviated.length >= 32) return abbreviated;
    if (found.length === 0) {
      throw new Trouble(
        "not_found",
        `No session of ${this.url} has an id that begins with ${abbreviated}.`,
      );
    }
    const some = found.slice(0, 5).map(({ id, product }) => `  ${id}  ${product}`);
    throw new Trouble(
      "not_found",
      `${found.length} sessions have ids that begin with ${abbreviated}. Give more of the id:\n${some.join("\n")}`,
    );
  }

  close(): Promise<void> {
    return this.#uploader.close();
  }
}

function searchOf(query: Query): string {
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return parameters.length > 0 ? `?${new URLSearchParams(parameters).toString()}` : "";
}

function messageOf(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: string } }; // unchecked: any of it may be missing
    return error?.message;
  } catch {
    return undefined;
  }
}
