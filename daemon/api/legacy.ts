/** The local HTTP API of datacat 1.x's daemon (test/daemon/api/legacy.test.ts has each route), for its unmodified Python and Go clients. */
import * as v from "valibot";
import { Refusal } from "../../src/core/refusal.ts";
import type { Json, JsonObject, Metric, Op } from "../../src/core/wire.ts";
import { METRIC_TYPES } from "../../src/core/vocabulary.ts";
import { type Caller, REFUSAL } from "./caller.ts";
import { type Handler, json, plain, type Reply, type Routes } from "./http.ts";
import { looseJson } from "./loose-json.ts";
import type { Lanes } from "../lanes/lanes.ts";
import { FLUSH_MS, MAX_LISTED, MAX_SESSIONS_OF_OTHERS, PROBE_MS } from "../limits.ts";
import type { LocalSession, LocalSessions } from "./local.ts";
import type { Sender } from "../send/sender.ts";
import type { Uploader } from "../send/uploader.ts";

type LegacyOptions = {
  local: LocalSessions;
  lanes: Lanes;
  sender: Sender;
  uploader: Uploader;
  server: string;
  heartbeatTimeoutMs: number;
  now: () => number;
};

/** As in Go's JSON: null leaves a field empty, and so does its absence. */
const text = v.nullish(v.string(), "");
const texts = v.nullish(v.array(v.nullish(v.string(), "")), []);
const integer = v.nullish(v.pipe(v.number(), v.integer()));
const free = v.nullish(v.custom<JsonObject>(isObject));
/** Python writes NaN and Infinity, which looseJson makes strings; `metric` counts them as dropped. */
const float = v.nullish(v.union([v.number(), v.picklist(["NaN", "Infinity", "-Infinity"])]));

const Registration = v.object({ parent_pid: integer, product: text, version: text });
const Addressed = v.object({ session_id: text });
const StateBody = v.object({ session_id: text, state: free });
const EventBody = v.object({
  session_id: text,
  name: text,
  /** Many programs of 1.x give the data in the place of the category. */
  category: v.nullish(v.union([v.string(), v.custom<JsonObject>(isObject)]), ""),
  group: text,
  labels: texts,
  message: text,
  data: free,
  stacktrace: texts,
  exception_type: text,
  exception_msg: text,
  source_file: text,
  source_line: integer,
  source_function: text,
});
const MetricBody = v.object({
  session_id: text,
  name: text,
  type: text,
  value: float,
  delta: float,
  count: integer,
  unit: text,
  tags: texts,
  metadata: free,
});

