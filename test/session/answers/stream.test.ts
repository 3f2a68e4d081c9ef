import { describe, expect, test } from "vitest";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import { Event, type Op } from "../../../src/core/wire.ts";
import { heartbeat, bulky, event, gauge, NOON, start, state, World } from "../world.ts";

const legacyOf = async (world: World) =>
  JSON.parse(await new Response(await world.client.stream({ kind: "legacy" })).text());
const linesOf = async (world: World) =>
  (await new Response(await world.client.stream({ kind: "lines" })).text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { op?: string; seq?: number; [key: string]: unknown });
const time = (ms: number) => new Date(NOON + ms).toISOString();

describe("the session as 1.x gives it", () => {
  test("has exactly the fields of 1.x's own answer", async () => {
    const world = new World();
    await world.client.record([start()], {
      writer: { machine_id: "m-1", hostname: "workshop" },
      lease_ms: 3_600_000,
    });
    await world.client.record([state(NOON + 1, { level: 1, player: { hp: 10 } })]);
    await world.client.record([state(NOON + 2, { player: { hp: null, name: "ada" } })]);
    await world.client.record([event(NOON + 3, "door")]);
    await world.client.record([
      event(NOON + 4, "exception", {
        category: "info",
        group: "game",
        labels: ["exception", "KeyError"],
        message: "brass",
        data: { key: 1 },
        exception_type: "KeyError",
        exception_msg: "brass",
        stacktrace: ["a\n", "b\n"],
        source_file: "a.py",
        source_line: 3,
        source_function: "f",
      }),
    ]);
    await world.client.record([
      { op: "metric", at: NOON + 5, type: "gauge", name: "fps", value: 60 },
    ]);
    await world.client.record([
      {
        op: "metric",
        at: NOON + 6,
        type: "timer",
        name: "load",
        value: 0.5,
        count: 2,
        unit: "seconds",
        tags: ["x"],
        metadata: { a: 1 },
      },
    ]);
    await world.client.record([
      {
        op: "metric",
        at: NOON + 7,
        type: "histogram",
        name: "size",
        value: 3,
        metadata: { buckets: [1, 5, "inf"] },
      },
    ]);
    await world.client.record([
      {
        op: "metric",
        at: NOON + 8,
        type: "histogram",
        name: "size",
        value: 9,
        metadata: { buckets: [1, 5, "inf"] },
      },
    ]);
    await world.client.record([heartbeat(NOON + 9)]);
    await world.evict();
    expect(await legacyOf(world)).toEqual({
      id: world.id,
      created_at: time(0),
      updated_at: time(9),
      active: true,
      suspended: false,
      crashed: false,
      hung: false,
      last_heartbeat: time(9),
      machine_id: "m-1",
      hostname: "workshop",
      state: { product: "game", version: "1.0", level: 1, player: { name: "ada" } },
      state_history: [
        {
          timestamp: time(1),
          state: { product: "game", version: "1.0", level: 1, player: { hp: 10 } },
        },
        {
          timestamp: time(2),
          state: { product: "game", version: "1.0", level: 1, player: { name: "ada" } },
        },
      ],
      events: [
        {
          timestamp: time(3),
          name: "door",
          category: "info",
          group: "",
          labels: null,
          message: "",
          data: null,
        },
        {
          timestamp: time(4),
          name: "exception",
          category: "error",
          group: "game",
          labels: ["exception", "KeyError"],
          message: "brass",
          data: { key: 1 },
          exception_type: "KeyError",
          exception_msg: "brass",
          stacktrace: ["a\n", "b\n"],
          source_file: "a.py",
          source_line: 3,
          source_function: "f",
        },
      ],
      metrics: [
        { timestamp: time(5), name: "fps", type: "gauge", value: 60 },
        {
          timestamp: time(6),
          name: "load",
          type: "timer",
          value: 0.5,
          count: 2,
          unit: "seconds",
          tags: ["x"],
          metadata: { a: 1 },
        },
        {
          timestamp: time(7),
          name: "size",
          type: "histogram",
          value: 3,
          metadata: {
            buckets: [
              { le: 1, count: 0 },
              { le: 5, count: 1 },
            ],
            sum: 3,
            count: 1,
          },
        },
        {
          timestamp: time(8),
          name: "size",
          type: "histogram",
          value: 6,
          metadata: {
            buckets: [
              { le: 1, count: 0 },
              { le: 5, count: 1 },
              { le: "Infinity", count: 1 },
            ],
            sum: 12,
            count: 2,
          },
        },
      ],
    });
  });

  test("of a new session has empty lists, and nothing that is not set", async () => {
    const world = new World();
    await world.client.record([start()], { lease_ms: 3_600_000 });
    expect(await legacyOf(world)).toEqual({
      id: world.id,
      created_at: time(0),
      updated_at: time(0),
      active: true,
      suspended: false,
      crashed: false,
      hung: false,
      state: { product: "game", version: "1.0" },
      state_history: [],
      events: [],
      metrics: [],
    });
  });

  test.each<[string, Op[], object]>([
    [
      "ended",
      [{ op: "end", at: NOON + 1 }],
      { active: false, suspended: false, crashed: false, hung: false, ended_at: time(1) },
    ],
    [
      "crashed",
      [{ op: "crash", at: NOON + 1 }],
      { active: false, suspended: false, crashed: true, hung: false, ended_at: time(1) },
    ],
    ["hung", [{ op: "hang", at: NOON + 1 }], { active: true, crashed: false, hung: true }],
    [
      "hung by 1.x's event",
      [event(NOON + 1, "application_appears_hung")],
      { active: true, hung: true },
    ],
    [
      "recovered",
      [
        { op: "hang", at: NOON + 1 },
        { op: "recovered", at: NOON + 2 },
      ],
      { active: true, hung: false },
    ],
    [
      "hung, then ended",
      [
        { op: "hang", at: NOON + 1 },
        { op: "end", at: NOON + 2 },
      ],
      { active: false, crashed: false, hung: true },
    ],
    [
      "hung, then crashed",
      [
        { op: "hang", at: NOON + 1 },
        { op: "crash", at: NOON + 2 },
      ],
      { active: false, crashed: true, hung: false },
    ],
    [
      "crashed, then ended",
      [
        { op: "crash", at: NOON + 1 },
        { op: "end", at: NOON + 2 },
      ],
      { active: false, crashed: true },
    ],
  ])("has 1.x's flags when it is %s", async (_, ops, flags) => {
    const world = new World();
    await world.client.record([start(), ...ops], { lease_ms: 3_600_000 });
    expect(await legacyOf(world)).toMatchObject(flags);
  });

  test("is suspended when nothing arrives for it", async () => {
    const world = new World();
    await world.client.record([start(), heartbeat(NOON)], { lease_ms: 1 });
    await scheduler.wait(5);
    expect(await legacyOf(world)).toMatchObject({ active: false, suspended: true, crashed: false });
  });

  test("has whole snapshots over segments, in the order of arrival, and no time from the future", async () => {
    const world = new World();
    await world.send([start()]);
    for (let i = 0; i < 30; i++)
      await world.send([
        state(NOON + i, { [`k${i % 3}`]: i }),
        ...(i % 10 === 9 ? [bulky(NOON, SEGMENT_BYTES), bulky(NOON, SEGMENT_BYTES)] : []),
      ]);
    await world.send([event(8.64e15, "the end of time")]);
    const { state_history, events } = await legacyOf(world);
    expect(state_history).toHaveLength(30);
    expect(state_history[17].state).toEqual({
      product: "game",
      version: "1.0",
      k0: 15,
      k1: 16,
      k2: 17,
    });
    expect(Date.parse(events.at(-1).timestamp)).toBeLessThanOrEqual(Date.now());
  });
});

