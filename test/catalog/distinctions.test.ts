/** What distinguishes sessions, from the rows of the catalog. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { changesOf, distinctionsOf } from "../../src/catalog/distinctions.ts";
import { LEFT_OUT_BITS } from "../../src/catalog/search/filter.ts";
import { COMPARED_RUNS } from "../../src/catalog/limits.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import {
  amongGoodRuns,
  betweenGroups,
  subjectOf,
} from "../../src/core/comparison/distinction-text.ts";
import type { Distinction } from "../../src/core/comparison/distinctions.ts";
import { eventCount, exception, metric, NOON, type Overrides, publication } from "./publication.ts";

const MINUTE = 60_000;

type Parts = Omit<Overrides, "state_values"> & { state?: { [path: string]: string } };

function session(id: string, at: number, { state = {}, session: own, ...parts }: Parts) {
  return publication(id, {
    ...parts,
    session: {
      created_at: at,
      ended_at: at + MINUTE,
      updated_at: at + MINUTE,
      status: "ended",
      tags: '["ci"]',
      ...own,
    },
    state_values: Object.entries(state).map(([path, value]) => ({
      path,
      value,
      first_at: at + 1_000,
      last_at: null,
    })),
  });
}

const memory = (max: number) =>
  metric("memory", { unit: "bytes", min: 2 ** 20, max, sum: 2 * max, count: 4 });

/** `count` good runs, one a minute, and a failed one among each five. */
function runs(product: string, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const at = NOON + index * MINUTE;
    const isFailed = index % 5 === 4;
    return session(`${product}-${index}`, at, {
      session: { product, failed: isFailed, exit_code: isFailed ? 1 : 0 },
      event_counts: [
        eventCount("ready", { first_at: at }),
        eventCount("saved", { first_at: at + 9_000 }),
      ],
      metrics: [memory((300 + index) * 2 ** 20)],
      state: { renderer: '"gl', ticket: `=${index}`, threads: `=${4 + (index % 5)}` },
    });
  });
}

const textsOf = (items: Distinction[], counts: (item: Distinction) => string) =>
  items.map((item) => `${subjectOf(item)}: ${counts(item)}`);

test("a crashed session is compared with the last good ones of its product that started before it", async () => {
  const at = NOON + 60 * MINUTE + 500;
  const bad = session("bad", at, {
    session: {
      product: "one",
      version: "1.1",
      status: "crashed",
      os: "windows 11",
      tags: '["ci","gpu"]',
    },
    event_counts: [
      eventCount("ready", { first_at: at }),
      eventCount("gpu_lost", { first_at: at + 50_000 }),
      eventCount("session_crashed_detected", { first_at: at + MINUTE }),
    ],
    exceptions: [
      exception("f9", { type: "GpuError", message: "device lost", first_at: at + 50_000 }),
    ],
    metrics: [memory(900 * 2 ** 20)],
    state: { renderer: '"vulkan', ticket: "=77", threads: "=64" },
  });
  // Later ones are none of the runs before.
  const later = session("later", at + MINUTE, { session: { product: "one", version: "1.1" } });
  await publish(env.CATALOG, ...runs("one", 60), bad, later);

  const found = await changesOf(env.CATALOG, {
    id: "bad",
    product: "one",
    created_at: at,
    revision: 1,
  });
  expect(found).toMatchObject({
    these: { sessions: 1 },
    others: { sessions: COMPARED_RUNS },
    partial: true,
    not_compared: { incomplete: 0, few_others: 0 },
  });
  expect(textsOf(found.items, amongGoodRuns)).toEqual([
    "Version 1.1: in none of 40 good runs",
    "State renderer = “vulkan”: in none of 40 good runs",
    "State threads: 64; in 40 good runs 4 to 7",
    "Tag gpu: in none of 40 good runs",
    "System windows 11: in none of 40 good runs",
    "Metric memory, maximum: 900 MiB; in 40 good runs 310 MiB to 358 MiB",
    "Event gpu_lost: in none of 40 good runs",
    "Exception GpuError: device lost: in none of 40 good runs",
    "Event saved: missing; in 40 of 40 good runs within 1 min of the start",
  ]);
  expect(found.items[1]).toMatchObject({ p: 1 / 41, at: at + 1_000 });
});