export function legacyApi(options: LegacyOptions): Routes {
  const { local, lanes, sender, uploader, server, now } = options;
  const health: Handler = () => ({
    ...json({ sessions: local.all.length, status: "ok" }),
    type: "text/plain; charset=utf-8",
  });

  const register = post(Registration, "Invalid request body", async (body, caller) => {
    const registrant = await caller.registrant();
    if (registrant === "none") throw new LegacyError(403, "Forbidden");
    const isOnline = await answers(uploader, server);
    if (typeof registrant === "number" && local.openOf(registrant) >= MAX_SESSIONS_OF_OTHERS)
      throw new LegacyError(429, "Too many open sessions of this user");
    const parent = body.parent_pid ?? 0;
    const session = local.open(body.product, body.version, parent, isOnline, registrant);
    // With 1.x the server knew the session when this answered.
    if (isOnline) await sender.flush(session.id, FLUSH_MS);
    return { session_id: session.id };
  });

  const state = post(StateBody, "Invalid request", async (body, caller) => {
    const session = await need(local, body.session_id, caller);
    if (body.state) local.append(session, { op: "state", at: now(), patch: body.state });
  });

  const logEvent = post(EventBody, "Invalid request", async (body, caller) => {
    local.append(await need(local, body.session_id, caller), event(body, now()));
  });

  const logMetric = post(MetricBody, "Invalid request", async (body, caller) => {
    local.append(await need(local, body.session_id, caller), metric(body, now()));
  });

  const heartbeat = post(Addressed, "Invalid request", async (body, caller) => {
    const timeout_ms = options.heartbeatTimeoutMs;
    local.append(await need(local, body.session_id, caller), {
      op: "heartbeat",
      at: now(),
      timeout_ms,
    });
  });

  const pause = post(Addressed, "Invalid request", async (body, caller) => {
    local.append(await need(local, body.session_id, caller), { op: "pause", at: now() });
  });

  const resume = post(Addressed, "Invalid request", async (body, caller) => {
    local.append(await need(local, body.session_id, caller), { op: "resume", at: now() });
  });

  const end = post(Addressed, "Invalid request", async (body, caller) => {
    const session = await need(local, body.session_id, caller);
    local.append(session, { op: "end", at: now() });
    // Programs ask the server for the ended session right after this.
    await sender.flush(session.id, FLUSH_MS);
  });

  const getSession: Handler = async ({ query, caller }) => {
    const id = query.get("session_id");
    if (!id) throw new LegacyError(400, "Missing session_id parameter");
    const session = await local.findFor(id, caller);
    // The owner's programs also read sessions whose lanes are here.
    if (!session && !(lanes.ofSession(id).size > 0 && (await caller.isOwner()))) {
      if (!(await local.hasOpened(id, caller))) throw new LegacyError(404, "Session not found");
    }
    await sender.flush(id, FLUSH_MS);
    const answer = await ask(uploader, server, `/api/sessions/${encodeURIComponent(id)}`);
    if (answer?.status === 200) return { ...json(null), body: answer.body };
    if (!session) throw new LegacyError(404, "Session not found");
    return json({ ...snapshot(session), events: [], metrics: [] });
  };

  /** In 1.x all sessions of the server; here those that the caller registered with this daemon. */
  const getSessions: Handler = async ({ caller }) => {
    const ids = await local.listFor(caller);
    if (!ids) throw new LegacyError(403, REFUSAL);
    const found = await Promise.all(
      ids.slice(-MAX_LISTED).map(async (id): Promise<Json | undefined> => {
        const answer = await ask(uploader, server, `/api/sessions/${encodeURIComponent(id)}`);
        if (answer?.status === 200) return JSON.parse(answer.body) as Json; // the server's JSON
        const session = await local.findFor(id, caller);
        return session && snapshot(session);
      }),
    );
    return json(found.filter((session) => session !== undefined));
  };

  return {
    "/health": { "*": health },
    "/register": { POST: register },
    "/state": { POST: state },
    "/event": { POST: logEvent },
    "/metric": { POST: logMetric },
    "/heartbeat": { POST: heartbeat },
    "/pause_heartbeat": { POST: pause },
    "/resume_heartbeat": { POST: resume },
    "/end": { POST: end },
    "/session": { GET: getSession },
    "/sessions": { GET: getSessions },
  };
}

/** An error as 1.x's daemon answered it: plain text and a status. */
class LegacyError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function legacyError(error: unknown): Reply {
  if (error instanceof LegacyError || error instanceof Refusal) {
    return plain(error.status, error.message);
  }
  return plain(500, "The daemon failed");
}

/** A route that takes JSON and answers with what `handle` returns, else with `{"status":"ok"}`. */
function post<Body extends v.GenericSchema>(
  schema: Body,
  message: string,
  handle: (body: v.InferOutput<Body>, caller: Caller) => Promise<void | Record<string, string>>,
): Handler {
  return async ({ body, caller }) => {
    // Go's client sends no Content-Type, and Python's sends one with every request, so it is not checked.
    const parsed = v.safeParse(schema, looseJson(body.toString("utf8")));
    if (!parsed.success) throw new LegacyError(400, message);
    return json((await handle(parsed.output, caller)) ?? { status: "ok" });
  };
}

async function need(local: LocalSessions, id: string, caller: Caller): Promise<LocalSession> {
  const session = await local.findFor(id, caller);
  if (!session) throw new LegacyError(404, "Session not found");
  return session;
}

