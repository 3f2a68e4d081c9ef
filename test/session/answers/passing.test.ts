/** Queries that the catalog cannot decide, since a session has more than it lists, are decided by the session: no row is marked "maybe". */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { type SessionFilter, STATUS_KINDS } from "../../../src/catalog/search/filter.ts";
import { listSessions } from "../../../src/catalog/search/sessions.ts";
import { withQuery } from "../../../src/catalog/search/written.ts";
import { SERVER } from "../../../src/core/access/authority.ts";
import { MAX_BATCH_OPS } from "../../../src/core/limits.ts";
import { parseQuery } from "../../../src/core/query/parse.ts";
import type { Op } from "../../../src/core/wire.ts";
import { askHeld, sessionOf } from "../../../src/session/client.ts";
import { runState, testEnded } from "../test-run.ts";
import { NOON, World } from "../world.ts";

const PRODUCT = "passing";
const many = <Item>(count: number, item: (n: number) => Item) =>
  Array.from({ length: count }, (_, n) => item(n));

/** Sessions that have more of something than the catalog lists, and one that has little. */
const RECORDED: { [id: string]: Op[] } = {
  events: many(400, (n) => ({ op: "event", at: NOON + n, name: `item_${n}` })),
  exceptions: many(120, (n) => ({
    op: "event",
    at: NOON + n,
    name: "failed",
    exception_type: `Error${"abcdefghij"[n % 10]}${"klmnopqrst"[Math.floor(n / 10) % 10]}${n < 100 ? "" : "x"}`,
    exception_msg: "no such door",
  })),
  states: many(40, (n) => ({
    op: "state",
    at: NOON + n,
    patch: { progress: n, phase: n < 20 ? "load" : "play", items: [{ name: `sword ${n}` }] },
  })),
  tags: [0, 40].map((from) => ({
    op: "start",
    at: NOON,
    tags: many(40, (n) => `key:${from + n}`),
  })),
  texts: many(600, (n) => ({
    op: "event",
    at: NOON + n,
    name: "log",
    message: `Step ${n} of the long walk`,
  })),
  tests: [
    runState(),
    ...many(500, (n) =>
      testEnded(NOON + n, {
        id: ["a.test.ts", `case ${n}`],
        result: n === 7 ? "failed" : "passed",
      }),
    ),
    { op: "end", at: NOON + 3_600_000, exit_code: 1 }, // others run for as long as these tests
  ],
  metrics: many(300, (n) => ({
    op: "metric",
    at: NOON + n,
    type: "gauge",
    name: `m${n}`,
    value: n,
  })),
  little: [{ op: "event", at: NOON, name: "item_1", message: "Step 1 of a walk" }],
};

const ids = new Map<string, string>();

beforeAll(async () => {
  for (const [name, ops] of Object.entries(RECORDED)) {
    const world = new World(`passing-${name}`);
    const all: Op[] = [{ op: "start", at: NOON, product: PRODUCT, version: name }, ...ops];
    for (let from = 0; from < all.length; from += MAX_BATCH_OPS)
      await world.send(all.slice(from, from + MAX_BATCH_OPS));
    await world.client.publish();
    ids.set(world.id, name);
  }
}, 60_000);

test.each<[query: string, expected: string[]]>([
  ["event:item_399 OR zzz", ["events"]],
  ["event:item_1 OR zzz", ["events", "little"]],
  ["event:*_399", ["events"]],
  ["event:item_4000 OR zzz", []],
  ["-event:item_399 event:*", ["exceptions", "texts", "tests", "little"]],
  ["event:!item_*", ["exceptions", "texts", "tests"]],
  ["exception:Erroraa* OR zzz", []],
  ["exception:Error*x", ["exceptions"]],
  ["state.progress:39", ["states"]],
  ["state.progress:38 OR zzz", []],
  ["ever.progress:7 OR zzz", ["states"]],
  ["ever.progress:>40 OR zzz", []],
  ["ever.progress:3..5 state.progress:>38", ["states"]],
  ["-ever.progress:7 ever.progress:*", []],
  ["at_end.progress:39 OR zzz", []],
  ["state.phase:play,load", ["states"]],
  ['ever.items.0.name:"sword 3" OR zzz', ["states"]],
  ['state.items.0.name:"sword 3" OR zzz', []],
  ["state.items.0.name:*39", ["states"]],
  ["tag:key:79 OR zzz", ["tags"]],
  ["tag.key:79 OR zzz", ["tags"]],
  ["tag.key:*9 tag.key:!80", ["tags"]],
  ["-tag:key:79 tag:*", []],
  ['"step 3 of" OR zzz', ["texts"]],
  ['-"step 3 of" event:log', []],
  ['"step 1 of" -"long walk"', ["little"]],
  ['test:"case 499" OR zzz', ["tests"]],
  ["test:*case?500* OR zzz", []],
  ["-test:*499 has:test", []],
  ["metric:m299 OR zzz", ["metrics"]],
  ["metric.m299.mean:>=299", ["metrics"]],
  ["metric.m299.max:<299 OR metric.m298.p95:298", ["metrics"]],
  ["-metric:m299 points:>0", []],
  ["version:>=texts event:log", ["texts"]],
  ["exit_code:1 test:*", ["tests"]],
  ["is:failed test:*", ["tests"]],
  [
    "is:active -test:* -metric:m299 -event:item_399 -tag:key:79",
    ["exceptions", "states", "texts", "little"],
  ],
])("%s", async (query, expected) => {
  const filter = withQuery({ product: PRODUCT }, query, NOON);
  const { items } = await listSessions(env.CATALOG, filter, askHeld(env, SERVER));
  expect(new Set(items.map(({ id }) => ids.get(id)))).toEqual(new Set(expected));
  expect(items).toHaveLength(expected.length);
  expect(items.filter(({ unsure }) => unsure)).toEqual([]);
});

