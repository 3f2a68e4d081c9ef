/** Malformed input (promise 21 of test/faults/README.md): a clear 4xx or stored, and never a 5xx. */
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { open, post, server } from "./server.ts";

const ask = server();

// What the server did not foresee it logs: a test fails on that, too.
const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
afterEach(() => {
  const calls = logged.mock.calls.splice(0);
  expect(calls).toEqual([]);
});

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const deepList = (levels: number) => `${"[".repeat(levels)}1${"]".repeat(levels)}`;

const BODIES: [what: string, body: string | Uint8Array][] = [
  ["nothing", ""],
  ["a lone brace", "{"],
  ["an identifier", "undefined"],
  ["NaN", '{"value":NaN}'],
  ["Infinity", '{"value":Infinity,"name":"a"}'],
  ["a number past what a double holds", '{"value":1e400,"name":"a"}'],
  ["an integer past 2^53", '{"value":9007199254740993,"name":"a","data":{"n":9007199254740993}}'],
  ["bad UTF-8", new Uint8Array([123, 34, 97, 34, 58, 34, 0xff, 0xc3, 0x28, 34, 125])],
  ["a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, 123, 125])],
  ["a lone surrogate", '{"name":"\\ud800","data":{"\\udfff":"\\ud800"},"message":"x"}'],
  ["a NUL", '{"name":"a\\u0000b","data":{"\\u0000":"\\u0000"}}'],
  ["depth 100", `{"name":"a","data":${deep(100)},"metadata":${deep(100)},"state":${deep(100)}}`],
  [
    "depth 10,000",
    `{"name":"a","data":${deep(10_000)},"metadata":${deep(10_000)},"state":${deep(10_000)}}`,
  ],
  [
    "lists 10,000 deep",
    `{"name":"a","data":{"l":${deepList(10_000)}},"state":{"l":${deepList(10_000)}}}`,
  ],
  [
    "__proto__",
    '{"name":"a","__proto__":{"polluted":true},"data":{"__proto__":{"x":1},"constructor":1},"state":{"__proto__":{"polluted":true}}}',
  ],
  [
    "a string of 7 MB",
    `{"name":"a","message":"${"x".repeat(7_000_000)}","s":"${"x".repeat(100)}"}`,
  ],
  ["a string of 10 MB", `{"name":"a","message":"${"x".repeat(10_000_000)}"}`],
  ["a long name", `{"name":"${"x".repeat(5_000)}","product":"${"x".repeat(5_000)}"}`],
  [
    "100,000 keys",
    `{"name":"a","state":{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":${n}`).join()}}}`,
  ],
  ["duplicate keys", '{"name":"a","name":"b","value":1,"value":2}'],
  ["an odd date", '{"name":"a","timestamp":"2026-02-30T25:61:61Z"}'],
  ["a date far away", '{"name":"a","timestamp":"9999-12-31T23:59:59.999999999+14:00"}'],
  [
    "the wrong types everywhere",
    '{"name":[],"value":{},"state":[],"data":"x","labels":{},"timestamp":{},"product":[],"reason":{}}',
  ],
  [
    "nulls everywhere",
    '{"name":null,"value":null,"state":null,"data":null,"labels":[null],"timestamp":null,"tags":[null],"count":null}',
  ],
  [
    "1e5 labels",
    `{"name":"a","labels":[${Array.from({ length: 100_000 }, () => '"l"').join()}],"tags":[${Array.from({ length: 1_000 }, () => '"l"').join()}]}`,
  ],
];

test.each(BODIES)("%s in a body of 1.x is refused or stored", async (what, body) => {
  const id = await open(ask);
  const sent = { method: "POST", body };
  for (const path of [
    "/api/sessions",
    ...["state", "events", "metrics", "crash", "end", "heartbeat"].map(
      (kind) => `/api/sessions/${id}/${kind}`,
    ),
  ]) {
    const response = await ask(path, sent);
    expect(response.status, `${what} → ${path}: ${await response.clone().text()}`).toBeLessThan(
      500,
    );
    expect(await response.json()).toBeTypeOf("object");
  }
  // It still answers, whatever it took.
  for (const path of [
    "",
    "/summary",
    "/state",
    "/events",
    "/metrics",
    "/export",
    "/state/history",
  ]) {
    const response = await ask(`/api/sessions/${id}${path}`);
    expect(response.status, `${what} → GET ${path}`).toBe(200);
    await response.arrayBuffer();
  }
  expect((await ask("/api/sessions")).status).toBe(200);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test.each(BODIES)(
  "%s in a batch is refused or stored, and answers for itself",
  async (what, body) => {
    const whole = await ask("/api/ingest", { method: "POST", body });
    expect(whole.status, what).toBeLessThan(500);
    if (typeof body !== "string") return;
    const op =
      body.startsWith("{") && body.length > 1 ? body.replace("{", '{"op":"event","at":1,') : body;
    const batch = (session: string, ops: string) =>
      `{"session":"${session}","lane":"l","first":1,"last":1,"ops":[${ops}]}`;
    const name = what.replaceAll(/\W/g, "-");
    const text = `{"batches":[${batch(`m-${name}`, op)},${batch(`good-${name}`, '{"op":"start","at":1}')}]}`;
    const response = await ask("/api/ingest", post(text));
    expect(response.status, `${what}: ${await response.clone().text()}`).toBeLessThan(500);
    const answer = (await response.json()) as {
      results?: { applied: number; error?: { code: string } }[];
    };
    if (!answer.results) return;
    expect(answer.results[0]?.error?.code).not.toBe("unavailable");
    expect(answer.results[1]).toMatchObject({ applied: 1 });
  },
);

/** Values that belong nowhere. */
const junk = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "-1",
    "0",
    "1e309",
    "NaN",
    "null",
    "[]",
    "[1",
    '["a",{}]',
    "%",
    "\u0000",
    "..",
    "'; DROP TABLE sessions; --",
    "\ud800",
    "9".repeat(400),
    "true",
  ),
  fc.string({ unit: "grapheme", maxLength: 300 }),
);

test("no query parameter makes a server error", async () => {
  const id = await open(ask);
  const names = [
    "product",
    "version",
    "status",
    "machine",
    "hostname",
    "from",
    "to",
    "text",
    "tag",
    "event",
    "exception",
    "metric",
    "state_path",
    "state_value",
    "sort",
    "order",
    "cursor",
    "limit",
    "at",
    "seq",
    "path",
    "from_seq",
    "points",
    "tags",
    "buckets",
    "by",
    "axis",
    "bars",
    "prefix",
    "days",
    "format",
    "exceptions",
    "type",
  ];
  const paths = [
    "/api/sessions",
    "/api/products",
    "/api/metrics",
    "/api/metrics/fps",
    "/api/metrics/fps/sessions",
    "/api/exceptions",
    "/api/exceptions/f1",
    "/api/events",
    ...[
      "summary",
      "state",
      "state/history",
      "state/diff",
      "events",
      "events/counts",
      "metrics",
      "metrics/fps",
      "timeline",
      "export",
      "live",
    ].map((path) => `/api/sessions/${id}/${path}`),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.dictionary(fc.constantFrom(...names), junk, { maxKeys: 4 }),
      async (path, query) => {
        const response = await ask(`${path}?${new URLSearchParams(query).toString()}`);
        expect(response.status, `${path} ${JSON.stringify(query)}`).toBeLessThan(500);
        await response.arrayBuffer();
      },
    ),
    { numRuns: 400 },
  );
});

test("no path makes a server error", async () => {
  await fc.assert(
    fc.asyncProperty(
      junk,
      junk,
      fc.constantFrom("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"),
      async (a, b, method) => {
        const path = [a, b]
          .map((part) => encodeURIComponent(part.toWellFormed()).replaceAll(".", "%2e"))
          .join("/");
        for (const root of ["/api", "/api/sessions", "/api/metrics", "/api/exceptions"]) {
          const response = await ask(`${root}/${path}`, {
            method,
            ...(["POST", "PUT", "PATCH"].includes(method) && { body: "{}" }),
          });
          expect(response.status, `${method} ${root}/${path}`).toBeLessThan(500);
          await response.arrayBuffer();
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("no JSON makes a server error anywhere it can be posted", async () => {
  const id = await open(ask);
  const paths = [
    "/api/ingest",
    "/api/sessions",
    "/api/keys",
    "/api/reindex",
    "/api/exceptions/f1",
    ...["state", "events", "metrics", "crash"].map((kind) => `/api/sessions/${id}/${kind}`),
  ];
  const shaped = fc.record(
    {
      batches: fc.array(
        fc.record({
          session: fc.jsonValue(),
          lane: fc.jsonValue(),
          first: fc.jsonValue(),
          last: fc.jsonValue(),
          ops: fc.jsonValue(),
        }),
        { maxLength: 3 },
      ),
      state: fc.jsonValue(),
      data: fc.jsonValue(),
      name: fc.jsonValue(),
      value: fc.jsonValue(),
      timestamp: fc.jsonValue(),
      cursor: fc.jsonValue(),
      kind: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.oneof(fc.jsonValue(), shaped),
      async (path, body) => {
        const response = await ask(path, post(body));
        expect(
          response.status,
          `${path} ${JSON.stringify(body)}: ${await response.clone().text()}`,
        ).toBeLessThan(500);
      },
    ),
    { numRuns: 400 },
  );
});
