/** A session of every kind that senders, faults and limits can make. */
import { expect } from "vitest";
import { MAX_EVENT_NAMES, MAX_FINGERPRINTS, SEGMENT_BYTES } from "../../../src/core/limits.ts";
import type { JsonObject, Op } from "../../../src/core/wire.ts";
import { post, server } from "../../api/server.ts";
import { file } from "../attachments/attachments.ts";
import { manyTests, runState } from "../test-run.ts";
import { bulky, event, gauge, heartbeat, NOON, start, state, type World } from "../world.ts";

const ask = server();
const HOUR = 3_600_000;

const WRITER = {
  program: "game.py",
  arguments: ["--level", "3", "--password", "opensesame99"],
  language: "python 3.13.0",
  client: "datacat-python 2.0.0",
  pid: 4711,
  machine_id: "m-import",
  boot_id: "boot-1",
  hostname: "workshop",
  os: "linux x64",
};

const exception = (at: number, n: number): Op =>
  event(at, "exception", {
    exception_type: `Error${n}`,
    exception_msg: `no such door ${n}`,
    stacktrace: [`File "a.py", line ${n}, in open`, 'File "b.py", line 2, in main'],
    handled: n % 2 === 0,
    attributes: { errno: n },
    notes: ["a note"],
    causes: [
      { exception_type: "KeyError", exception_msg: "7", stacktrace: ["File c.py"], kind: "cause" },
      { exception_type: "OSError", kind: "member", parent: 0, attributes: { errno: 2 } },
    ],
    sources: [{ file: "a.py", first: n, lines: ["def open():", "  raise"] }],
  });

async function fill(world: World, segments: number): Promise<void> {
  for (let i = 0; i < segments; i++) {
    const at = NOON + i * 1_000;
    await world.send([
      state(at, {
        level: i,
        player: { hp: 10 - i, [`item${i}`]: { n: i } },
        gone: i === 2 ? null : i,
      }),
      event(at + 1, `door-${i % 3}`, {
        data: { i },
        labels: ["door", "kind:wood"],
        group: "world",
      }),
      gauge(at + 2, "fps", 60 - i / 3),
      heartbeat(at + 3),
      bulky(at + 4, SEGMENT_BYTES),
    ]);
  }
}

