/** The decisions of direct mode: what a batch holds, what an answer changes, when the next request is due. No network, no clock. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { applyAnswer } from "../../../clients/typescript/direct/answer.ts";
import * as policy from "../../../clients/typescript/direct/limits.ts";
import type { Reply } from "../../../clients/typescript/direct/post.ts";
import {
  append,
  newQueue,
  nextRequestAt,
  type Queue,
  takeBatch,
  takeFinalBatches,
  waitingIn,
} from "../../../clients/typescript/direct/queue.ts";
import { CAUSES_KEPT } from "../../../clients/typescript/limits.ts";
import type { Kind } from "../../../clients/typescript/session/sink.ts";

const NOW = 1_790_000_000_000;

function queueOf(...kinds: Kind[]): Queue {
  const queue = newQueue("s1", "http://server", { program: "test" });
  for (const kind of kinds) record(queue, kind);
  return queue;
}

function record(queue: Queue, kind: Kind, now = NOW, size = 0): void {
  append(queue, kind, now, `"op":"${kind}","text":"${"x".repeat(size)}"}`, now);
}

/** Takes the next batch, which must be there, and applies an answer to it. */
function answer(queue: Queue, reply: Reply, now = NOW, random = 0): void {
  const batch = takeBatch(queue, now);
  if (batch === undefined) throw new Error("nothing to send");
  applyAnswer(queue, batch, reply, now, random);
}

/** The batch as the server receives it. */
function sent(queue: Queue, now = NOW): { [key: string]: unknown; ops: unknown[] } {
  const text = takeBatch(queue, now)?.text ?? "{}";
  return JSON.parse(text) as { [key: string]: unknown; ops: unknown[] }; // this test's own batch
}

function ok(applied: number, more: object = {}): Reply {
  return { status: 200, results: [{ session: "s1", lane: "l", applied, ...more }] };
}

const refusal = (code: string, applied = 0) => ok(applied, { error: { code, message: code } });

test("every number is the one of the policy that all clients share", () => {
  const path = new URL("../../fixtures/direct-policy.json", import.meta.url);
  const shared = JSON.parse(readFileSync(path, "utf8")) as { [name: string]: unknown };
  const own: { [name: string]: unknown } = { ...policy, CAUSES_KEPT };
  for (const [name, value] of Object.entries(shared))
    expect([name, own[name.toUpperCase()]]).toEqual([name, value]);
});

test.each<[string, Kind[], number]>([
  ["nothing waits", [], Infinity],
  ["the first op waits for others", ["event"], NOW + policy.WATCHED_GATHER_MS],
  ["later ops do not put it off", ["event", "metric", "state"], NOW + policy.WATCHED_GATHER_MS],
  ["a start is urgent", ["start"], 0],
  ["an exception is urgent", ["metric", "exception"], 0],
  ["an end is urgent", ["state", "end"], 0],
  ["a full batch is urgent", Array<Kind>(policy.BATCH_OPS).fill("metric"), 0],
])("when the next request is due: %s", (_, kinds, dueAt) => {
  expect(nextRequestAt(queueOf(...kinds))).toBe(dueAt);
});

test("a batch that is full by its bytes is urgent", () => {
  const queue = queueOf();
  record(queue, "event", NOW, policy.BATCH_BYTES);
  expect(nextRequestAt(queue)).toBe(0);
});

test("while the session is watched, ops are gathered for a shorter time", () => {
  const queue = queueOf("event");
  answer(queue, ok(1, { watched: true }));
  record(queue, "event", NOW + 5);
  expect(nextRequestAt(queue)).toBe(NOW + 5 + policy.WATCHED_GATHER_MS);
  answer(queue, ok(2), NOW + 6);
  record(queue, "event", NOW + 10);
  expect(nextRequestAt(queue)).toBe(NOW + 6 + policy.GATHER_MS);
});

test("the first op after a rest is sent soon, since a page may have been opened meanwhile", () => {
  const queue = queueOf("start");
  answer(queue, ok(1));
  const later = NOW + 12_000;
  record(queue, "event", later);
  expect(nextRequestAt(queue)).toBe(later + policy.WATCHED_GATHER_MS);

  // What was recorded before the answer showed the page is sent as soon.
  const batch = takeBatch(queue, later + 250);
  record(queue, "event", later + 300);
  expect(nextRequestAt(queue)).toBe(later + 250 + policy.GATHER_MS);
  if (batch) applyAnswer(queue, batch, ok(2, { watched: true }), later + 350, 0);
  expect(nextRequestAt(queue)).toBe(later + 350 + policy.WATCHED_GATHER_MS);
});

test("ops that come while a request is on its way are gathered, too", () => {
  const queue = queueOf("start");
  const batch = takeBatch(queue, NOW);
  record(queue, "metric", NOW + 20);
  if (batch) applyAnswer(queue, batch, ok(1), NOW + 50, 0);
  expect(nextRequestAt(queue)).toBe(NOW + policy.GATHER_MS);
});

