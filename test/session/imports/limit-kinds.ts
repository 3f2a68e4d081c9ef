/** Sessions whose texts, lists and numbers are as long or as large as a sender may make them. */
import { expect } from "vitest";
import {
  MAX_ATTACHMENTS,
  MAX_BUCKETS,
  MAX_CLOCK_STEPS,
  MAX_DROP_CAUSES,
  MAX_LABEL_LENGTH,
  MAX_LABELS,
  MAX_NAME_LENGTH,
  MAX_REFUSED_ATTACHMENTS,
  MAX_SEQUENCE,
  MAX_SERIES,
  MAX_STATE_KEYS,
  MAX_STATE_PATHS,
  MAX_TRANSITIONS,
} from "../../../src/core/limits.ts";
import { MAX_TEST_ID_PARTS, MAX_TEST_PART_LENGTH } from "../../../src/core/tests/limits.ts";
import type { JsonObject, Op } from "../../../src/core/wire.ts";
import { file } from "../attachments/attachments.ts";
import { event, gauge, heartbeat, NOON, start, state, type World } from "../world.ts";

const HOUR = 3_600_000;
/** Two bytes of UTF-8 each. */
const long = (length: number) => "ä".repeat(length);
const name = long(MAX_NAME_LENGTH);
const tags = Array.from({ length: MAX_LABELS }, (_, n) => `k${n}:`.padEnd(MAX_LABEL_LENGTH, "ö"));
const frames = Array.from(
  { length: 100 },
  (_, n) => `File "/${"p".repeat(300)}/a${n}.py", line ${n + 1}, in ${"f".repeat(150)}`,
);
const many = <Item>(count: number, item: (n: number) => Item) =>
  Array.from({ length: count }, (_, n) => item(n));

/** Sends it, and fails if it is refused: then it would prove nothing. */
async function sent(world: World, ops: object[], more: object = {}): Promise<void> {
  const { error } = await world.send(ops as Op[], more);
  expect(error).toBeUndefined();
}