test("what a session's lists leave out is never called missing or new", async () => {
  const at = NOON + 60 * MINUTE;
  const cut = (id: string, bits: number) =>
    session(id, at, {
      session: { product: "two", status: "crashed", left_out: bits },
      event_counts: [eventCount("ready", { first_at: at })],
      state: { renderer: '"gl', threads: "=4" },
    });
  await publish(
    env.CATALOG,
    ...runs("two", 30),
    cut("events-cut", LEFT_OUT_BITS.event_names),
    cut("whole", 0),
  );
  const textsFor = async (id: string, revision = 1) => {
    const { items, not_compared } = await changesOf(env.CATALOG, {
      id,
      product: "two",
      created_at: at,
      revision,
    });
    return { texts: textsOf(items, amongGoodRuns), incomplete: not_compared.incomplete };
  };
  const whole = await textsFor("whole");
  expect(whole.texts).toContain(
    "Event saved: missing; in 24 of 24 good runs within 1 min of the start",
  );
  expect(whole.texts).toContain(
    "State path ticket: missing; in 24 of 24 good runs within 1 min of the start",
  );
  const events = await textsFor("events-cut");
  expect(events.texts).not.toContainEqual(expect.stringContaining("Event saved"));
  expect(events.incomplete).toBe(whole.incomplete + 1);
  // The session has newer ops than were published.
  const stale = await textsFor("whole", 2);
  expect(stale.texts).not.toContainEqual(expect.stringContaining("missing"));
});

test("the sessions of a filter are compared with the others of the product", async () => {
  const slow = Array.from({ length: 30 }, (_, index) =>
    session(`three-slow-${index}`, NOON + index * MINUTE + 1, {
      session: { product: "three", status: "crashed", version: index % 3 ? "2.0" : "1.0" },
      metrics: [memory((600 + index) * 2 ** 20)],
      event_counts: [eventCount("ready"), eventCount("saved")],
      state: { renderer: index % 3 ? '"vulkan' : '"gl', ticket: `=${index + 1_000}` },
    }),
  );
  await publish(env.CATALOG, ...runs("three", 40), ...slow);
  const found = await distinctionsOf(env.CATALOG, { product: "three", status: ["crashed"] });
  expect(found).toMatchObject({ these: { sessions: 30 }, others: { sessions: 40 } });
  expect(textsOf(found.items, betweenGroups)).toEqual(
    expect.arrayContaining([
      "State renderer = “vulkan”: in 20 of 30 of these, in none of 40 of the others",
      "Version 2.0: in 20 of 30 of these, in none of 40 of the others",
    ]),
  );
  expect(found.items[0]).toMatchObject({ kind: "figure", name: "memory", change: "higher" });
  expect(found.items.map(({ name }) => name)).not.toContain("ticket");

  const ofVersion = await distinctionsOf(env.CATALOG, { product: "three", version: "2.0" });
  expect(ofVersion).toMatchObject({ these: { sessions: 20 }, others: { sessions: 40 } });
  expect(ofVersion.items.map(({ kind }) => kind)).not.toContain("version");
});

test("exceptions of groups that people merged are one", async () => {
  const failing = Array.from({ length: 10 }, (_, index) =>
    session(`merged-bad-${index}`, NOON + index * MINUTE + 1, {
      session: { product: "merged", status: "crashed" },
      exceptions: [
        exception(index % 2 ? "odd" : "even"),
        ...(index === 4 ? [exception("odd")] : []),
      ],
    }),
  );
  await publish(env.CATALOG, ...runs("merged", 20), ...failing);
  const merged = [{ product: "merged", members: ["odd", "even"] }];
  const filter = { product: "merged", status: ["crashed" as const] };
  const countsOf = ({ items }: Awaited<ReturnType<typeof distinctionsOf>>) =>
    items
      .flatMap(({ kind, these }) => (kind === "exception" ? [these.had] : []))
      .toSorted((a, b) => a - b);
  expect(countsOf(await distinctionsOf(env.CATALOG, filter))).toEqual([5, 6]);
  expect(countsOf(await distinctionsOf(env.CATALOG, filter, undefined, merged))).toEqual([10]);
  const elsewhere = [{ product: "another", members: ["odd", "even"] }];
  expect(countsOf(await distinctionsOf(env.CATALOG, filter, undefined, elsewhere))).toEqual([5, 6]);
});

test("a session that is not listed yet, and a filter that finds nothing, are compared with nothing", async () => {
  const found = await changesOf(env.CATALOG, {
    id: "none",
    product: "none",
    created_at: NOON,
    revision: 1,
  });
  expect(found).toMatchObject({ items: [], tested: 0, these: { sessions: 0 } });
  const nothing = await distinctionsOf(env.CATALOG, { product: "none" });
  expect(nothing).toMatchObject({ items: [], these: { sessions: 0 }, others: { sessions: 0 } });
});
