import { describe, expect, test } from "vitest";
import type { EventRow } from "../../../src/core/answers/events.ts";
import { EVENT_LIST } from "../../../src/core/events/fields.ts";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import { parseQueryOf } from "../../../src/core/query/parse.ts";
import type { EventsQuery } from "../../../src/core/questions/events.ts";
import { MAX_SEARCHED_SEGMENTS } from "../../../src/core/questions/limits.ts";
import { bulky, event, NOON, start, World } from "../world.ts";

/** Sixty events over several segments, of three names and two groups, every tenth an exception. */
async function eventful(): Promise<World> {
  const world = new World();
  await world.send([start()]);
  for (let i = 0; i < 60; i += 10) {
    const some = Array.from({ length: 10 }, (_, n) => i + n).map((n) =>
      event(NOON + n * 1_000, ["door", "step", "jump"][n % 3] ?? "", {
        message: `number ${n}`,
        group: n < 30 ? "early" : "late",
        labels: [`l${n % 4}`],
        ...(n % 10 === 9 && { exception_type: "DoorError", exception_msg: `no door ${n}` }),
      }),
    );
    await world.send([
      ...some,
      bulky(NOON + i * 1_000, SEGMENT_BYTES),
      bulky(NOON + i * 1_000, SEGMENT_BYTES),
    ]);
  }
  return world;
}

/** Worlds that tests only read, each made by the first that needs it. */
let running: Promise<World> | undefined;
let ended: Promise<World> | undefined;
async function eventfulEnded(): Promise<World> {
  const world = await eventful();
  await world.send([{ op: "end", at: NOON + 59_000 }]);
  return world;
}

const numbers = (items: { message?: string | undefined }[]) =>
  items.map(({ message }) => Number(message?.slice(7)));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

async function pages(world: World, asked: EventsQuery): Promise<EventRow[]> {
  const items: EventRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.client.ask("events", { ...asked, ...(cursor && { cursor }) });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor);
  return items;
}