/** Every field that an exception can have. */
const whole = {
  op: "event",
  at: NOON + 1,
  name: "exception",
  category: "error",
  group: "game",
  labels: ["exception"],
  message: "could not open the door",
  data: { door: "brass" },
  exception_type: "ExceptionGroup",
  exception_msg: "two doors",
  stacktrace: ['  File "/srv/door.py", line 12, in open_door\n'],
  source_file: "/srv/door.py",
  source_line: 12,
  source_function: "open_door",
  attributes: { errno: 13, "…": 2 },
  notes: ["in the cellar"],
  causes: [
    {
      exception_type: "OSError",
      exception_msg: "no key",
      stacktrace: ['  File "/srv/key.py", line 3, in turn\n'],
      attributes: { code: "EACCES" },
      notes: ["rusty"],
      kind: "member",
      parent: 0,
    },
    {
      exception_type: "KeyError",
      exception_msg: "'key'",
      stacktrace: [],
      kind: "context",
      parent: 1,
    },
  ],
  causes_left_out: 7,
  sources: [{ file: "/srv/door.py", first: 11, lines: ["def open_door():", "    turn()"] }],
  resolved: { stacktrace: ["at open_door (door.ts:1:2)"], causes: [["at turn (key.ts:3:4)"], []] },
  handled: false,
  fingerprint: "0123456789abcdef",
} satisfies Op;

