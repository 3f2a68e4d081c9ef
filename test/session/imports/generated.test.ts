/** Any session of any ops, over several lanes and clocks, sealed at any place: its file is imported as the same session. A failure prints its seed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import type { Json, JsonObject, Op } from "../../../src/core/wire.ts";
import { server } from "../../api/server.ts";
import { fileOf as attachmentOf } from "../attachments/attachments.ts";
import { bulky, NOON, World } from "../world.ts";
import { everythingOf, expectSame } from "./everything.ts";

const ask = server();

const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "level", "player") },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "", "a.b") },
);
const { object: anyObject } = fc.letrec<{ json: Json; object: JsonObject }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 0, -1.5e-7, 1e21, "x", "語\u0000", "long text ".repeat(30)),
    tie("object"),
    fc.array(tie("json"), { maxLength: 3 }),
  ),
  object: fc
    .array(fc.tuple(key, tie("json")), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
}));
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0); // JSON has no minus zero
const small = fc.integer({ min: -99, max: 99 });
const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("fps", "load", "door", "a b") },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "", "=1+1") },
);
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const tags = fc.uniqueArray(fc.constantFrom("a", "b:1", "c:long value"), { maxLength: 3 });
const count = fc.nat(9);

const event = fc.record(
  {
    op: fc.constant("event" as const),
    name,
    category: fc.constantFrom("info", "warning", "error", "debug"),
    group: text,
    labels: tags,
    message: text,
    data: anyObject,
    handled: fc.boolean(),
  },
  { requiredKeys: ["op", "name"] },
);
const exception = fc.record(
  {
    op: fc.constant("event" as const),
    name: fc.constant("exception"),
    exception_type: fc.constantFrom("KeyError", "OSError", "a.b.Error"),
    exception_msg: text,
    stacktrace: fc.array(fc.constantFrom('File "a.py", line 3, in f', "at f (a.js:1:2)", "?"), {
      maxLength: 4,
    }),
    handled: fc.boolean(),
    attributes: anyObject,
    notes: fc.array(text, { maxLength: 2 }),
    fingerprint: text,
  },
  { requiredKeys: ["op", "name", "exception_type"] },
);
const scalar = fc.record(
  {
    op: fc.constant("metric" as const),
    type: fc.constantFrom("gauge" as const, "timer" as const, "counter" as const),
    name,
    value: fc.oneof(small, number),
    count,
    unit: fc.constantFrom("", "ms"),
    tags,
    metadata: anyObject,
  },
  { requiredKeys: ["op", "type", "name", "value"] },
);
const delta = fc.record({
  op: fc.constant("metric" as const),
  type: fc.constant("counter" as const),
  name,
  delta: fc.oneof(small, number),
});
const histogram = fc.oneof(
  fc.record({
    op: fc.constant("metric" as const),
    type: fc.constant("histogram" as const),
    name,
    value: small,
    buckets: fc.constantFrom([1, 2], [-5, 0, 5.5], []),
  }),
  fc.record({
    op: fc.constant("metric" as const),
    type: fc.constant("histogram" as const),
    name,
    bounds: fc.constant([1, 5]),
    counts: fc.tuple(count, count, count),
    sum: small,
    min: small,
    max: small,
  }),
);
const points = fc
  .tuple(
    fc.constantFrom("gauge" as const, "counter" as const, "timer" as const),
    name,
    fc.array(fc.tuple(fc.integer({ min: -50, max: 500 }), fc.oneof(small, number)), {
      minLength: 1,
      maxLength: 20,
    }),
  )
  .map(([type, called, measured]) => ({
    op: "points" as const,
    type,
    name: called,
    dt: measured.map(([dt]) => dt),
    values: measured.map(([, value]) => value),
  }));
const threads = fc.constantFrom([{ name: "main", frames: ["f (a.js:1:1)"] }], [{ frames: [] }]);
const rare = fc.oneof(
  fc.record({
    op: fc.constant("start" as const),
    product: fc.constant("game"),
    state: anyObject,
    tags,
  }),
  fc.record({
    op: fc.constant("heartbeat" as const),
    timeout_ms: fc.integer({ min: 1, max: 9_999 }),
  }),
  fc.record({ op: fc.constantFrom("pause" as const, "resume" as const, "heartbeat" as const) }),
  fc.record({ op: fc.constant("hang" as const), cpu_percent: number }),
  fc.record({ op: fc.constant("recovered" as const), duration_ms: fc.nat(9_999) }),
  fc.record({ op: fc.constant("slept" as const), duration_ms: fc.nat(9_999) }),
  fc.record({
    op: fc.constant("stacks" as const),
    when: fc.constantFrom("hung" as const, "died" as const),
    threads,
  }),
  fc.record({
    op: fc.constant("dropped" as const),
    cause: name,
    count,
    first_at: fc.constant(NOON),
    at_least: fc.boolean(),
  }),
  fc.record({
    op: fc.constant("dropped" as const),
    cause: fc.constantFrom("unserialisable", "too_large"),
    count,
    detail: text,
  }),
  fc.record({ op: fc.constant("tags" as const), tags }),
  fc.record({ op: fc.constant("end" as const), exit_code: count }),
  fc.record({
    op: fc.constant("crash" as const),
    reason: text,
    signal: fc.constantFrom("SIGKILL", "SIGSEGV"),
  }),
  fc.record({
    op: fc.constant("event" as const),
    name: fc.constant("test"),
    test: fc.record(
      {
        id: fc.constantFrom(["a.py", "t"], ["b.py", "C", "u"]),
        result: fc.constantFrom("passed" as const, "failed" as const, "skipped" as const),
        attempt: fc.integer({ min: 1, max: 3 }),
        duration_ms: count,
      },
      { requiredKeys: ["id"] },
    ),
  }),
);
const attachment = fc
  .uint8Array({ maxLength: 300 })
  .map((bytes) => ({ op: "attachment" as const, bytes }));
const bulk = fc.constant({ op: "bulk" as const });

type Step = { op: string; bytes?: Uint8Array };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: anyObject.map((patch) => ({ op: "state" as const, patch })) },
  { weight: 4, arbitrary: event },
  { weight: 2, arbitrary: exception },
  { weight: 4, arbitrary: scalar },
  { weight: 2, arbitrary: delta },
  { weight: 2, arbitrary: histogram },
  { weight: 3, arbitrary: points },
  { weight: 4, arbitrary: rare },
  { weight: 1, arbitrary: attachment },
  { weight: 1, arbitrary: bulk },
);
const batch = fc.record({
  steps: fc.array(fc.tuple(step, fc.integer({ min: -300, max: 2_000 })), {
    minLength: 1,
    maxLength: 12,
  }),
  lane: fc.constantFrom("one", "two", "0198f3c1-0000-7000-8000-000000000001"),
  /** How far the sender's clock is ahead; undefined: it is not sent. */
  skew: fc.constantFrom(undefined, 0, -3_600_000, 86_400_000),
  /** Which of its attachments are uploaded, and whether the object sleeps afterwards. */
  uploads: fc.boolean(),
  sleeps: fc.boolean(),
});

