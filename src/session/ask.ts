/**
 * How pages and tests talk to a session: answers are parsed, in the shapes of core/answers.ts, and refusals thrown. (The API passes the
 * text of answers on as it is, by call.ts.)
 */
import type {
  Chart,
  EventCount,
  EventRow,
  Page,
  PathChange,
  SeriesSummary,
  StateAt,
  StateChange,
  StateDiff,
  Summary,
  Timeline,
} from "../core/answers.ts";
import { refusalOf } from "../core/refusal.ts";
import type { IngestAnswer, Op, Writer } from "../core/wire.ts";
import type { Env } from "../env.ts";
import { call, refusalIn } from "./call.ts";
import type {
  ChartQuery,
  EventsQuery,
  HistoryQuery,
  Moment,
  Question,
  Session,
} from "./session.ts";

/** What was removed with a session. */
export type Receipt = {
  id: string;
  segments: number;
  catalog_rows: number;
  bytes: number;
  states: number;
  events: number;
  points: number;
};

/** A stream, or the text of a refusal. */
type Streamed = ReadableStream<Uint8Array> | string;
type Stub = DurableObjectStub<Session>;

/** One that waits for the end of the turn, and who is told. */
type Asked = {
  question: Question;
  answer: (text: string) => void;
  reject: (error: unknown) => void;
};

/** The session of an id. Asking costs nothing until a method is called; of an unknown session every method throws `not_found`. */
export function ask(env: Env, id: string): SessionClient {
  return new SessionClient(env, id);
}

export class SessionClient {
  readonly #env: Env;
  readonly #id: string;
  readonly #asked: Asked[] = [];

  constructor(env: Env, id: string) {
    this.#env = env;
    this.#id = id;
  }

  /** `body`: a whole ingest body that names only this session. */
  async ingest(body: string): Promise<IngestAnswer> {
    return answered(await this.#call((session) => session.ingest(body)));
  }

  /** Ops that came without a lane; the first must be `start` if the session is new. Not retried: they have no sequence. */
  async record(ops: Op[], also: { writer?: Writer; lease_ms?: number } = {}): Promise<void> {
    const body = JSON.stringify({ ops, ...also });
    await call(this.#env, this.#id, (session) => session.record(body), { again: false });
  }

  summary(): Promise<Summary> {
    return this.#ask("summary");
  }

  state(moment: Moment = {}): Promise<StateAt> {
    return this.#ask("state", moment);
  }

  history(query: Omit<HistoryQuery, "path"> = {}): Promise<Page<StateChange>> {
    return this.#ask("history", query);
  }

  /** `history` of one path. */
  pathHistory(path: string[], query: HistoryQuery = {}): Promise<Page<PathChange>> {
    return this.#ask("history", { ...query, path });
  }

  diff(from: Moment, to: Moment = {}): Promise<StateDiff> {
    return this.#ask("diff", from, to);
  }

  events(query: EventsQuery = {}): Promise<Page<EventRow>> {
    return this.#ask("events", query);
  }

  eventCounts(): Promise<EventCount[]> {
    return this.#ask("eventCounts");
  }

  series(): Promise<SeriesSummary[]> {
    return this.#ask("series");
  }

  charts(query: ChartQuery = {}): Promise<Chart[]> {
    return this.#ask("charts", query);
  }

  timeline(query: { from?: number; to?: number; buckets?: number } = {}): Promise<Timeline> {
    return this.#ask("timeline", query);
  }

  /** Whether the state ever held a value (text of core/values.ts) at a dotted path. */
  everHeld(path: string, text: string): Promise<boolean> {
    return this.#ask("everHeld", path, text);
  }

  /** 1.x's session object, as JSON text in a stream. */
  async legacy(): Promise<ReadableStream<Uint8Array>> {
    return streamed(await this.#call(async (session): Promise<Streamed> => await session.legacy()));
  }

  /** Everything, as newline-delimited JSON. */
  async export(): Promise<ReadableStream<Uint8Array>> {
    return streamed(await this.#call(async (session): Promise<Streamed> => await session.export()));
  }

  async erase(): Promise<Receipt> {
    return answered(await this.#call((session) => session.erase()));
  }

  async reindex(): Promise<void> {
    answered(await this.#call((session) => session.reindex()));
  }

  /** A WebSocket upgrade: the page then gets a `Change` after each change. */
  async live(request: Request): Promise<Response> {
    return this.#env.SESSIONS.getByName(this.#id).fetch(request);
  }

  /** What is asked in one turn travels in one request, which is what the platform bills, and is answered as of one moment. */
  #ask<Answer>(...question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const answer = (text: string) => {
        const refusal = refusalIn(text);
        if (refusal) reject(refusal);
        else resolve(answered<Answer>(text));
      };
      this.#asked.push({ question, answer, reject });
      if (this.#asked.length === 1) queueMicrotask(() => void this.#send());
    });
  }

  /** Never rejects: those who asked are told. */
  async #send(asked = this.#asked.splice(0)): Promise<void> {
    try {
      const questions = asked.map(({ question }) => question);
      const answers = await this.#call((session) => session.answer(questions));
      asked.forEach(({ answer }, index) => answer(answers[index] ?? ""));
    } catch (error) {
      // One of them may be what broke, and the others shall not fall with it. An object that gets too much is left alone.
      if (asked.length > 1 && !refusalOf(error)) for (const one of asked) void this.#send([one]);
      else for (const { reject } of asked) reject(error);
    }
  }

  #call<Answer>(method: (session: Stub) => Promise<Answer>): Promise<Answer> {
    return call(this.#env, this.#id, method);
  }
}

function answered<Answer>(text: string): Answer {
  return JSON.parse(text) as Answer; // the object's own words, in the shapes that core/answers.ts gives
}

function streamed(answer: Streamed): ReadableStream<Uint8Array> {
  if (typeof answer === "string")
    throw new Error("A session answered with text where a stream was due.");
  return answer;
}
