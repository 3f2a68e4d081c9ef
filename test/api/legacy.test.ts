/** datacat 1.x's server routes, one by one. */
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/core/answers/summary.ts";
import { gzip, open, post, server } from "./server.ts";

const ask = server();

type Session = {
  id: string;
  created_at: string;
  updated_at: string;
  ended_at?: string;
  last_heartbeat?: string;
  machine_id?: string;
  hostname?: string;
  active: boolean;
  suspended: boolean;
  crashed: boolean;
  hung: boolean;
  state: Record<string, unknown>;
  state_history: { timestamp: string; state: Record<string, unknown> }[];
  events: Record<string, unknown>[];
  metrics: Record<string, unknown>[];
};

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

async function session(id: string): Promise<Session> {
  const response = await ask(`/api/sessions/${id}`);
  expect(response.status).toBe(200);
  return response.json();
}

async function ok(path: string, body: unknown = ""): Promise<void> {
  const response = await ask(path, post(body));
  expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
}

async function refused(response: Response, status: number, code: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code, message: expect.any(String) } });
}

test("without sessions there is an empty list of them", async () => {
  const response = await ask("/api/data/sessions");
  expect([response.status, await response.json()]).toEqual([200, []]);
});

test("/health answers to any method, without a key, even when all else is locked", async () => {
  const locked = server({});
  for (const method of ["GET", "POST", "PUT", "DELETE"]) {
    const response = await locked("/health", { method });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      service: "datacat-server",
      status: "healthy",
      version: "2.0.0",
    });
  }
});

