/** Random queries, compared with an evaluation that uses neither the parser nor SQL. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { LEFT_OUT_BITS, type SessionFilter } from "../../src/catalog/filter.ts";
import { type Publication, publish } from "../../src/catalog/publish.ts";
import { listSessions } from "../../src/catalog/sessions.ts";
import { withQuery } from "../../src/catalog/written.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import { eventCount, exception, metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const NOW = NOON + 3_600_000;

const world: Publication[] = Array.from({ length: 80 }, (_, n) => {
  const status = (["active", "ended", "crashed", "hung", "ended"] as const)[n % 5] ?? "ended";
  const isOpen = status === "active" || status === "hung";
  return publication(`s${n}`, {
    session: {
      created_at: NOON + n * 1_000,
      ended_at: isOpen ? null : NOON + n * 1_000 + n * 250,
      product: ["game", "editor", "Space Probe"][n % 3] ?? "",
      version: ["1.2", "1.10", "2.0-rc.1", "", "nightly"][n % 5] ?? "",
      status,
      is_open: isOpen,
      failed: status === "ended" && n % 10 === 1,
      ever_hung: n % 7 === 0,
      hostname: n % 2 === 0 ? "Workshop" : "laptop",
      machine_id: `machine-${n % 3}`,
      exit_code: isOpen ? null : ([0, 1, null, 137][n % 4] ?? null),
      signal: n % 9 === 0 ? "SIGKILL" : null,
      headline: status === "crashed" ? "Crashed: killed by SIGKILL" : "Fine",
      tags: JSON.stringify(
        n % 4 === 0 ? ["ci", "branch:main"] : n % 4 === 1 ? ["branch:next"] : [],
      ),
      events: n % 6,
      exceptions: n % 8 === 2 ? 1 : 0,
      points: n % 5,
      bytes: n * 1_000,
      left_out:
        n % 16 === 3
          ? LEFT_OUT_BITS.event_names | LEFT_OUT_BITS.tags
          : n % 16 === 5
            ? LEFT_OUT_BITS.state_paths
            : 0,
      damaged: n === 42 ? 1 : 0,
    },
    event_counts: n % 6 > 2 ? [eventCount("door_opened"), eventCount(`item_${n % 4}`)] : [],
    exceptions:
      n % 8 === 2 ? [exception(`f${n % 3}`, { type: n % 3 ? "ValueError" : "KeyError" })] : [],
    metrics:
      n % 5 > 1
        ? [metric("fps", { min: n, max: n + 10, sum: 2 * n, count: 2, p95: n % 3 ? n + 9 : null })]
        : [],
    state_values: [
      { path: "level", value: `=${n % 8}`, first_at: NOON, last_at: null },
      { path: "level", value: `=${(n + 3) % 8}`, first_at: NOON, last_at: NOON + 5 },
      {
        path: "window.active",
        value: n % 3 ? '"menu' : '"space probe',
        first_at: NOON,
        last_at: null,
      },
      ...(n % 11 === 0 ? [{ path: "seed", value: ANY_VALUE, first_at: NOON, last_at: null }] : []),
    ],
  });
});

beforeAll(async () => {
  await publish(db, ...world);
});

/** Null: the catalog cannot know it. */
type Known = boolean | null;
type Case = { text: string; of: (session: Publication) => Known };

const and = (a: Known, b: Known): Known => (a === false || b === false ? false : a && b);
const or = (a: Known, b: Known): Known =>
  a === true || b === true
    ? true
    : (a ?? b) === null
      ? null
      : a === null || b === null
        ? null
        : false;
const not = (a: Known): Known => (a === null ? null : !a);

/** `found` is certain; else it is unknown where the list is incomplete. */
function listed({ session }: Publication, found: boolean, bit: number): Known {
  if (found) return true;
  return (session.left_out & bit) !== 0 || session.damaged > 0 ? null : false;
}

