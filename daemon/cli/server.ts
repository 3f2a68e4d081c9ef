/** The server's API for the commands that ask: with the same address, key, proxies and certificates as the daemon uses. */
import type { Page } from "../../src/core/answers.ts";
import type { Status } from "../../src/core/vocabulary.ts";
import { readConfig } from "../config.ts";
import { type Environment, home } from "../home.ts";
import { reason } from "../log.ts";
import { Uploader } from "../send/uploader.ts";
import { REQUEST_TIMEOUT_MS } from "./limits.ts";
import { Trouble } from "./trouble.ts";

export type Query = Record<string, string | number | boolean | undefined>;

/** As much of a row of `GET /api/sessions` as is shown here. */
export type SessionRow = {
  id: string;
  product: string;
  version: string;
  status: Status;
  headline: string;
  hostname: string;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  events: number;
  points: number;
};

export class Server {
  readonly url: string;
  readonly key: string | undefined;
  readonly #uploader: Uploader;

  constructor(env: Environment) {
    const config = readConfig(env, "/", home(env, process.platform).config);
    this.url = config.server;
    this.key = config.keys[config.server];
    this.#uploader = new Uploader({ env, insecure: config.insecure, keys: config.keys });
  }

  /** A JSON answer, of the shape that the path is known to give. */
  async get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return JSON.parse(await this.getText(path, query)) as Answer; // our own server's, of our own version
  }

  async getText(path: string, query: Query = {}, timeoutMs = REQUEST_TIMEOUT_MS): Promise<string> {
    const said = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = said.length > 0 ? `?${new URLSearchParams(said).toString()}` : "";
    const answer = await this.ask(path + search, timeoutMs);
    if (answer.status === 200) return answer.body;
    const message = messageOf(answer.body) ?? `${this.url} answered ${answer.status} to ${path}.`;
    if (answer.status === 401 || answer.status === 403) {
      throw new Trouble("not_allowed", `${message}\nGive this machine a key with: datacat login`);
    }
    if (answer.status === 404 || answer.status === 410) throw new Trouble("not_found", message);
    throw new Trouble("failed", message);
  }

  /** Whatever the server answers; trouble only if it does not. */
  async ask(path: string, timeoutMs: number): Promise<{ status: number; body: string }> {
    try {
      return await this.#uploader.get(this.url, path, timeoutMs);
    } catch (error) {
      throw new Trouble(
        "unreachable",
        `The server ${this.url} does not answer (${reason(error)}).\n` +
          "Is it running? On this machine: npm start. Elsewhere: set DATACAT_URL, or run: datacat login <url>",
      );
    }
  }

  /** The whole id for `last`, an id, or as much of its beginning as is unique. */
  async findSession(abbreviated: string): Promise<string> {
    if (abbreviated === "last") {
      const { items } = await this.get<Page<SessionRow>>("/api/sessions", { limit: 1 });
      const [newest] = items;
      if (!newest) throw new Trouble("not_found", `${this.url} has no sessions yet.`);
      return newest.id;
    }
    const query = { text: abbreviated, limit: 1000 };
    const { items } = await this.get<Page<SessionRow>>("/api/sessions", query);
    const found = items.filter(({ id }) => id.startsWith(abbreviated.toLowerCase()));
    const exact = found.find(({ id }) => id === abbreviated);
    if (exact ?? found.length === 1) return (exact ?? found[0])?.id ?? abbreviated;
    // Not in the catalog yet, perhaps: the session itself knows.
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
      `${found.length} sessions have ids that begin with ${abbreviated}; say more of it:\n${some.join("\n")}`,
    );
  }

  close(): Promise<void> {
    return this.#uploader.close();
  }
}

function messageOf(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: string } }; // or anything else
    return error?.message;
  } catch {
    return undefined;
  }
}