describe("POST /api/sessions", () => {
  test("answers 200 with nothing but the session's id, a string", async () => {
    const response = await ask("/api/sessions", post({ product: "game", version: "1.0" }));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({ session_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  test("needs neither product nor version, nor a body, nor a content type", async () => {
    for (const body of ["", "{}", "null", '{"product":""}', '{"product":null,"unknown":[1]}']) {
      expect((await ask("/api/sessions", post(body))).status, body).toBe(200);
    }
    expect((await ask("/api/sessions", { method: "POST" })).status).toBe(200);
  });

  test("takes names of any length, as 1.x did: they are cut, and the page names which", async () => {
    const long = "n".repeat(500);
    const id = await open(ask, { product: long, version: "1", hostname: long });
    const tags = Array.from({ length: 70 }, () => long);
    await ok(`/api/sessions/${id}/events`, { name: long, category: long, labels: tags });
    await ok(`/api/sessions/${id}/metrics`, { name: long, type: long, unit: long, tags });
    const { events, metrics } = await session(id);
    const cut = "n".repeat(256);
    expect(events).toMatchObject([
      { name: cut, category: cut, labels: tags.slice(0, 64).map(() => cut) },
    ]);
    expect(metrics).toMatchObject([{ name: cut, type: cut, unit: cut }]);
    const { ledger } = await (await ask(`/api/sessions/${id}/summary`)).json<Summary>();
    expect(ledger.altered_fields?.toSorted()).toEqual([
      "event.category",
      "event.labels",
      "event.name",
      "metric.legacy_type",
      "metric.name",
      "metric.tags",
      "metric.unit",
      "start.product",
    ]);
    expect(ledger.dropped).toEqual({});
  });

  test("without product and version the state has both keys, as with 1.x", async () => {
    const id = await open(ask, {});
    await ok(`/api/sessions/${id}/state`, { a: 1 });
    const { state, state_history } = await session(id);
    expect(state).toEqual({ product: "", version: "", a: 1 });
    expect(state_history[0]?.state).toEqual({ product: "", version: "", a: 1 });
  });

  test("works at an address that was configured with a slash at its end", async () => {
    const response = await ask("//api/sessions", post({ product: "game", version: "1.0" }));
    const { session_id } = (await response.json()) as { session_id: string };
    await ok(`//api//sessions/${session_id}/state`, { a: 1 });
    expect((await ask(`//api/sessions/${session_id}/`)).status).toBe(200);
    expect((await ask("///health")).status).toBe(200);
  });

  test("keeps the fields of the request, whatever their case", async () => {
    const id = await open(ask, {
      PRODUCT: "game",
      Version: "2",
      Machine_ID: "m1",
      HostName: "workshop",
    });
    expect(await session(id)).toMatchObject({
      id,
      machine_id: "m1",
      hostname: "workshop",
      active: true,
      suspended: false,
      crashed: false,
      hung: false,
      state: { product: "game", version: "2" },
      state_history: [],
      events: [],
      metrics: [],
    });
  });

  test("a body that is not right opens nothing", async () => {
    await refused(await ask("/api/sessions", post("{")), 400, "invalid_json");
    await refused(await ask("/api/sessions", post("[]")), 400, "invalid_body");
    await refused(await ask("/api/sessions", post({ product: 5 })), 400, "invalid_body");
  });
});

describe("GET /api/sessions/{id}", () => {
  test("times are RFC 3339, and absent when there are none", async () => {
    const id = await open(ask);
    const fresh = await session(id);
    expect(fresh.created_at).toMatch(RFC3339);
    expect(fresh.updated_at).toMatch(RFC3339);
    expect(fresh).not.toHaveProperty("ended_at");
    expect(fresh).not.toHaveProperty("last_heartbeat");
    expect(fresh).not.toHaveProperty("machine_id");
    await ok(`/api/sessions/${id}/heartbeat`);
    await ok(`/api/sessions/${id}/end`);
    const ended = await session(id);
    expect(ended.ended_at).toMatch(RFC3339);
    expect(ended.last_heartbeat).toMatch(RFC3339);
    expect(ended).toMatchObject({ active: false, suspended: false, crashed: false });
  });

  test("takes a slash at the end, and answers not_found for an unknown session", async () => {
    const id = await open(ask);
    expect((await ask(`/api/sessions/${id}/`)).status).toBe(200);
    await refused(await ask("/api/sessions/unknown"), 404, "not_found");
    await refused(await ask("/api/sessions/%20%00"), 404, "not_found");
    await refused(await ask(`/api/sessions/${"x".repeat(2_000)}`), 404, "not_found");
  });
});

describe("POST /api/sessions/{id}/state", () => {
  test("one update is one snapshot, merged and in order", async () => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/state`, { state: { player: { hp: 3, name: "ada" } } });
    await ok(`/api/sessions/${id}/state`, { player: { hp: 2 }, level: 1 });
    await ok(`/api/sessions/${id}/state`, { player: { name: null } });
    const { state, state_history } = await session(id);
    expect(state).toEqual({ product: "game", version: "1.0", player: { hp: 2 }, level: 1 });
    expect(state_history.map((snapshot) => snapshot.state["player"])).toEqual([
      { hp: 3, name: "ada" },
      { hp: 2, name: "ada" },
      { hp: 2 },
    ]);
  });

  test.each([
    ["the wrapper drops every other key", { state: { a: 1 }, user: "x" }, { a: 1 }],
    ["the wrapper is known in any case", { STATE: { a: 1 }, user: "x" }, { a: 1 }],
    ["an empty wrapper changes nothing", { state: {} }, {}],
    ["without a wrapper the body is the state", { a: 1, user: "x" }, { a: 1, user: "x" }],
    ["state: null is no wrapper", { state: null, a: 1 }, { a: 1 }],
    ["a null body changes nothing", null, {}],
    ["an empty object changes nothing", {}, {}],
    [
      "lists replace, and null in a new object stays",
      { list: [1, 2], box: { empty: null } },
      { list: [1, 2], box: { empty: null } },
    ],
    [
      "a plain state keeps its timestamp as a key",
      { timestamp: "2026-01-02T03:04:05Z" },
      { timestamp: "2026-01-02T03:04:05Z" },
    ],
  ])("%s", async (_, body, expected) => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/state`, body);
    const { state, state_history } = await session(id);
    expect(state).toEqual({ product: "game", version: "1.0", ...expected });
    expect(state_history.length).toBe(1);
  });

  test("a timestamp is the snapshot's time, in both bodies", async () => {
    const id = await open(ask);
    const timestamp = "2026-01-02T03:04:05.678+01:00";
    await ok(`/api/sessions/${id}/state`, { state: { a: 1 }, timestamp });
    await ok(`/api/sessions/${id}/state`, { b: 1, timestamp });
    for (const snapshot of (await session(id)).state_history) {
      expect(Date.parse(snapshot.timestamp)).toBe(Date.parse(timestamp));
    }
  });

  test("what is not a state is refused, before the session is looked up", async () => {
    const id = await open(ask);
    for (const body of [
      "",
      "[1]",
      '"text"',
      '{"state":"text"}',
      '{"state":[1]}',
      '{"a":1,"timestamp":"yesterday"}',
      '{"state":{},"timestamp":5}',
      "{} {}",
    ]) {
      expect((await ask(`/api/sessions/${id}/state`, post(body))).status, body).toBe(400);
      expect((await ask(`/api/sessions/unknown/state`, post(body))).status, body).toBe(400);
    }
    await refused(await ask(`/api/sessions/unknown/state`, post({ a: 1 })), 404, "not_found");
    expect((await session(id)).state_history).toEqual([]);
  });
});

describe("POST /api/sessions/{id}/events", () => {
  test("an event comes back with all its fields", async () => {
    const id = await open(ask);
    const event = {
      timestamp: "2026-01-02T03:04:05Z",
      name: "exception",
      category: "critical",
      group: "audio",
      labels: ["a", "b"],
      message: "no sound",
      data: { device: 7 },
      stacktrace: ["at main", "at play"],
      exception_type: "AudioError",
      exception_msg: "busy",
      source_file: "main.py",
      source_line: 12,
      source_function: "play",
    };
    await ok(`/api/sessions/${id}/events`, event);
    const [stored] = (await session(id)).events;
    expect(stored).toMatchObject({
      ...event,
      timestamp: expect.stringMatching(/^2026-01-02T03:04:05/),
    });
  });

  test.each([
    ["info is the default", { name: "a" }, { category: "info", group: "", message: "" }],
    ["with an exception it is error", { name: "a", exception_type: "E" }, { category: "error" }],
    [
      "an exception of category info becomes error",
      { name: "a", category: "info", exception_type: "E" },
      { category: "error" },
    ],
    [
      "any other category stays with an exception",
      { name: "a", category: "warning", exception_type: "E" },
      { category: "warning" },
    ],
    ["a name is not needed", {}, { name: "" }],
    ["names of fields in any case", { NAME: "a", Message: "m" }, { name: "a", message: "m" }],
    [
      "null counts as absent",
      { name: "a", category: null, labels: null, data: null, timestamp: null },
      { category: "info" },
    ],
    [
      "level was once the category, and category the group",
      { name: "a", level: "warning", category: "auth" },
      { category: "warning", group: "auth" },
    ],
    [
      "an object in the place of the category is data",
      { name: "a", category: { x: 1, y: 1 }, data: { y: 2 } },
      { category: "info", data: { x: 1, y: 2 } },
    ],
    [
      "an exception keeps its category with data in that place",
      { name: "a", category: { x: 1 }, exception_type: "E" },
      { category: "error", data: { x: 1 } },
    ],
  ])("%s", async (_, body, expected) => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/events`, body);
    const { events } = await session(id);
    expect(events).toMatchObject([expected]);
  });

  test("year 1 is a time that is not set", async () => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/events`, { name: "a", timestamp: "0001-01-01T00:00:00Z" });
    const [event] = (await session(id)).events;
    expect(Math.abs(Date.parse(String(event?.["timestamp"])) - Date.now())).toBeLessThan(60_000);
  });

  test("wrong types are refused", async () => {
    const id = await open(ask);
    for (const body of [
      { name: 5 },
      { category: [] },
      { data: [1] },
      { labels: "a" },
      { source_line: "12" },
      { source_line: 1.5 },
      { timestamp: "soon" },
      { stacktrace: [1] },
    ]) {
      await refused(await ask(`/api/sessions/${id}/events`, post(body)), 400, "invalid_body");
    }
    expect((await session(id)).events).toEqual([]);
  });

  test("the names that mean a hang set and clear the flag", async () => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/events`, {
      name: "application_appears_hung",
      category: "error",
      timestamp: "0001-01-01T00:00:00Z",
    });
    expect(await session(id)).toMatchObject({ hung: true, active: true });
    await ok(`/api/sessions/${id}/events`, { name: "application_recovered" });
    const { hung, events } = await session(id);
    expect([hung, events.length]).toEqual([false, 2]);
  });

  test("a hang outlasts the heartbeats that 1.x's daemon sends on its timer", async () => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/events`, { name: "application_appears_hung" });
    await ok(`/api/sessions/${id}/heartbeat`);
    const { last_heartbeat, ...hanging } = await session(id);
    expect(last_heartbeat).toMatch(RFC3339);
    expect(hanging).toMatchObject({ hung: true, active: true });
    await ok(`/api/sessions/${id}/events`, { name: "application_recovered" });
    await ok(`/api/sessions/${id}/heartbeat`);
    expect(await session(id)).toMatchObject({ hung: false, active: true });
  });
});