const field = (text: string, of: (session: Publication["session"]) => boolean): Case => ({
  text,
  of: ({ session }) => of(session),
});
const event = (text: string, names: (name: string) => boolean): Case => ({
  text,
  of: (each) =>
    listed(
      each,
      each.event_counts.some(({ name }) => names(name)),
      LEFT_OUT_BITS.event_names,
    ),
});
const tag = (text: string, tags: (tag: string) => boolean): Case => ({
  text,
  of: (each) =>
    listed(each, (JSON.parse(each.session.tags) as string[]).some(tags), LEFT_OUT_BITS.tags),
});
const state = (
  text: string,
  path: string,
  holds: (value: string, isNow: boolean) => boolean,
): Case => ({
  text,
  of: (each) => {
    const rows = each.state_values.filter((row) => row.path === path);
    if (rows.some((row) => row.value !== ANY_VALUE && holds(row.value, row.last_at === null)))
      return true;
    return rows.some((row) => row.value === ANY_VALUE)
      ? null
      : listed(each, false, LEFT_OUT_BITS.state_paths);
  },
});
const fps = (text: string, holds: (row: Publication["metrics"][number]) => boolean): Case => ({
  text,
  of: (each) => listed(each, each.metrics.some(holds), LEFT_OUT_BITS.series),
});
const failure = (
  text: string,
  holds: (row: Publication["exceptions"][number]) => boolean,
): Case => ({
  text,
  of: (each) => listed(each, each.exceptions.some(holds), LEFT_OUT_BITS.exceptions),
});
const numberOf = (value: string) => (value.startsWith("=") ? Number(value.slice(1)) : NaN);

const leaves: Case[] = [
  field("workshop", (s) => s.hostname === "Workshop"),
  field('"space probe"', (s) => s.product === "Space Probe"),
  field("product:game", (s) => s.product === "game"),
  field('product:game,"Space Probe"', (s) => s.product !== "editor"),
  field("product:!game", (s) => s.product !== "game"),
  field("product:*d*", (s) => s.product === "editor"),
  field("version:1.2", (s) => s.version === "1.2"),
  field("version:>=1.2", (s) => s.version !== ""),
  field("version:<2", (s) => ["1.2", "1.10", "2.0-rc.1"].includes(s.version)),
  field("version:1.3..2.0", (s) => ["1.10", "2.0-rc.1"].includes(s.version)),
  field("version:!1.2", (s) => s.version !== "1.2" && s.version !== ""),
  field("status:crashed,failed", (s) => s.status === "crashed" || s.failed),
  field("is:ever_hung", (s) => s.ever_hung),
  field("has:exit_code", (s) => typeof s.exit_code === "number"),
  field("has:signal", (s) => typeof s.signal === "string"),
  field("exit_code:!0", (s) => typeof s.exit_code === "number" && s.exit_code !== 0),
  field("exit_code:>=1", (s) => typeof s.exit_code === "number" && s.exit_code >= 1),
  field("machine:laptop,machine-2", (s) => s.hostname === "laptop" || s.machine_id === "machine-2"),
  field("machine:work*", () => false),
  field("machine:Work*p", (s) => s.hostname === "Workshop"),
  field("signal:SIGKILL", (s) => s.signal === "SIGKILL"),
  field("verdict:KILLED", (s) => s.headline.includes("killed")),
  field("events:2..3", (s) => s.events >= 2 && s.events <= 3),
  field("stored:>40kB", (s) => s.bytes > 40_000),
  field("ended:*", (s) => typeof s.ended_at === "number"),
  field("started:<59m", (s) => s.created_at > NOW - 59 * 60_000),
  field("started:2026-11-23", () => true),
  field("started:>=2026-11-23T12:01", (s) => s.created_at >= NOON + 60_000),
  event("event:door_opened", (name) => name === "door_opened"),
  event("event:item_*", (name) => name.startsWith("item_")),
  event("event:*", () => true),
  tag("tag:ci", (each) => each === "ci"),
  tag("tag.branch:main", (each) => each === "branch:main"),
  tag("tag.branch", (each) => each.startsWith("branch:")),
  tag("tag.branch:*t", (each) => each === "branch:next"),
  state("state.level:3", "level", (value, isNow) => isNow && value === "=3"),
  state("ever.level:3", "level", (value) => value === "=3"),
  state("ever.level:>5", "level", (value) => numberOf(value) > 5),
  state(
    "state.level:2..4",
    "level",
    (value, isNow) => isNow && numberOf(value) >= 2 && numberOf(value) <= 4,
  ),
  state('ever.level:"3"', "level", () => false),
  state('state.window.active:"space probe"', "window.active", (value) => value === '"space probe'),
  state("ever.window.active:*pro*", "window.active", (value) => value.includes("pro")),
  state("ever.seed:12", "seed", () => false),
  fps("metric:fps", ({ name }) => name === "fps"),
  fps("metric.fps.max:<40", ({ max }) => max < 40),
  fps("metric.fps.p95:<=60", ({ p95 }) => typeof p95 === "number" && p95 <= 60),
  fps("metric.fps.mean:>=50", ({ sum, count }) => sum / count >= 50),
  failure("exception:ValueError", ({ type }) => type === "ValueError"),
  failure("exception:f0,f1", ({ fingerprint }) => ["f0", "f1"].includes(fingerprint)),
];