test("an exception is exported with each of its fields, and recorded again it is the same", async () => {
  const { test: _ofTestRuns, ...fields } = Event.entries;
  expect(Object.keys(whole).toSorted()).toEqual(Object.keys(fields).toSorted());
  expect(Object.keys(whole.causes[0] ?? {}).toSorted()).toEqual(
    Object.keys(fields.causes.wrapped.item.entries).toSorted(),
  );
  const again: object[] = [];
  let ops: Op[] = [start(), whole];
  for (let time = 0; time < 2; time++) {
    const world = new World();
    await world.send(ops);
    await world.evict();
    const { seq: _, ...line } = (await linesOf(world)).find(({ op }) => op === "event") ?? {};
    again.push(line);
    ops = [start(), line as Op]; // as an import sends it
  }
  expect(again).toEqual([whole, whole]);
});

describe("the export", () => {
  test("holds everything that was sent", async () => {
    const world = new World();
    const sent: Op[] = [
      { op: "start", at: NOON, product: "game", version: "1", tags: ["t"], state: { a: 1 } },
      state(NOON + 1, { b: 2 }),
      event(NOON + 2, "door", { message: "m" }),
      heartbeat(NOON + 3),
      { op: "pause", at: NOON + 4 },
      { op: "resume", at: NOON + 5 },
      { op: "slept", at: NOON + 6, duration_ms: 100 },
      { op: "dropped", at: NOON + 7, cause: "disk_full", count: 2, detail: "d" },
      {
        op: "points",
        at: NOON + 8,
        type: "gauge",
        name: "fps",
        unit: "Hz",
        tags: ["x"],
        dt: [0, 5],
        values: [1.5, 2],
      },
      {
        op: "metric",
        at: NOON + 9,
        type: "histogram",
        name: "h",
        bounds: [1],
        counts: [2, 1],
        sum: 7,
        min: 0.5,
        max: 5,
      },
      { op: "end", at: NOON + 10, exit_code: 3 },
    ];
    await world.send(sent);
    await world.evict();
    const [summary, ...lines] = await linesOf(world);
    expect(summary).toMatchObject({
      id: world.id,
      counts: { states: 1, events: 1, points: 3 },
      exit_code: 3,
    });
    const numbered = lines.filter(({ seq }) => seq !== undefined);
    expect(numbered.map(({ seq }) => seq)).toEqual([1, 1, 2, 3, 5, 6, 7, 8, 11]);
    for (const [index, op] of sent.entries()) {
      if (["points", "metric", "heartbeat", "start"].includes(op.op)) continue;
      expect(lines).toContainEqual({
        seq: index + 1,
        ...op,
        ...(op.op === "event" && { category: "info" }),
      });
    }
    expect(lines).toContainEqual({
      seq: 1,
      op: "start",
      at: NOON,
      product: "game",
      version: "1",
      tags: ["t"],
    });
    expect(lines).toContainEqual({ seq: 1, op: "state", at: NOON, patch: { a: 1 }, initial: true });
    expect(lines).toContainEqual({ op: "heartbeat", at: NOON + 3 });
    expect(lines).toContainEqual({
      op: "points",
      name: "fps",
      type: "gauge",
      unit: "Hz",
      tags: ["x"],
      metadata: null,
      at: [NOON + 8, NOON + 13],
      values: [1.5, 2],
    });
    expect(lines).toContainEqual(
      expect.objectContaining({
        op: "points",
        name: "h",
        bounds: [1],
        columns: [[3], [7], [0.5], [5], [2], [1]],
      }),
    );
  });

  test("of a session of many segments comes in pieces, in order, all of it", async () => {
    const world = new World();
    await world.send([start()]);
    for (let i = 0; i < 12; i++)
      await world.send([
        state(NOON + i, { i }),
        gauge(NOON + i, "g", i),
        bulky(NOON + i, SEGMENT_BYTES),
      ]);
    const lines = await linesOf(world);
    const states = lines.filter(({ op }) => op === "state");
    expect(states.map(({ patch }) => patch)).toEqual(Array.from({ length: 12 }, (_, i) => ({ i })));
    expect(lines.filter(({ op }) => op === "points").flatMap(({ values }) => values)).toEqual(
      Array.from({ length: 12 }, (_, i) => i),
    );
  });

  test("that is cut off half-way leaves the session as it is", async () => {
    const world = new World();
    await world.send([start(), bulky(NOON, SEGMENT_BYTES), bulky(NOON, SEGMENT_BYTES)]);
    const reader = (await world.client.stream({ kind: "lines" })).getReader();
    await reader.read();
    await reader.cancel();
    expect((await world.client.ask("summary")).counts.events).toBe(2);
  });
});