function event(body: v.InferOutput<typeof EventBody>, at: number): Op {
  const { category } = body;
  const nonEmpty = (value: string): string | undefined => (value === "" ? undefined : value);
  return compact({
    op: "event",
    at,
    name: body.name,
    category: typeof category === "string" ? nonEmpty(category) : undefined,
    group: nonEmpty(body.group),
    labels: body.labels,
    message: nonEmpty(body.message),
    data: typeof category === "string" ? (body.data ?? {}) : { ...category, ...body.data },
    exception_type: nonEmpty(body.exception_type),
    exception_msg: nonEmpty(body.exception_msg),
    stacktrace: body.stacktrace.length > 0 ? body.stacktrace : undefined,
    source_file: nonEmpty(body.source_file),
    source_line: body.source_line ?? undefined,
    source_function: nonEmpty(body.source_function),
  });
}

function metric(body: v.InferOutput<typeof MetricBody>, at: number): Op {
  const type = METRIC_TYPES.find((known) => known === body.type) ?? "gauge";
  const { buckets, ...metadata } = body.metadata ?? {};
  if (
    body.metadata &&
    "buckets" in body.metadata &&
    type !== "histogram" &&
    buckets !== undefined
  ) {
    metadata["buckets"] = buckets;
  }
  const isDelta = type === "counter" && body.delta !== null && body.delta !== undefined;
  const value = isDelta ? body.delta : (body.value ?? 0);
  if (typeof value !== "number") {
    const detail = `${body.name}: ${value}`;
    return { op: "dropped", at, cause: "not_finite", count: 1, detail };
  }
  const measured: Metric = compact({
    op: "metric",
    at,
    type,
    // 1.x took any text as a type, and treated it as a gauge.
    legacy_type: body.type === "" || body.type === type ? undefined : body.type,
    name: body.name,
    unit: body.unit === "" ? undefined : body.unit,
    tags: body.tags.length > 0 ? body.tags : undefined,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    value: isDelta ? undefined : value,
    delta: isDelta ? value : undefined,
    // 1.x accepted negative iterations, which have no meaning.
    count:
      isDelta || body.count === null || body.count === undefined || body.count < 0
        ? undefined
        : body.count,
    buckets: type === "histogram" ? upperBounds(buckets) : undefined,
  });
  return measured;
}

/** 1.x's bounds may contain infinity as a string. It is left out: the last bucket has no bound anyway. */
function upperBounds(buckets: Json | undefined): number[] | undefined {
  if (!Array.isArray(buckets)) return undefined;
  const bounds = buckets.filter((bound) => typeof bound === "number");
  return bounds.length > 0 ? bounds.toSorted((a, b) => a - b) : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without the keys that hold nothing. */
function compact<Whole extends object>(whole: {
  [Key in keyof Whole]: Whole[Key] | undefined;
}): Whole {
  // What is left has a value for each key that it has.
  return Object.fromEntries(
    Object.entries(whole).filter(([, value]) => value !== undefined),
  ) as Whole;
}

/** A session as this daemon has it, for when the server does not answer. */
function snapshot(session: LocalSession): JsonObject {
  const { id, createdAt, updatedAt, endedAt, state } = session;
  return {
    id,
    created_at: seconds(createdAt),
    updated_at: seconds(updatedAt),
    active: endedAt === undefined,
    state,
    ...(endedAt !== undefined && { ended_at: seconds(endedAt) }),
  };
}

/** RFC 3339 in whole seconds. */
function seconds(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

async function answers(uploader: Uploader, server: string): Promise<boolean> {
  try {
    return (await uploader.get(server, "/health", PROBE_MS)).status === 200;
  } catch {
    return false;
  }
}

async function ask(uploader: Uploader, server: string, path: string) {
  try {
    return await uploader.get(server, path, FLUSH_MS);
  } catch {
    return undefined;
  }
}
