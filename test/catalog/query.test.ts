/** Random queries, compared with an evaluation that uses neither the parser nor SQL. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { LEFT_OUT_BITS, type SessionFilter, UNPUBLISHED } from "../../src/catalog/search/filter.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import type { Publication } from "../../src/catalog/tables/publication.ts";
import { listSessions, type SessionList } from "../../src/catalog/search/sessions.ts";
import { withQuery } from "../../src/catalog/search/written.ts";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import type { ListedTest } from "../../src/core/tests/listed.ts";
import { eventCount, exception, metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const NOW = NOON + 3_600_000;
const SESSIONS = 2_400;

const MESSAGES = [
  "The door of the crypt did not open",
  "Straße gesperrt: ﬁnal",
  "ログを保存できません",
  "Ошибка чтения файла",
  "İstanbul, Δίας",
  "retry 17 of 20",
];
const CRASHES = [
  "Crashed: killed by SIGKILL",
  "Crashed: Fehler „Straße gesperrt“",
  "Crashed: Сбой, killed",
];
const TESTS: ListedTest[] = [
  {
    text: "merge.test.ts › merge › deep objects",
    last: "deep objects",
    result: "failed",
    failure: "expected 3, found 4",
    at: NOON,
  },
  { text: "merge.test.ts › merge › lists", last: "lists", result: "passed", failure: "", at: NOON },
  {
    text: "tests/test_door.py::test_open[north]",
    last: "test_open[north]",
    result: "skipped",
    failure: "",
    at: NOON,
  },
];

const world: Publication[] = Array.from({ length: SESSIONS }, (_, n) => {
  const status = (["active", "ended", "crashed", "hung", "ended"] as const)[n % 5] ?? "ended";
  const isOpen = status === "active" || status === "hung";
  const tests = n % 12 === 1 ? TESTS.slice(0, 1 + (n % 3)) : [];
  const attachments = n % 13 === 4 ? [{ name: `Screen ${n % 7}.PNG`, at: NOON }] : [];
  const texts: Publication["texts"] = [
    ...(n % 3 === 0
      ? [
          {
            kind: "message" as const,
            text: MESSAGES[(n / 3) % 6] ?? "",
            at: NOON,
            seq: 5,
            name: null,
          },
        ]
      : []),
    ...(n % 10 === 2
      ? [{ kind: "output" as const, text: `Segmentation fault ${n}`, at: NOON, seq: 9, name: null }]
      : []),
    ...(n % 15 === 4
      ? [{ kind: "data" as const, text: `vault ${n % 4}`, at: NOON, seq: 6, name: "data.door" }]
      : []),
  ];
  return publication(`s${n}`, {
    session: {
      created_at: NOON + n * 100,
      ended_at: isOpen ? null : NOON + n * 100 + n * 25,
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
      headline: status === "crashed" ? (CRASHES[((n / 5) % 3) | 0] ?? "") : "Fine",
      tags: JSON.stringify(
        n % 4 === 0 ? ["ci", "branch:main"] : n % 4 === 1 ? ["branch:next"] : [],
      ),
      events: n % 6,
      exceptions: n % 8 === 2 ? 1 : 0,
      points: n % 5,
      tests: tests.length,
      attachments: attachments.length,
      bytes: n * 50,
      left_out: leftOut(n),
      damaged: n % 400 === 42 ? 1 : 0,
    },
    event_counts: n % 6 > 2 ? [eventCount("door_opened"), eventCount(`item_${n % 4}`)] : [],
    exceptions:
      n % 8 === 2
        ? [
            exception(`f${n % 3}`, {
              type: n % 3 ? "ValueError" : "KeyError",
              message: `no such door: ${n % 5}`,
            }),
          ]
        : [],
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
      ...(n % 14 === 0 ? [{ path: "items", value: '"candle', first_at: NOON, last_at: null }] : []),
    ],
    attachments,
    tests,
    texts,
  });
});

function leftOut(n: number): number {
  if (n % 80 === 3) return LEFT_OUT_BITS.event_names | LEFT_OUT_BITS.tags;
  if (n % 80 === 5) return LEFT_OUT_BITS.state_paths;
  if (n % 80 === 13) return LEFT_OUT_BITS.searched;
  if (n % 80 === 17) return LEFT_OUT_BITS.tests | LEFT_OUT_BITS.attachments;
  return n % 80 === 20 ? UNPUBLISHED : 0;
}

beforeAll(async () => {
  for (let from = 0; from < SESSIONS; from += 100)
    await publish(db, ...world.slice(from, from + 100));
}, 120_000);

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
/** Of a session that publishes its lists more rarely than its row, newer entries are not known. */
const soon = (bits: number) => bits | UNPUBLISHED;
const event = (text: string, names: (name: string) => boolean): Case => ({
  text,
  of: (each) =>
    listed(
      each,
      each.event_counts.some(({ name }) => names(name)),
      soon(LEFT_OUT_BITS.event_names),
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
      : listed(each, false, soon(LEFT_OUT_BITS.state_paths));
  },
});
const fps = (text: string, holds: (row: Publication["metrics"][number]) => boolean): Case => ({
  text,
  of: (each) => listed(each, each.metrics.some(holds), soon(LEFT_OUT_BITS.series)),
});
const failure = (
  text: string,
  holds: (row: Publication["exceptions"][number]) => boolean,
): Case => ({
  text,
  of: (each) => listed(each, each.exceptions.some(holds), LEFT_OUT_BITS.exceptions),
});
const test_ = (text: string, holds: (test: ListedTest) => boolean): Case => ({
  text,
  of: (each) => listed(each, each.tests.some(holds), soon(LEFT_OUT_BITS.tests)),
});
const attachment = (text: string, holds: (name: string) => boolean): Case => ({
  text,
  of: (each) =>
    listed(
      each,
      each.attachments.some(({ name }) => holds(name)),
      soon(LEFT_OUT_BITS.attachments),
    ),
});
/** What a text search looks through, as it was recorded. */
function textsOf({ session: s, ...lists }: Publication): string[] {
  return [
    s.id,
    s.product,
    s.version,
    s.hostname,
    s.machine_id,
    s.headline,
    s.tags,
    ...lists.exceptions.flatMap(
      ({ type, message, place, calls }) => `${type} ${message} ${place} ${calls}`,
    ),
    ...lists.tests.map(({ text, failure }) => `${text} ${failure}`),
    ...lists.attachments.map(({ name }) => name),
    ...lists.event_counts.map(({ name }) => name),
    ...lists.state_values.map(({ value }) => value.slice(1)),
    ...lists.texts.map(({ text }) => text),
  ];
}
const textual = (text: string, holds: (text: string) => boolean): Case => ({
  text,
  of: (each) => listed(each, textsOf(each).some(holds), soon(LEFT_OUT_BITS.searched)),
});
/** Of a term of ASCII. */
const ascii = (term: string, text = term): Case =>
  textual(text, (each) => each.toLowerCase().includes(term.toLowerCase()));