test("without their answers the same rows are marked", async () => {
  const { items } = await listSessions(
    env.CATALOG,
    withQuery({ product: PRODUCT }, "event:item_399 OR zzz", NOON),
  );
  expect(items.some(({ unsure }) => unsure)).toBe(true);
});

/** Every field, with values of every kind. */
const FIELDS = [
  "id:passing-little",
  "id:passing-t*",
  "id:!passing-tests",
  "product:passing",
  "product:*",
  "version:little",
  "version:>m",
  "version:>=events <texts",
  "version:!little",
  'version:">m"',
  "status:active",
  "status:ended,failed",
  "status:*",
  "is:succeeded",
  "is:failed",
  "is:ever_hung",
  "is:hung_recovered",
  "is:hung_ended",
  "is:hung_crashed",
  "has:event",
  "has:exception",
  "has:metric",
  "has:state",
  "has:tag",
  "has:hang",
  "has:heartbeat",
  "has:exit_code",
  "has:signal",
  "has:test",
  "has:attachment",
  "machine:*",
  "machine:x",
  "os:*",
  "os:linux*",
  "language:*",
  "browser:*",
  "verdict:*",
  "verdict:TESTS",
  "verdict:fail*",
  "verdict:tests*failed",
  "verdict:failed*tests",
  "signal:*",
  "signal:SIGKILL",
  'signal:""',
  "exit_code:1",
  "exit_code:!0",
  "exit_code:*",
  "exit_code:<1",
  "started:2026-01-05",
  "started:>2026-01-05",
  "started:<=2026-01-05T12:00:00.000Z",
  "ended:*",
  "ended:>2026-01-01",
  "seen:>2026-01-01",
  "ran:<30m",
  "ran:>=30m",
  "stored:>1B",
  "stored:>10MB",
  "events:>=400",
  "events:0..1",
  "exceptions:>=120",
  "exceptions:0",
  "states:40",
  "tests:500",
  "failed_tests:>0",
  "points:300",
  "series:>299",
  "attachments:0",
  "attachments:>0",
  "event:log",
  "event:item_1",
  "exception:*",
  "metric:m1",
  "metric.m1.min:1",
  "metric.m1.max:>1",
  "metric.m1.first:1",
  "metric.m1.last:1",
  "metric.m1.sum:1",
  "metric.m1.count:1",
  "metric.m1.increase:0",
  "metric.m1.p50:1",
  "metric.m1.p99:<1",
  "metric.m1.mean:*",
  "tag:*",
  "tag:key:1",
  "tag.key:1",
  "tag.key",
  "tag.none:*",
  "attachment:*",
  "attachment:a",
  "state.phase:play",
  "state.phase:p*y",
  "ever.phase:load",
  "at_end.phase:play",
  "state.items:*",
  "state.tests.runner:pytest*",
  "at_end.tests.runner:*",
  "ever.tests:*",
  "test:a",
  '"walk"',
  "passing",
];

test.each(FIELDS)("the sessions and the catalog agree on %s", async (query) => {
  const { product, ...filter } = withQuery<SessionFilter>({}, query, NOON);
  const rest = parseQuery(query, { now: NOON, kinds: STATUS_KINDS });
  const listed = await listSessions(env.CATALOG, { ...filter, product: product ?? PRODUCT });
  const passing = new Map(listed.items.map((row) => [row.id, row.unsure]));
  for (const id of ids.keys()) {
    const answer = await sessionOf(env, SERVER, id).ask("held", { rest });
    expect(answer, id).not.toBeNull();
    if (passing.get(id) !== true) expect(answer, id).toBe(passing.has(id));
  }
});