describe("events", () => {
  test.each([
    ["name", { name: "door" }, upTo(60).filter((n) => n % 3 === 0)],
    ["group", { group: "early" }, upTo(30)],
    ["tag", { tag: "l1", name: "step" }, upTo(60).filter((n) => n % 4 === 1 && n % 3 === 1)],
    ["category", { category: "error" }, upTo(60).filter((n) => n % 10 === 9)],
    ["kind", { exceptions: true }, upTo(60).filter((n) => n % 10 === 9)],
    ["text", { text: "NO DOOR 39" }, [39]],
    [
      "time",
      { from: NOON + 25_000, to: NOON + 31_000, text: "number" },
      [25, 26, 27, 28, 29, 30, 31],
    ],
  ])("are found by %s, in both orders, page by page", async (_, filter, expected) => {
    const world = await (running ??= eventful());
    await world.evict();
    for (const order of ["asc", "desc"] as const) {
      const seen = numbers(await pages(world, { ...filter, order, limit: 4 }));
      expect(seen).toEqual(order === "asc" ? expected : expected.toReversed());
    }
  });

  test.each([
    ["name:door", upTo(60).filter((n) => n % 3 === 0)],
    ["-name:door,step,bulk -group:late", upTo(30).filter((n) => n % 3 === 2)],
    ["tag:l1 OR level:>=error", upTo(60).filter((n) => n % 4 === 1 || n % 10 === 9)],
    ["exception:DoorError message:39", [39]],
    ["since_start:25s..31s number", [25, 26, 27, 28, 29, 30, 31]],
    ["before_end:<=2s -name:bulk", [57, 58, 59]],
    ["seq:>60 name:jump group:late", upTo(60).filter((n) => n % 3 === 2 && n > 49)],
  ])("are found by the query %s, in both orders, page by page", async (text, expected) => {
    const world = await (ended ??= eventfulEnded());
    await world.evict();
    const query = parseQueryOf(EVENT_LIST, text, NOON);
    for (const order of ["asc", "desc"] as const) {
      const seen = numbers(await pages(world, { query, order, limit: 4 }));
      expect(seen).toEqual(order === "asc" ? expected : expected.toReversed());
    }
  });

  test("are searched in a bounded part of a long session at a time, and then further", async () => {
    const world = new World();
    await world.send([start()]);
    const long = { message: "-".repeat(2 * SEGMENT_BYTES) };
    for (let n = 0; n < MAX_SEARCHED_SEGMENTS + 10; n++)
      await world.send([event(NOON + n * 1_000, "long", long)]);
    expect((await world.segments()).length).toBeGreaterThan(MAX_SEARCHED_SEGMENTS + 5);
    const query = parseQueryOf(EVENT_LIST, "seq:2,3", NOON);
    const newest = await world.client.ask("events", { query, order: "desc", limit: 10 });
    expect(newest).toMatchObject({ items: [], next: expect.any(String) });
    expect(newest.searched_to).toBeGreaterThan(NOON + 5_000);
    expect(newest.searched_to).toBeLessThan(NOON + 15_000);
    for (const order of ["asc", "desc"] as const) {
      const found = await pages(world, { query, order, limit: 10 });
      expect(found.map(({ seq }) => seq)).toEqual(order === "asc" ? [2, 3] : [3, 2]);
    }
    const text = await world.client.ask("events", { text: "no such text", order: "asc" });
    expect(text).toEqual({ items: [], next: null }); // as the summaries show
  });

  test("of segments that cannot match are not read", async () => {
    const world = await eventful();
    await world.evict();
    // What is damaged would be noticed by reading it.
    await world.sql("UPDATE segments SET body = x'00' WHERE id = 1");
    expect(
      numbers((await world.client.ask("events", { from: NOON + 45_000, name: "door" })).items),
    ).toEqual([45, 48, 51, 54, 57]);
    expect(numbers((await world.client.ask("events", { group: "late", limit: 3 })).items)).toEqual([
      30, 31, 32,
    ]);
    const query = parseQueryOf(EVENT_LIST, "since_start:>45s -name:bulk,step,jump", NOON);
    expect(numbers((await world.client.ask("events", { query })).items)).toEqual([48, 51, 54, 57]);
    expect((await world.client.ask("summary")).damaged_segments).toBe(0);
  });

  test("keep every field they came with", async () => {
    const world = new World();
    const whole = {
      name: "exception",
      category: "critical",
      group: "game",
      labels: ["a"],
      message: "m",
      data: { n: [1, null] },
      exception_type: "KeyError",
      exception_msg: "door",
      stacktrace: ["File a.py"],
      source_file: "a.py",
      source_line: 3,
      source_function: "f",
      causes: [{ exception_type: "OSError", exception_msg: "x", stacktrace: ["y"] }],
      handled: false,
    };
    await world.send([start(), { op: "event", at: NOON, ...whole }]);
    const { items } = await world.client.ask("events");
    expect(items).toEqual([
      { seq: 2, at: NOON, ...whole, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ]);
  });

  test("are counted by name and category", async () => {
    const world = await (running ??= eventful());
    const counts = await world.client.ask("eventCounts");
    const doors = counts.filter(({ name }) => name === "door");
    expect(doors.toSorted((a, b) => b.count - a.count)).toEqual([
      { name: "door", category: "info", count: 18, first_at: NOON, last_at: NOON + 57_000 },
      { name: "door", category: "error", count: 2, first_at: NOON + 9_000, last_at: NOON + 39_000 },
    ]);
    expect((await world.client.ask("summary")).counts).toMatchObject({ events: 72, exceptions: 6 });
  });

  test("of the daemon are added as 1.x added them", async () => {
    const world = new World();
    await world.send([start()]);
    await world.send(
      [
        { op: "hang", at: NOON + 70_000, last_heartbeat_at: NOON, process_state: "blocked" },
        { op: "recovered", at: NOON + 80_000, duration_ms: 80_000 },
        { op: "crash", at: NOON + 90_000, reason: "process_died", signal: "SIGSEGV" },
      ],
      { lane: "daemon" },
    );
    const { items } = await world.client.ask("events");
    expect(
      items.map(({ name, category, group, labels, data }) => ({
        name,
        category,
        group,
        labels,
        data,
      })),
    ).toEqual([
      {
        name: "application_appears_hung",
        category: "error",
        group: "datacat.daemon",
        labels: ["heartbeat", "hung"],
        data: { seconds_since_heartbeat: 70, process_state: "blocked" },
      },
      {
        name: "application_recovered",
        category: "info",
        group: "datacat.daemon",
        labels: ["heartbeat", "recovery"],
        data: { duration_ms: 80_000 },
      },
      {
        name: "session_crashed_detected",
        category: "critical",
        group: "datacat.daemon",
        labels: ["crash", "process"],
        data: { reason: "process_died", signal: "SIGSEGV" },
      },
    ]);
  });
});