test("a session without ops renews its lease by an empty batch, until it is closed", () => {
  const queue = queueOf("start");
  answer(queue, ok(1));
  const renewAt = NOW + policy.LEASE_RENEWAL_MS;
  expect(nextRequestAt(queue)).toBe(renewAt);
  expect(takeBatch(queue, renewAt - 1)).toBeUndefined();
  queue.dueAt = renewAt;
  expect(sent(queue, renewAt)).toMatchObject({ first: 2, last: 1, ops: [], lease_ms: 180_000 });

  queue.isClosed = true;
  answer(queue, ok(1), renewAt);
  expect(nextRequestAt(queue)).toBe(Infinity);
});

test("a failed request is repeated as it was, after pauses that double up to the longest", () => {
  const queue = queueOf("start", "event");
  const { text } = takeBatch(queue, NOW) ?? {};
  const pauses = Array.from({ length: 7 }, () => {
    answer(queue, { status: 0 });
    record(queue, "exception");
    return nextRequestAt(queue) - NOW;
  });
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(takeBatch(queue, NOW)?.text).toBe(text);

  answer(queue, ok(2));
  answer(queue, { status: 503 });
  expect(nextRequestAt(queue)).toBe(NOW + policy.RETRY_FIRST_MS);
});

test("a pause is shortened by chance by half at most, and never below what the server asks for", () => {
  const pauseMs = (random: number, retryAfterMs?: number) => {
    const queue = queueOf("start");
    answer(queue, { status: 429, retryAfterMs }, NOW, random);
    return nextRequestAt(queue) - NOW;
  };
  expect([pauseMs(0), pauseMs(0.5), pauseMs(1)]).toEqual([1_000, 750, 500]);
  expect(pauseMs(1, 20_000)).toBe(20_000);
});

test("slow_down_ms puts off the next request, also an urgent one", () => {
  const queue = queueOf("start");
  answer(queue, { ...ok(1), slow_down_ms: 700 });
  record(queue, "end");
  expect(nextRequestAt(queue)).toBe(NOW + 700);
});

test("a batch holds ops up to its number and bytes; a longer op travels alone", () => {
  const many = queueOf(...Array<Kind>(policy.BATCH_OPS + 5).fill("metric"));
  expect(sent(many)).toMatchObject({ first: 1, last: policy.BATCH_OPS });

  const large = queueOf("state");
  record(large, "event", NOW, policy.BATCH_BYTES + 1);
  record(large, "event");
  expect(sent(large).ops).toHaveLength(1);
  answer(large, ok(1));
  expect(sent(large).ops).toHaveLength(1);
  answer(large, ok(2));
  expect(sent(large)).toMatchObject({ first: 3, last: 3 });
});

test("bytes are counted in UTF-8, not in characters", () => {
  const queue = queueOf();
  append(queue, "event", NOW, `"op":"event","name":"語"}`, NOW);
  expect(queue.bytes).toBe((queue.entries[0]?.text.length ?? 0) + 2);
});

test("only the first batch names the writer", () => {
  const queue = queueOf("start");
  expect(sent(queue)["writer"]).toEqual({ program: "test" });
  answer(queue, ok(1));
  record(queue, "end");
  expect(sent(queue)).not.toHaveProperty("writer");
});

test.each<[string, Reply]>([
  ["400", { status: 400 }],
  ["413", { status: 413 }],
  ["too_large", refusal("too_large")],
  ["not_finite", refusal("not_finite")],
])(
  "ops refused with %s are sent in halves after a pause, until one is alone: it is dropped",
  (_, no) => {
    const queue = queueOf("start", "state", "event", "metric");
    const sizes: number[] = [];
    for (let tries = 0; tries < 3; tries++) {
      sizes.push(sent(queue).ops.length);
      answer(queue, no);
      expect(nextRequestAt(queue)).toBe(NOW + policy.REFUSED_PAUSE_MS);
    }
    expect(sizes).toEqual([4, 2, 1]);
    expect(sent(queue)).toMatchObject({ first: 1, dropped: { refused: 1 } });
    expect(sent(queue).ops).toMatchObject([{ op: "state" }]);
    answer(queue, ok(2));
    expect(sent(queue).ops).toHaveLength(2);
    expect(sent(queue)).not.toHaveProperty("dropped");
  },
);

test("part of a batch that an earlier page sent is not sent again", () => {
  const queue = queueOf("start", "event", "event");
  answer(queue, refusal("lane_overlap", 2));
  expect(sent(queue)).toMatchObject({ first: 3, last: 3, ops: [{ op: "event" }] });
});

