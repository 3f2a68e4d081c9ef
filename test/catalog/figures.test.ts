import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { sessionFigures } from "../../src/catalog/figures.ts";
import { UNDIVIDED } from "../../src/catalog/metrics.ts";
import { LEFT_OUT_BITS } from "../../src/catalog/search/filter.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { type GroupedSession, grouper, type Grouping } from "../../src/core/comparison/grouping.ts";
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

const NO_SESSION = { id: "", product: "", version: "", created_at: 0 };

beforeAll(async () => {
  const all = Object.entries(SESSIONS).map(([id, of], minute) =>
    publication(id, { ...of, session: { created_at: NOON + minute * 60_000, ...of.session } }),
  );
  await publish(db, ...all);
});

const both = { names: ["fps", "rss"], limit: 100 };

test("sessions that have any of the metrics come newest first, with their figures as they were published", async () => {
  const { items, next, searched_to } = await sessionFigures(db, {}, both);
  expect(items.map(({ session, name, series }) => [session.id, name, series])).toEqual([
    ["f", "fps", 1],
    ["d", "fps", 1],
    ["b", "rss", 1],
    ["a", "fps", 1],
    ["a", "fps", 2],
    ["a", "rss", 3],
  ]);
  expect([next, searched_to]).toEqual([null, null]);
  const session = {
    key: expect.any(Number),
    id: "a",
    product: "game",
    version: "1.0",
    created_at: NOON,
    ended_at: NOON + 5_000,
  };
  expect(items.slice(-3)).toEqual([
    { ...UNDIVIDED, session, ...figuresOf(fps, ["main"]) },
    { ...UNDIVIDED, session, ...figuresOf(metric("fps", { series: 2 }), ["other"]) },
    { ...UNDIVIDED, session, ...figuresOf(metric("rss", { series: 3 }), []) },
  ]);
});

test.each<[Grouping, Partial<GroupedSession>]>([
  ["none", {}],
  ["day", {}],
  ["status", { status: "ended", failed: true }],
  ["machine", { machine_id: "machine-1", hostname: "workshop" }],
  ["os", { os: "linux x86_64" }],
  ["language", { language: "python 3.13.0" }],
  ["browser", { browser: "" }],
  ["exit_code", { exit_code: 3 }],
  ["tag.branch", { tags: ["ci", "branch:main"] }],
])("what a session is grouped by comes with it: %s", async (by, grouped) => {
  const { items } = await sessionFigures(db, { to: NOON + 1 }, { ...both, by });
  expect(items[0]?.session).toMatchObject(grouped);
  expect(grouper(by)(items[0]?.session ?? NO_SESSION)).not.toBeNull();
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

test.each<[Grouping, string[] | null]>([
  ["state.config.renderer", ['"vulkan']],
  ["state.progress", null],
  ["state.level", []],
  ["state.items", null],
  ["state.nowhere", []],
  ["state.config", []],
])("values of a state path are those at the end, and not known is not none: %s", async (by, of) => {
  const { items } = await sessionFigures(db, {}, { ...both, by });
  const stateOf = (id: string) => items.find(({ session }) => session.id === id)?.session.state;
  expect(stateOf("a")).toEqual(of);
  expect(stateOf("b")).toEqual([]);
  expect(stateOf("d")).toBeNull(); // paths of it are left out
});

test("sessions that may have a metric in a series that is not listed are counted", async () => {
  const found = await sessionFigures(db, {}, both);
  expect([found.unlisted, found.partial]).toEqual([["e"], true]);
  const { unlisted, partial } = await sessionFigures(db, { product: "shop" }, both);
  expect([unlisted, partial]).toEqual([[], false]);
});

test("a filter and a query apply, and sessions of which that is not certain are marked", async () => {
  const idsOf = async (...asked: Parameters<typeof withQuery>) =>
    [
      ...new Set(
        (await sessionFigures(db, withQuery(...asked), both)).items.map(({ session }) => session),
      ),
    ].map(({ id, unsure }) => [id, unsure]);
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
    const ids = new Set(page.items.map(({ session }) => session.id));
    expect(ids.size + page.unlisted.length).toBeLessThanOrEqual(2);
    expect(page.next === null).toBe(page.searched_to === null);
    seen.push(...ids);
    cursor = page.next ?? undefined;
    pages++;
  } while (cursor !== undefined);
  expect(seen).toEqual(["f", "d", "b", "a"]);
  expect(pages).toBe(3);
  await expect(sessionFigures(db, {}, { ...both, cursor: "nonsense" })).rejects.toThrow("cursor");
});

test("as many metrics as a page compares fit into one statement", async () => {
  const names = ["a", "b", "c", "d", "rss"];
  const { items } = await sessionFigures(db, {}, { names, limit: 10 });
  expect(items.map(({ session, name }) => [session.id, name])).toEqual([
    ["b", "rss"],
    ["a", "rss"],
  ]);
});