export const LIMIT_KINDS: { [kind: string]: (world: World) => Promise<void> } = {
  "whose names and texts are as long as they may be": async (world) => {
    const writer = {
      program: long(5_000),
      arguments: many(300, () => long(300)),
      pid_started: long(3_000),
      language: name,
      client: name,
      hostname: name,
      machine_id: name,
      boot_id: name,
      os: name,
      user: name,
    };
    await sent(world, [{ op: "start", at: NOON, product: name, version: name, tags }], { writer });
    const more = { category: name, group: name, labels: tags, message: long(120_000) };
    await sent(world, [event(NOON, name, more)]);
    const metadata = { text: long(50_000) };
    const metric = { op: "metric", at: NOON, type: "gauge", name, unit: name, value: 1.7e308 };
    await sent(world, [{ ...metric, tags, metadata }]);
  },
  "that crashed with texts as long as they may be": async (world) => {
    const thrown = { exception_type: long(40_000), exception_msg: long(40_000), handled: false };
    const place = { source_file: long(3_000), source_function: long(3_000), source_line: 1 };
    await sent(world, [start(), event(NOON, "exception", { ...thrown, ...place })]);
    const end = { op: "crash", at: NOON + 1, reason: long(5_000), message: long(5_000) };
    await sent(world, [{ ...end, signal: name }]);
  },
  "that crashed in a test with a name as long as it may be": async (world) => {
    await sent(world, [start(), state(NOON, { tests: { runner: long(3_000), planned: 1e15 } })]);
    const id = many(MAX_TEST_ID_PARTS, () => long(MAX_TEST_PART_LENGTH));
    const failed = { id: [long(MAX_TEST_PART_LENGTH)], result: "failed", reason: long(5_000) };
    const thrown = { exception_type: long(20_000), exception_msg: long(20_000) };
    await sent(world, [
      event(NOON, "test_started", { test: { id } }),
      event(NOON, "test", { test: failed, message: long(20_000), ...thrown, stacktrace: frames }),
      event(NOON, "exception", { ...thrown, stacktrace: frames, handled: false }),
      { op: "crash", at: NOON + 1 },
    ]);
  },
  "that hung more often than is listed": async (world) => {
    const threads = [{ name, state: name, current: true, frames }];
    await sent(world, [start(), { ...heartbeat(NOON + 1), timeout_ms: 1e18 }]);
    await sent(world, [{ ...heartbeat(NOON + 1), timeout_ms: 5 }]);
    await sent(world, [
      { op: "hang", at: NOON + 9_000, process_state: "spinning", cpu_percent: 1.7e308 },
      ...many(6, (n) => ({ op: "stacks", at: NOON + 9_001 + n, when: "hung", threads })),
    ]);
    for (let n = 1; n <= MAX_TRANSITIONS; n++)
      await sent(world, [
        heartbeat(NOON + n * 20_000),
        { op: "hang", at: NOON + n * 20_000 + 9_000 },
      ]);
    const died = { op: "stacks", at: NOON + HOUR, when: "died", threads: [{ frames: [] }] };
    await sent(world, [died, { op: "end", at: NOON + HOUR, exit_code: -(2 ** 31), signal: name }]);
  },
  "whose state is as large and as deep as it may be": async (world) => {
    const keys = (value: (n: number) => number | null) =>
      state(NOON, Object.fromEntries(many(MAX_STATE_KEYS, (n) => [`k${n}`, value(n)])));
    await sent(world, [start(), keys((n) => n)]);
    await sent(world, [keys(() => null)]);
    await sent(world, [state(NOON, { text: long(262_000) })]);
    const deep = many(60, (n) => `d${n}`).reduce<JsonObject>((in_, key) => ({ [key]: in_ }), {});
    await sent(world, [state(NOON, { text: null, deep, ["\u0000".repeat(900)]: "v".repeat(500) })]);
    const paths = many(MAX_STATE_PATHS + 20, (n) => `path ${n}`.padEnd(300, "ü"));
    await sent(
      world,
      paths.map((path, n) => state(NOON + n, { [path]: long(300) + n })),
    );
  },
  "with as many series as it may have": async (world) => {
    await sent(world, [start()]);
    for (let n = 0; n < MAX_SERIES; n += 500)
      await sent(
        world,
        many(500, (i) => gauge(NOON, `metric ${n + i}`, i / 3)),
      );
  },
  "with histograms of as many buckets as they may have": async (world) => {
    const bounds = many(MAX_BUCKETS, (n) => n);
    const counts = many(MAX_BUCKETS + 1, () => 2 ** 40);
    const of = { op: "metric", type: "histogram" };
    const extremes = { sum: 1.7e308, min: -1.7e308, max: 1.7e308 };
    await sent(world, [start()]);
    for (let n = 0; n < 4; n++)
      await sent(world, [
        { ...of, at: NOON + n, name: "samples", value: n, buckets: bounds },
        { ...of, at: NOON + n, name: "counted", bounds, counts, ...extremes },
        { op: "metric", type: "counter", at: NOON + n, name: "total", delta: 1.7e308 },
        { op: "metric", type: "timer", at: NOON + n, name: "load", value: 1.7e308, count: 2 ** 52 },
      ]);
  },
  "with more losses, kinds of events and attachments than are listed": async (world) => {
    const times = { first_at: 0, last_at: 8.64e15 };
    await sent(world, [
      start(),
      ...many(MAX_DROP_CAUSES + 5, (n) => ({
        op: "dropped",
        at: NOON,
        cause: `c${n}`.padEnd(MAX_NAME_LENGTH, "ö"),
        count: MAX_SEQUENCE,
        detail: long(300),
        at_least: true,
        ...times,
      })),
    ]);
    const causes = many(200, (n) => ({ exception_type: long(90), kind: "cause", parent: n }));
    await sent(world, [event(NOON, "e", { causes, causes_left_out: 1e15 })]);
    await sent(
      world,
      many(200, (n) => event(NOON, "output", { message: `line ${n} `.padEnd(900, "ü") })),
    );
    const announced = (sizes: number[]) =>
      sizes.map((size, n) => file(1, { size, name: `${n}`.padEnd(MAX_NAME_LENGTH, "ä") }).op);
    await sent(world, announced(many(MAX_ATTACHMENTS, () => 1)));
    await sent(world, announced(many(MAX_REFUSED_ATTACHMENTS + 5, () => Number.MAX_SAFE_INTEGER)));
  },
  "whose times are as odd as a clock may show them": async (world) => {
    await sent(world, [{ op: "start", at: 0 }, event(0.5, "e"), gauge(1.25, "g", -0.1)]);
    const points = {
      op: "points",
      type: "gauge",
      name: "g",
      dt: [0, 0.1, -0.3],
      values: [1, 2, 3],
    };
    await sent(world, [{ ...points, at: NOON + 0.1 }, heartbeat(0), state(0.001, { x: 1 })]);
    const far = (at: number) => [event(at, "far"), gauge(at, "g", 2), heartbeat(at), state(at, {})];
    const by = (machine: string) => ({ lane: machine, writer: { machine_id: machine } });
    for (const [n, at] of [Date.now() + 9e9, 8e15, 5].entries())
      await world.deliver([world.batch(far(at), by(`m${n}`))], n === 0 ? Date.now() : at);
    for (let n = 0; n < MAX_CLOCK_STEPS + 5; n++) {
      const skew = (n % 2 ? 1 : -1) * n * HOUR;
      const at = Date.now() - HOUR + n * 1_000 + skew;
      await world.deliver([world.batch([event(at, "e")], by("steps"))], Date.now() + skew);
    }
  },
  "whose contact was lost and came back": async (world) => {
    await sent(world, [start(Date.now())], { lease_ms: 1 });
    await world.ring();
    await sent(world, [event(Date.now(), "e")], { lease_ms: 1e18 });
  },
};