test("a server restored from before the lane began gets what is left in a new lane", () => {
  const queue = queueOf("start", "event");
  answer(queue, ok(2));
  record(queue, "state");
  const { lane } = queue;
  answer(queue, refusal("lane_gap", 0));
  expect(queue.lane).not.toBe(lane);
  expect(sent(queue)).toMatchObject({
    lane: queue.lane,
    first: 1,
    last: 1,
    ops: [{ op: "state" }],
  });
});

test("a session that is gone takes nothing any more: what waits is counted as refused", () => {
  const queue = queueOf("start", "event");
  answer(queue, refusal("gone"));
  expect(queue.lost).toEqual({ refused: 2 });
  expect(waitingIn(queue)).toBe(0);
  expect(takeBatch(queue, NOW)).toBeUndefined();
  expect(nextRequestAt(queue)).toBe(Infinity);
});

test("a full queue drops a tenth at once, metrics first, never the start, and not what is on its way", () => {
  const queue = queueOf("start", "metric");
  takeBatch(queue, NOW);
  for (let i = 0; i < policy.QUEUE_OPS / 2; i++) record(queue, "event");
  while (queue.lost["queue_full"] === undefined) record(queue, "metric");
  expect(queue.lost).toEqual({ queue_full: 1_001 }); // a tenth of 10,001
  expect(queue.entries.slice(0, 3).map(({ kind }) => kind)).toEqual(["start", "metric", "event"]);
  expect(queue.entries.filter(({ kind }) => kind === "event")).toHaveLength(policy.QUEUE_OPS / 2);
});

test("a queue without metrics drops its oldest ops, but not the session's start and end", () => {
  const queue = queueOf("start");
  while (queue.lost["queue_full"] === undefined) record(queue, "event", NOW, 100_000);
  expect(queue.bytes).toBeLessThanOrEqual(policy.QUEUE_BYTES);
  expect(queue.entries[0]).toMatchObject({ kind: "start", sequence: 1 });
  expect(queue.entries[1]?.sequence).toBeGreaterThan(2);
});

test("losses are reported once, with the batch that follows them", () => {
  const queue = queueOf("start");
  queue.lost = { queue_full: 3 };
  expect(sent(queue)["dropped"]).toEqual({ queue_full: 3 });
  queue.lost["queue_full"] = 5;
  answer(queue, ok(1));
  expect(waitingIn(queue)).toBe(1);
  expect(sent(queue)).toMatchObject({ ops: [], dropped: { queue_full: 2 } });
  answer(queue, ok(1));
  expect(waitingIn(queue)).toBe(0);
});

test("the last request holds the unanswered batch as it was, and what follows it, within its bytes", () => {
  const queue = queueOf("start");
  const { text } = takeBatch(queue, NOW) ?? {};
  for (let i = 0; i < 100; i++) record(queue, "event", NOW, 1_000);
  const batches = JSON.parse(`[${takeFinalBatches(queue)}]`) as { first: number; ops: object[] }[];
  expect(JSON.stringify(batches[0])).toBe(text);
  expect(batches[1]?.first).toBe(2);
  expect(batches[1]?.ops.length).toBeGreaterThan(20);
  expect(takeFinalBatches(queue)?.length).toBeLessThan(policy.FINAL_BODY_BYTES);
  expect(takeFinalBatches(queueOf())).toBeUndefined();
});

test("every batch accounts for its sequences, whatever was dropped and however the server answers", () => {
  const queue = queueOf("start");
  const kinds: Kind[] = ["metric", "event", "state", "metric"];
  const answers: ((last: number) => Reply)[] = [
    (last: number) => ok(last),
    () => ({ status: 503 }),
    () => refusal("invalid_body"),
    (last: number) => ok(last),
    () => ({ status: 413 }),
  ];
  let [now, step, reported] = [NOW, 0, 0];
  const send = () => {
    const batch = sent(queue, now);
    const { first, last, ops, dropped } = batch as Bounds;
    const lost = Object.values(dropped ?? {}).reduce((sum, count) => sum + count, 0);
    expect(last - first + 1).toBeLessThanOrEqual(ops.length + lost);
    const reply = answers[step++ % answers.length]?.(last) ?? ok(last);
    if (reply.results?.[0]?.error === undefined && reply.status === 200) reported += lost;
    answer(queue, reply, now);
  };
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 1_000; i++) record(queue, kinds[(round + i) % 4] ?? "event", now);
    if (round > 12) send();
    now += 100_000;
  }
  step = 0;
  while (waitingIn(queue) > 0) send();
  expect(queue.lost["queue_full"]).toBeGreaterThan(10_000);
  expect(reported).toBe(Object.values(queue.lost).reduce((sum, count) => sum + count, 0));
});

type Bounds = {
  first: number;
  last: number;
  ops: unknown[];
  dropped?: { [cause: string]: number };
};