const query: fc.Arbitrary<Case> = fc.letrec<{ tree: Case; leaf: Case }>((tie) => ({
  leaf: fc.constantFrom(...leaves),
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    tie("tree").map((one) => ({ text: `-(${one.text})`, of: (s: Publication) => not(one.of(s)) })),
    fc.tuple(tie("tree"), tie("tree"), fc.constantFrom(" ", " AND ")).map(([a, b, between]) => ({
      text: `(${a.text}${between}${b.text})`,
      of: (s: Publication) => and(a.of(s), b.of(s)),
    })),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => ({
      text: `(${a.text} OR ${b.text})`,
      of: (s: Publication) => or(a.of(s), b.of(s)),
    })),
  ),
})).tree;

test("a query finds the sessions that it means, and marks those of which the catalog does not know it", async () => {
  await fc.assert(
    fc.asyncProperty(query, async ({ text, of }) => {
      if (text.split(/[ (]/).filter((part) => /\w/.test(part)).length > 16) return;
      const page = await listSessions(db, { ...withQuery({}, text, NOW), limit: 100 });
      const expected = world.filter((each) => of(each) !== false);
      expect(page.items.map(({ id }) => id).toSorted(), text).toEqual(
        expected.map(({ session }) => session.id).toSorted(),
      );
      const unsure = page.items.filter((row) => row.unsure).map(({ id }) => id);
      expect(unsure.toSorted(), text).toEqual(
        expected
          .filter((each) => of(each) === null)
          .map(({ session }) => session.id)
          .toSorted(),
      );
    }),
    { numRuns: 300 },
  );
});

test.each(leaves.map(({ text, of }) => [text, of] as const))("%s", async (text, of) => {
  const page = await listSessions(db, { ...withQuery({}, text, NOW), limit: 100 });
  expect(page.items.map(({ id }) => id).toSorted()).toEqual(
    world
      .filter((each) => of(each) !== false)
      .map(({ session }) => session.id)
      .toSorted(),
  );
});

test("conditions at the top of a query become fields of the filter, unless it has them already", () => {
  const filter: SessionFilter = { product: "game" };
  const { query: rest, ...fields } = withQuery(
    filter,
    'product:editor status:crashed,failed door ever.level:3 started:>=2026-01-01 exit_code:1 "old door"',
    NOW,
  );
  expect(fields).toEqual({
    product: "game",
    status: ["crashed", "failed"],
    text: "door",
    state: { path: ["level"], value: "3", type: undefined },
    from: Date.UTC(2026, 0, 1),
  });
  expect(rest).toMatchObject({
    kind: "and",
    of: [
      { kind: "term", field: { name: "product" } },
      { kind: "term", field: { name: "exit_code" } },
      { kind: "phrase", text: "old door" },
    ],
  });
});