describe("POST /api/sessions/{id}/metrics", () => {
  test.each([
    ["gauge is the default", { name: "fps", value: 60 }, { type: "gauge", value: 60 }],
    ["0 is the default value", { name: "fps" }, { value: 0 }],
    [
      "a counter's value is its total",
      { name: "n", type: "counter", value: 5 },
      { type: "counter", value: 5 },
    ],
    [
      "a timer counts",
      { name: "t", type: "timer", value: 1.5, count: 3, unit: "seconds" },
      { type: "timer", value: 1.5, count: 3, unit: "seconds" },
    ],
    [
      "tags and metadata stay",
      { name: "m", value: 1, tags: ["b", "a"], metadata: { x: 1 } },
      { metadata: { x: 1 } },
    ],
    [
      "a type without a meaning stays",
      { name: "m", type: "summary", value: 1 },
      { type: "summary", value: 1 },
    ],
  ])("%s", async (_, body, expected) => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/metrics`, body);
    const { metrics } = await session(id);
    expect(metrics).toMatchObject([expected]);
  });

  test("points of one name and several types are several series", async () => {
    const id = await open(ask);
    for (const type of ["summary", "gauge", "rate", ""]) {
      await ok(`/api/sessions/${id}/metrics`, { name: "m", type, value: 1 });
    }
    const { metrics } = await session(id);
    expect(metrics.map(({ type }) => String(type)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "gauge",
      "gauge",
      "rate",
      "summary",
    ]);
  });

  test("a histogram of 1.x's daemon comes back with its buckets, and no other", async () => {
    const id = await open(ask);
    const metadata = {
      buckets: [
        { le: 0.5, count: 1 },
        { le: 60, count: 2 },
      ],
      sum: 41,
      count: 3,
      source: "test",
    };
    const histogram = { name: "h", type: "histogram", value: 41 / 3, unit: "s", metadata };
    await ok(`/api/sessions/${id}/metrics`, histogram);
    await ok(`/api/sessions/${id}/metrics`, histogram); // sent again although nothing changed
    const { metrics } = await session(id);
    expect(metrics).toMatchObject([histogram]);
    expect(metrics[0]?.["metadata"]).toEqual(metadata);
  });

  test("a sample above all bounds is in a bucket of its own", async () => {
    const id = await open(ask);
    const buckets = [
      { le: 1, count: 0 },
      { le: 5, count: 0 },
      { le: "Infinity", count: 1 },
    ];
    const metadata = { buckets, sum: 7, count: 1 };
    await ok(`/api/sessions/${id}/metrics`, { name: "h", type: "histogram", value: 7, metadata });
    const { metrics } = await session(id);
    expect(metrics[0]?.["metadata"]).toEqual(metadata);
  });

  test("samples of a histogram that a program posts itself come back as they were sent", async () => {
    const id = await open(ask);
    const at = (second: number) => ({ timestamp: `2026-01-02T03:04:0${second}Z` });
    const histogram = { name: "h", type: "histogram" };
    const samples = [
      { ...at(1), ...histogram, value: 0.5 },
      { ...at(2), ...histogram, value: 1.5 },
      { ...at(3), ...histogram, value: -3, unit: "s", tags: ["a"] },
      { ...at(4), ...histogram, value: 7, metadata: { buckets: [1, 5], source: "test" } },
      { ...at(5), ...histogram, value: 8, metadata: { buckets: [1, 5], source: "test" } },
      { ...at(6), ...histogram, name: "none", value: 9, metadata: { buckets: [] } },
    ];
    for (const sample of samples) await ok(`/api/sessions/${id}/metrics`, sample);
    const { metrics } = await session(id);
    expect(metrics).toEqual(
      samples.map((sample) => ({
        ...sample,
        timestamp: expect.stringMatching(sample.timestamp.slice(0, -1)),
      })),
    );
    // The series has its buckets nevertheless.
    const listed = await (await ask(`/api/sessions/${id}/metrics`)).json();
    expect(listed).toContainEqual(
      expect.objectContaining({
        points: 2,
        buckets: [1, 5, null].map((le) => ({ le, count: le === null ? 2 : 0 })),
      }),
    );
  });

  test("wrong types are refused", async () => {
    const id = await open(ask);
    for (const body of [
      '{"value":"1"}',
      '{"count":1.5}',
      '{"tags":"a"}',
      '{"name":1}',
      '{"value":1e999}',
      "",
    ]) {
      expect((await ask(`/api/sessions/${id}/metrics`, post(body))).status, body).toBe(400);
    }
    await refused(
      await ask(`/api/sessions/${id}/metrics`, post('{"value":1e999}')),
      400,
      "not_finite",
    );
    expect((await session(id)).metrics).toEqual([]);
  });
});

describe("heartbeat, end and crash", () => {
  test("take any body or none", async () => {
    const id = await open(ask);
    for (const body of ["", "{}", "junk", "[1,2"]) {
      await ok(`/api/sessions/${id}/heartbeat`, body);
      await ok(`/api/sessions/${id}/end`, body);
    }
  });

  test("nothing is added to the session by them", async () => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/heartbeat`);
    await ok(`/api/sessions/${id}/end`);
    expect(await session(id)).toMatchObject({ events: [], metrics: [], state_history: [] });
  });

  test.each([
    ["", "abnormal_termination"],
    ["junk", "abnormal_termination"],
    ['{"reason":5}', "abnormal_termination"],
    ["{}", ""],
    ['{"reason":"parent_process_terminated"}', "parent_process_terminated"],
  ])("a crash with the body %j has the reason %j", async (body, reason) => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/crash`, body);
    const crashed = await session(id);
    expect(crashed).toMatchObject({ active: false, crashed: true, suspended: false, hung: false });
    expect(crashed.ended_at).toMatch(RFC3339);
    expect(crashed.events).toMatchObject([
      { name: "session_crashed_detected", category: "critical", data: { reason } },
    ]);
  });

  test("writes to an ended session are taken", async () => {
    const id = await open(ask);
    await ok(`/api/sessions/${id}/end`);
    await ok(`/api/sessions/${id}/state`, { a: 1 });
    await ok(`/api/sessions/${id}/events`, { name: "late" });
    await ok(`/api/sessions/${id}/end`);
    const { active, state, events } = await session(id);
    expect([active, state["a"], events.length]).toEqual([false, 1, 1]);
  });

  test("an unknown session is not found, whatever it is sent", async () => {
    for (const route of ["heartbeat", "end", "crash"]) {
      await refused(await ask(`/api/sessions/unknown/${route}`, post("")), 404, "not_found");
    }
    await refused(await ask("/api/sessions/unknown/events", post({ name: "a" })), 404, "not_found");
    await refused(
      await ask("/api/sessions/unknown/metrics", post({ name: "a" })),
      404,
      "not_found",
    );
  });
});

test("every session in full, at once: in /api/data/sessions and where the first version had it", async () => {
  const id = await open(ask);
  await ok(`/api/sessions/${id}/events`, { name: "here" });
  for (const path of ["/api/data/sessions", "/api/grafana/sessions"]) {
    const response = await ask(path);
    expect(response.status).toBe(200);
    const all = (await response.json()) as Session[];
    expect(all.find((one) => one.id === id)).toEqual(await session(id));
    await refused(await ask(path, { method: "POST" }), 405, "method_not_allowed");
  }
});

test("a body may be gzip, and is refused if it is declared so and is not", async () => {
  const id = await open(ask);
  const headers = { "content-encoding": "gzip" };
  const sent = { method: "POST", headers, body: await gzip('{"a":1}') };
  expect((await ask(`/api/sessions/${id}/state`, sent)).status).toBe(200);
  expect((await session(id)).state["a"]).toBe(1);
  await refused(
    await ask(`/api/sessions/${id}/state`, post("{}", headers)),
    400,
    "invalid_encoding",
  );
});

test("unknown addresses are 404, wrong methods of known ones 405, in JSON", async () => {
  const id = await open(ask);
  await refused(await ask("/api/nothing"), 404, "not_found");
  await refused(await ask(`/api/sessions/${id}/other`, post("{}")), 404, "not_found");
  await refused(await ask(`/api/sessions/${id}`, { method: "PUT" }), 405, "method_not_allowed");
  const response = await ask("/api/sessions", { method: "DELETE" });
  expect(response.headers.get("allow")).toContain("POST");
  await refused(response, 405, "method_not_allowed");
});

test("the headers of its clients are accepted: their agents, and a JSON content type on GET", async () => {
  for (const agent of ["Python-urllib/3.12", "Go-http-client/1.1"]) {
    const headers = { "user-agent": agent, "content-type": "application/json" };
    expect((await ask("/api/data/sessions", { headers })).status).toBe(200);
  }
});

test("two sessions of the same machine do not know each other while both may live", async () => {
  const first = await open(ask, { product: "game", version: "1", machine_id: "m9" });
  await open(ask, { product: "game", version: "1", machine_id: "m9" });
  expect(await session(first)).toMatchObject({ crashed: false, events: [] });
});