const numberOf = (value: string) => (value.startsWith("=") ? Number(value.slice(1)) : NaN);

const leaves: Case[] = [
  ascii("workshop"),
  ascii("space probe", '"space probe"'),
  ascii("CRYPT did", '"CRYPT did"'),
  ascii("sigkill"),
  ascii("s12"),
  ascii("17"),
  ascii("q"),
  ascii("oo"),
  ascii("game 1.2", '"game 1.2"'), // of two fields
  ascii("no such door: 3", '"no such door: 3"'),
  ascii("EError"),
  ascii("deep objects expected", '"deep objects expected"'),
  ascii("item_2"),
  ascii("screen 3.png", '"screen 3.png"'),
  ascii("candle"),
  ascii("fault 12", '"fault 12"'),
  ascii("nothing of this kind", '"nothing of this kind"'),
  ascii("candlestick"),
  ascii("VAULT 2", '"VAULT 2"'),
  ascii("main (game.py", '"main (game.py"'),
  textual("strasse", (text) => text.includes("Straße")),
  textual("ＦＩＮＡＬ", (text) => text.includes("ﬁnal")),
  textual("保存", (text) => text.includes("保存")),
  textual("存", (text) => text.includes("保存")),
  textual("ファイル", () => false),
  textual("ОШИБКА", (text) => text.includes("Ошибка")),
  textual("istanbul", (text) => text.includes("İstanbul")),
  textual("ΔΊΑΣ", (text) => text.includes("Δίας")),
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
  field("verdict:STRASSE", (s) => s.headline.includes("Straße")),
  field("verdict:crash*СБОЙ", (s) => s.headline.includes("Сбой")),
  field("verdict:killed*crashed", () => false),
  field("verdict:crash*kill*", (s) => s.headline.includes("killed")),
  field('verdict:"crash*kill"', () => false),
  field("verdict:*", () => true),
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
  state("ever.items:candle", "items", (value) => value === '"candle'),
  state("ever.window.active:*", "window.active", () => true),
  fps("metric:fps", ({ name }) => name === "fps"),
  fps("metric.fps.max:<40", ({ max }) => max < 40),
  fps("metric.fps.p95:<=60", ({ p95 }) => typeof p95 === "number" && p95 <= 60),
  fps("metric.fps.mean:>=50", ({ sum, count }) => sum / count >= 50),
  test_('test:"deep objects"', ({ last }) => last === "deep objects"),
  test_("test:lists", ({ last }) => last === "lists"),
  test_("test:merge.test.ts*", ({ text }) => text.startsWith("merge.test.ts")),
  test_("test:*_open*", ({ text }) => text.includes("_open")),
  test_("test:*north*", ({ text }) => text.includes("north")),
  test_("test:deep", () => false),
  test_("test:*", () => true),
  attachment('attachment:"Screen 3.PNG"', (name) => name === "Screen 3.PNG"),
  attachment("attachment:*.PNG", () => true),
  attachment("attachment:screen*", () => false),
  field("has:test", (s) => s.tests > 0),
  field("has:attachment", (s) => s.attachments > 0),
  failure("exception:Value*", ({ type }) => type === "ValueError"),
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

async function everything(filter: SessionFilter): Promise<SessionRow[]> {
  const items: SessionRow[] = [];
  let cursor: string | undefined;
  do {
    const page: SessionList = await listSessions(db, {
      ...filter,
      limit: 1_000,
      ...(cursor !== undefined && { cursor }),
    });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}

test("a query finds the sessions that it means, and marks those of which the catalog does not know it", async () => {
  await fc.assert(
    fc.asyncProperty(query, async ({ text, of }) => {
      if (text.split(/[ (]/).filter((part) => /\w/.test(part)).length > 16) return;
      const items = await everything(withQuery({}, text, NOW));
      const expected = world.filter((each) => of(each) !== false);
      expect(items.map(({ id }) => id).toSorted(), text).toEqual(
        expected.map(({ session }) => session.id).toSorted(),
      );
      const unsure = items.filter((row) => row.unsure).map(({ id }) => id);
      expect(unsure.toSorted(), text).toEqual(
        expected
          .filter((each) => of(each) === null)
          .map(({ session }) => session.id)
          .toSorted(),
      );
    }),
    { numRuns: 300 },
  );
}, 300_000);

test.each(leaves.map(({ text, of }) => [text, of] as const))("%s", async (text, of) => {
  const items = await everything(withQuery({}, text, NOW));
  expect(items.map(({ id }) => id).toSorted()).toEqual(
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
    phrases: ["old door"],
    state: { path: ["level"], value: "3", type: undefined },
    from: Date.UTC(2026, 0, 1),
  });
  expect(rest).toMatchObject({
    kind: "and",
    of: [
      { kind: "term", field: { name: "product" } },
      { kind: "term", field: { name: "exit_code" } },
    ],
  });
});