let made = 0;

test("any session is the same after its import", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 12 }), async (batches) => {
      const world = new World(`any-${++made}-${crypto.randomUUID()}`);
      let at = NOON;
      for (const { steps, lane, skew, uploads, sleeps } of batches) {
        const files: { id: string; bytes: Uint8Array }[] = [];
        const ops = steps.map(([one, gap]): Op => {
          at += gap;
          const own = at + (skew ?? 0);
          if (one.op === "bulk") return bulky(own, SEGMENT_BYTES);
          if (one.op !== "attachment") return { ...one, at: own } as Op; // of the arbitraries above
          const bytes = one.bytes ?? new Uint8Array();
          const { op } = attachmentOf(bytes, { at: own });
          files.push({ id: op.id, bytes });
          return op;
        });
        const sentAt = skew === undefined ? undefined : Date.now() + skew;
        const [result] = await world.deliver([world.batch(ops, { lane })], sentAt);
        // A batch over a limit is refused as a whole, and changes nothing.
        if (result?.error) continue;
        for (const { id, bytes } of uploads ? files : [])
          if (bytes.length > 0) await world.client.upload({ id, chunk: 0, bytes });
        if (sleeps) await world.evict();
      }
      if ((await ask(`/api/sessions/${world.id}/summary`)).status === 404) return;
      const file = await ask(`/api/sessions/${world.id}/export?format=datacat`);
      const copy = `${world.id}-copy`;
      const answer = await ask(`/api/sessions/import?id=${copy}`, {
        method: "POST",
        body: await file.arrayBuffer(),
      });
      expect(await answer.json()).toMatchObject({ imported: true });
      expectSame(await everythingOf(copy), await everythingOf(world.id));
      const again = await ask(`/api/sessions/${copy}/export?format=datacat`);
      expect((await again.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }),
    { numRuns: 8 },
  );
}, 600_000);
