import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { sessionFigures } from "../../src/catalog/figures.ts";
import { LEFT_OUT_BITS } from "../../src/catalog/search/filter.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { withQuery } from "../../src/catalog/search/written.ts";
import { ANY_VALUE, MEMBERS } from "../../src/core/state/values.ts";
import { metric, NOON, type Overrides, publication } from "./publication.ts";

const db = env.CATALOG;
const fps = metric("fps", {
  unit: "fps",
  tags: '["main"]',
  p50: 11,
  p95: 19.5,
  p99: 19.9,
  sum: 0.1 + 0.2,
});

/** Sessions that started one minute after the other, in alphabetical order of their ids. */
const SESSIONS: { [id: string]: Overrides } = {
  a: {
    session: {
      version: "1.0",
      status: "ended",
      ended_at: NOON + 5_000,
      exit_code: 3,
      failed: true,
      tags: '["ci","branch:main"]',
    },
    metrics: [fps, metric("fps", { series: 2, tags: '["other"]' }), metric("rss", { series: 3 })],
    state_values: [
      { path: "config.renderer", value: '"gl', first_at: NOON, last_at: NOON + 1 },
      { path: "config.renderer", value: '"vulkan', first_at: NOON + 1, last_at: null },
      { path: "progress", value: ANY_VALUE, first_at: 0, last_at: null },
      { path: "level", value: "=3", first_at: NOON, last_at: NOON + 2 },
      { path: "items", value: MEMBERS, first_at: 0, last_at: null },
    ],
  },
  b: { session: { product: "shop" }, metrics: [metric("rss")] },
  c: { metrics: [metric("requests", { type: "counter", increase: 7 })] },
  d: { session: { left_out: LEFT_OUT_BITS.series | LEFT_OUT_BITS.state_paths }, metrics: [fps] },
  e: { session: { left_out: LEFT_OUT_BITS.series }, metrics: [metric("unrelated")] },
  f: { session: { left_out: LEFT_OUT_BITS.event_names, ever_hung: true }, metrics: [fps] },
};

beforeAll(async () => {
  const all = Object.entries(SESSIONS).map(([id, of], minute) =>
    publication(id, { ...of, session: { created_at: NOON + minute * 60_000, ...of.session } }),
  );
  await publish(db, ...all);
});

const both = { names: ["fps", "rss"], limit: 100 };

test("sessions that have any of the metrics come newest first, with their figures as they were published", async () => {
  const { items, next, searched_to } = await sessionFigures(db, {}, both);
  expect(items.map(({ id }) => id)).toEqual(["f", "d", "b", "a"]);
  expect([next, searched_to]).toEqual([null, null]);
  expect(items.at(-1)).toEqual({
    key: expect.any(Number),
    id: "a",
    product: "game",
    version: "1.0",
    status: "ended",
    failed: true,
    ever_hung: false,
    machine_id: "machine-1",
    hostname: "workshop",
    browser: "",
    os: "linux x86_64",
    language: "python 3.13.0",
    created_at: NOON,
    ended_at: NOON + 5_000,
    ran_ms: 5_000,
    exit_code: 3,
    tags: ["ci", "branch:main"],
    state: [],
    series: [
      figuresOf(fps, ["main"]),
      figuresOf(metric("fps", { series: 2 }), ["other"]),
      figuresOf(metric("rss", { series: 3 }), []),
    ],
  });
});

function figuresOf(
  {
    distribution: _distribution,
    rollup: _rollup,
    quantile_steps: _steps,
    ...figures
  }: ReturnType<typeof metric>,
  tags: string[],
) {
  return { ...figures, tags };
}

test("values of state paths are those at the end, and not known is not none", async () => {
  const paths = [
    ["config", "renderer"],
    ["progress"],
    ["level"],
    ["items"],
    ["nowhere"],
    ["config"],
  ];
  const { items } = await sessionFigures(db, {}, { ...both, paths });
  const stateOf = (id: string) => items.find((item) => item.id === id)?.state;
  expect(stateOf("a")).toEqual([['"vulkan'], null, [], null, [], []]);
  expect(stateOf("b")).toEqual([[], [], [], [], [], []]);
  expect(stateOf("d")).toEqual([null, null, null, null, null, null]); // paths of it are left out
});

test("sessions that may have a metric in a series that is not listed are counted", async () => {
  const found = await sessionFigures(db, {}, both);
  expect([found.unlisted, found.partial]).toEqual([["e"], true]);
  const { unlisted, partial } = await sessionFigures(db, { product: "shop" }, both);
  expect([unlisted, partial]).toEqual([[], false]);
});

test("a filter and a query apply, and sessions of which that is not certain are marked", async () => {
  const idsOf = async (...asked: Parameters<typeof withQuery>) =>
    (await sessionFigures(db, withQuery(...asked), both)).items.map(({ id, unsure }) => [
      id,
      unsure,
    ]);
  expect(await idsOf({ product: "shop" }, "", NOON)).toEqual([["b", undefined]]);
  expect(await idsOf({ to: NOON + 1 }, "", NOON)).toEqual([["a", undefined]]);
  expect(await idsOf({}, "exit_code:3 OR product:shop", NOON)).toEqual([
    ["b", undefined],
    ["a", undefined],
  ]);
  expect(await idsOf({}, "version:>=1.0 metric.fps.p95:<20", NOON)).toEqual([
    ["f", undefined],
    ["d", undefined],
    ["a", undefined],
  ]);
  expect(await idsOf({ event: "saved" }, "", NOON)).toEqual([["f", true]]);
});

test("pages have each session once", async () => {
  const seen: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await sessionFigures(
      db,
      {},
      { ...both, limit: 2, ...(cursor !== undefined && { cursor }) },
    );
    expect(page.items.length + page.unlisted.length).toBeLessThanOrEqual(2);
    expect(page.next === null).toBe(page.searched_to === null);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next ?? undefined;
    pages++;
  } while (cursor !== undefined);
  expect(seen).toEqual(["f", "d", "b", "a"]);
  expect(pages).toBe(3);
  await expect(sessionFigures(db, {}, { ...both, cursor: "nonsense" })).rejects.toThrow("cursor");
});

test("as many metrics and paths as a person may name fit into one statement", async () => {
  const names = Array.from({ length: 100 }, (_, n) => `metric ${n}`);
  const paths = names.map((name) => [name]);
  const { items } = await sessionFigures(db, {}, { names: [...names, "rss"], paths, limit: 10 });
  expect(items.map(({ id, state }) => [id, state.length])).toEqual([
    ["b", 100],
    ["a", 100],
  ]);
});