export const KINDS: { [kind: string]: (world: World) => Promise<void> } = {
  "that only started": async (world) => {
    await world.send([start()]);
  },
  "without a start": async (world) => {
    await world.send([event(NOON, "alone")]);
  },
  "of many segments, the newest open": async (world) => {
    await world.send([start()], { writer: WRITER });
    await fill(world, 5);
    await world.send([state(NOON + 9_000, { last: true })]);
  },
  "of sealed segments only": async (world) => {
    await world.send([start()]);
    await world.send([bulky(NOON, SEGMENT_BYTES), bulky(NOON, SEGMENT_BYTES)]);
    expect(await world.segments()).toEqual([{ id: 1, sealed: 1 }]);
  },
  "that crashed after a hang": async (world) => {
    await world.send([start(), { ...heartbeat(NOON + 1), timeout_ms: 5_000 } as Op], {
      writer: WRITER,
    });
    const threads = [
      { name: "MainThread", current: true, frames: ['File "a.py", line 3 in wait'] },
      { name: "other", state: "waiting", frames: [] },
    ];
    await world.send(
      [
        {
          op: "hang",
          at: NOON + 7_000,
          last_heartbeat_at: NOON + 1,
          process_state: "spinning",
          cpu_percent: 99.5,
        },
        { op: "stacks", at: NOON + 7_001, when: "hung", threads },
        { op: "stacks", at: NOON + 8_001, when: "hung", threads, left_out: 2, cut: true },
        {
          op: "crash",
          at: NOON + 9_000,
          reason: "process_died",
          signal: "SIGKILL",
          message: "it ended",
          last: { memory_from: 1e6, memory_to: 9e9, memory_ms: 1_000, total_bytes: 1e10 },
          also_ended: 3,
        },
        { op: "stacks", at: NOON + 9_000, when: "died", threads },
      ],
      { lane: "daemon", writer: { client: "daemon" } },
    );
  },
  "that recovered, slept, paused and ended": async (world) => {
    await world.send([start(), { ...heartbeat(NOON + 1), timeout_ms: 1_000 } as Op]);
    await world.send([
      { op: "hang", at: NOON + 4_000 },
      heartbeat(NOON + 9_000),
      { op: "recovered", at: NOON + 9_001, duration_ms: 8_000 },
      heartbeat(NOON + 20_000),
      { op: "slept", at: NOON + HOUR, duration_ms: HOUR / 2 },
      { op: "pause", at: NOON + HOUR + 1 },
      { op: "resume", at: NOON + HOUR + 2 },
      { op: "end", at: NOON + HOUR + 3, exit_code: 3, signal: "SIGTERM" },
    ]);
  },
  "with metrics of every type": async (world) => {
    await world.send([start()]);
    const metric = (at: number, type: string, name: string, more: object): Op =>
      ({ op: "metric", at: NOON + at, type, name, ...more }) as Op;
    for (let i = 0; i < 4; i++) {
      await world.send([
        metric(i, "gauge", "fps", {
          value: 59.94 + i,
          unit: "1/s",
          tags: ["b", "a:1"],
          metadata: { limit: 60 },
        }),
        metric(i, "gauge", "counted", { value: i, count: i }),
        metric(i, "counter", "frames", { delta: i + 0.5 }),
        metric(i, "counter", "total", { value: i === 2 ? 1 : 10 * i }),
        metric(i, "timer", "load", { value: 0.25 * i, count: 3 }),
        metric(i, "timer", "plain", { value: i }),
        metric(i, "histogram", "size", { value: i, buckets: [1, 2, 3] }),
        metric(i, "histogram", "window", {
          bounds: [1, 5],
          counts: [i, 2, 1],
          sum: 9,
          min: 0.1,
          max: 7,
        }),
        metric(i, "histogram", "daemon", {
          metadata: {
            buckets: [
              { le: 1, count: i },
              { le: "inf", count: 2 * i },
            ],
            sum: i,
            count: 3 * i,
          },
        }),
        metric(i, "gauge", "odd", { value: -0.1 - i, legacy_type: "custom" }),
        metric(i, "gauge", "huge", { value: [1e308, -1e-308, 0, 5e-324][i] }),
        metric(i, "gauge", "__proto__", { value: i }),
        bulky(NOON + i, SEGMENT_BYTES),
      ]);
      await world.send(
        [
          metric(i, "counter", "frames", { delta: 2 }),
          {
            op: "points",
            at: NOON + 100 * i,
            type: "gauge",
            name: "fps",
            tags: ["a:1", "b"],
            dt: [0, 5, -3],
            values: [1 / 3, 2, -7.25],
          },
          {
            op: "points",
            at: NOON + i,
            type: "timer",
            name: "load",
            dt: [1, 1],
            values: [1, 2],
            counts: [0, 4],
          },
          {
            op: "points",
            at: NOON + i,
            type: "counter",
            name: "frames",
            dt: [1, 1],
            values: [1, 2],
          },
        ],
        { lane: "lane-2" },
      );
    }
  },
  "of a machine whose clock is wrong and was set": async (world) => {
    const now = Date.now();
    for (const [n, skew] of [-9 * HOUR, -9 * HOUR, 0, 86_400_000].entries()) {
      const at = now - 60_000 + n * 1_000 + skew;
      const batch = {
        ...world.batch(
          [
            ...(n === 0 ? [start(at)] : []),
            state(at + 1, { n }),
            event(at + 2, `event-${n}`),
            gauge(at + 3, "fps", n),
            { op: "points", at, type: "gauge", name: "heap", dt: [1, 2], values: [n, n + 1] },
            heartbeat(at + 4),
          ],
          { writer: WRITER },
        ),
      };
      await world.deliver([batch], Date.now() + skew);
    }
  },
  "of 1.x's routes": async (world) => {
    const id = world.id;
    await world.client.record([start()], { writer: { machine_id: "m-1" }, lease_ms: 60_000 });
    await ask(`/api/sessions/${id}/state`, post({ a: { b: 1 } }));
    await ask(`/api/sessions/${id}/events`, post({ name: "door", data: { n: 1 } }));
    await ask(`/api/sessions/${id}/metrics`, post({ name: "fps", type: "weird", value: 5 }));
    await ask(`/api/sessions/${id}/heartbeat`, post({}));
  },
  "with exceptions and their causes": async (world) => {
    await world.send([start()]);
    await world.send([1, 2, 3, 1].map((n, i) => exception(NOON + i, n)));
    await world.send([
      event(NOON + 9, "fatal", {
        exception_type: "Error",
        exception_msg: "minified",
        stacktrace: ["at a (app.min.js:1:2)"],
        resolved: {
          stacktrace: ["at open (app.ts:7:3)"],
          sources: [{ file: "app.ts", first: 7, lines: ["x"] }],
        },
        fingerprint: "group of the program",
        handled: false,
        source_file: "a.py",
        source_line: 3,
        source_function: "open",
      }),
      { op: "end", at: NOON + 10, exit_code: 1 },
    ]);
  },
  "of a test run": async (world) => {
    await world.send([runState({ planned: 400 }, { branch: "main", commit: "0123456789abcdef" })]);
    const tests = manyTests(400);
    for (let at = 0; at < tests.length; at += 150) await world.send(tests.slice(at, at + 150));
    await world.send([
      event(NOON + 2_000, "test", {
        category: "error",
        message: "assert 1 == 2",
        exception_type: "AssertionError",
        exception_msg: "assert 1 == 2",
        test: {
          id: ["tests/test_x.py", "test_compare"],
          result: "failed",
          attempt: 2,
          worker: "gw1",
          duration_ms: 5,
          compared: { expected: "1", actual: "2" },
        },
      }),
      event(NOON + 2_001, "test_started", { test: { id: ["tests/test_y.py", "still running"] } }),
      { op: "end", at: NOON + 3_000, exit_code: 1 },
    ]);
  },
  "with attachments that arrived, did not, and were refused": async (world) => {
    await world.send([start()]);
    const [save, half, picture, empty] = [
      file(2 * 1024 * 1024 + 5),
      file(3 * 1024 * 1024),
      file(10, { name: "screen ä.png", type: "image/png", group: "shots" }),
      file(0),
    ];
    const refused = file(5, { size: 900 * 1024 * 1024 });
    const text = new TextEncoder().encode("line\n".repeat(20_000));
    await world.send([save, half, picture, empty, refused].map(({ op }) => op));
    await world.send([{ ...picture.op, at: NOON + 5 }]); // its id is taken
    void text;
    for (const [n, bytes] of save.chunks.entries())
      await world.client.upload({ id: save.op.id, chunk: n, bytes });
    await world.client.upload({
      id: half.op.id,
      chunk: 1,
      bytes: half.chunks[1] ?? new Uint8Array(),
    });
    await world.client.upload({ id: picture.op.id, chunk: 0, bytes: picture.bytes });
    const wrong = file(20, { sha256: "0".repeat(64) });
    await world.send([wrong.op]);
    for (let i = 0; i < 3; i++)
      await world.client.upload({ id: wrong.op.id, chunk: 0, bytes: wrong.bytes }).catch(() => {});
  },
  "with losses and redacted values": async (world) => {
    await world.send([start()]);
    await world.send(
      [
        {
          op: "dropped",
          at: NOON + 1,
          cause: "disk_full",
          count: 7,
          first_at: NOON,
          last_at: NOON + 1,
          at_least: true,
        },
        { op: "dropped", at: NOON + 2, cause: "unserialisable", count: 2, detail: "data.user" },
        { op: "dropped", at: NOON + 2, cause: "constructor", count: 2 },
        event(NOON + 3, "login", {
          data: { password: "opensesame99", user: "ada" },
          message: "token=abcdefgh12345678",
        }),
        state(NOON + 4, { api_token: "abcdef0123456789", list: ["--password", "opensesame99"] }),
        { op: "tags", at: NOON + 5, tags: ["ci", "branch:main"] },
      ],
      { dropped: { queue_full: 3 }, last: 10 },
    );
  },
  "with more names than lists hold": async (world) => {
    await world.send([start()]);
    const many = Array.from({ length: MAX_EVENT_NAMES + 20 }, (_, n) =>
      event(NOON + n, `name-${n}`),
    );
    const errors = Array.from({ length: MAX_FINGERPRINTS + 10 }, (_, n) => exception(NOON + n, n));
    const paths: JsonObject = Object.fromEntries(
      Array.from({ length: 150 }, (_, n) => [
        `path-${n}`,
        n % 3 === 0 ? [n, { deep: [n] }] : `v${n}`,
      ]),
    );
    await world.send([...many, ...errors, state(NOON + 1, paths)]);
    for (let i = 0; i < 12; i++)
      await world.send([state(NOON + 10 + i, { "path-1": `other ${i}` })]);
  },
  "of many processes": async (world) => {
    await world.send([start()]);
    for (let n = 0; n < 40; n++)
      await world.send(
        [
          gauge(NOON + n, "fps", n),
          { op: "metric", at: NOON + n, type: "counter", name: "c", delta: 1 },
        ],
        {
          lane: `0198f3c1-0000-7000-8000-${String(n).padStart(12, "0")}`,
          writer: { ...WRITER, pid: n, boot_id: n > 20 ? "boot-2" : "boot-1" },
        },
      );
  },
  "with keys and texts that have surprised programs": async (world) => {
    await world.send([start()]);
    await world.send([
      state(
        NOON,
        JSON.parse(
          '{"__proto__": {"a": 1}, "constructor": null, "": {"": [null, {"x": null}]}}',
        ) as object,
      ),
      state(NOON + 1, { " a.b ": "\u0000\u2028\ud83d\ude00", list: [[], {}, 1e21, -1.5e-7] }),
      event(NOON + 2, "=1+1", {
        message: '"quoted", \r\n;x',
        category: "warning",
        group: "",
        data: { __proto__: 5 },
      }),
      event(NOON + 2, "", { labels: ["", "a,b"] }),
    ]);
  },
  "that is damaged": async (world) => {
    await world.send([start()]);
    await fill(world, 6);
    const damaged = new Uint8Array([1, 2, 3]).buffer;
    await world.sql("UPDATE segments SET session_index = ? WHERE id = 2", damaged);
    await world.sql("UPDATE segments SET keyframe = ? WHERE id = 3", damaged);
    await world.sql("UPDATE segments SET summary = ? WHERE id = 3", damaged);
    await world.sql("UPDATE segments SET from_at = from_at + 1 WHERE id = 4");
    await world.sql("UPDATE segments SET body = substr(body, 1, length(body) / 2) WHERE id = 5");
    await world.sql("DELETE FROM segments WHERE id = 1");
    await world.evict();
  },
  "whose newest index was damaged, and that went on": async (world) => {
    await world.send([start()]);
    await fill(world, 2);
    await world.send([event(NOON + 9_000, "late"), gauge(NOON + 9_000, "new series", 1)]);
    const damaged = new Uint8Array([1, 2, 3]).buffer;
    await world.sql(
      "UPDATE segments SET session_index = ? WHERE id = (SELECT max(id) FROM segments)",
      damaged,
    );
    await world.evict();
    await world.client.ask("summary");
    await world.send([event(NOON + 10_000, "after")], { lane: "lane-2" });
  },
};
