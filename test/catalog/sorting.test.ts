/** Lists of sessions sorted by anything, compared with an order that is made without SQL. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { publish } from "../../src/catalog/publication/publish.ts";
import { LEFT_OUT_BITS, UNPUBLISHED } from "../../src/catalog/search/filter.ts";
import { keyedSessions, listSessions, type KeyedList } from "../../src/catalog/search/sessions.ts";
import { freeKey } from "../../src/catalog/tables/key.ts";
import type { Publication } from "../../src/catalog/tables/publication.ts";
import { SORT_COLUMNS } from "../../src/core/query/sort.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import { eventCount, metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;

const VERSIONS = ["1.2", "1.10", "2.0-rc.1", "2.0", "2026-01-31", "nightly", "c0ffee", ""];

const world: Publication[] = Array.from({ length: 70 }, (_, n) => {
  const hasEnded = n % 3 !== 0;
  return publication(`s${n}`, {
    session: {
      created_at: NOON + Math.floor(n / 3) * 1_000,
      updated_at: NOON + ((n * 37) % 50) * 500,
      ended_at: hasEnded ? NOON + ((n * 29) % 40) * 1_000 + 60_000 : null,
      status: hasEnded ? "ended" : "suspended",
      is_open: !hasEnded,
      product: n % 4 === 0 ? "editor" : "game",
      version: VERSIONS[(n * 5) % 8] ?? "",
      hostname: n % 5 === 0 ? "" : `host-${(n * 7) % 11}`,
      exit_code: hasEnded ? (n * 3) % 4 : null,
      signal: n % 9 === 0 ? "SIGKILL" : null,
      browser: n % 2 ? "Chrome 126 on Windows" : "",
      tags: JSON.stringify(
        n % 6 === 0 ? [`branch:b${n % 5}`, "12:30"] : n % 6 === 1 ? ["branch"] : [],
      ),
      events: (n * 13) % 17,
      bytes: (n * 7_919) % 5_000,
      left_out:
        n % 10 === 4 ? LEFT_OUT_BITS.series | LEFT_OUT_BITS.tags : n % 10 === 7 ? UNPUBLISHED : 0,
      damaged: n === 33 ? 1 : 0,
    },
    event_counts:
      n % 4 === 1
        ? [
            eventCount("door.opened", { count: n % 7 }),
            eventCount("door.opened", { category: "error", count: 2 }),
          ]
        : [],
    metrics:
      n % 3 === 1
        ? [
            metric("frame.time", { series: 1, max: n % 13 }),
            metric("frame.time", { series: 2, max: 99 }),
          ]
        : [],
    state_values: [
      ...(n % 2
        ? [
            {
              path: "level",
              value: n % 5 === 1 ? `"text ${n % 3}` : `=${((n * 11) % 9) - 4}.5`,
              first_at: NOON,
              last_at: null,
            },
          ]
        : []),
      { path: "level", value: "=77", first_at: NOON, last_at: NOON + 1 },
      ...(n % 16 === 2 ? [{ path: "seed", value: ANY_VALUE, first_at: NOON, last_at: null }] : []),
    ],
  });
});

beforeAll(async () => {
  await publish(db, ...world);
});

type Value = string | number | null;

/** The value of a session, and whether its list may have one that the catalog has not. */
function valueOf(
  { session: s, ...lists }: Publication,
  sort: string,
): { value: Value; isIncomplete: boolean } {
  const isLeftOut = (bits: number) => (s.left_out & bits) !== 0 || s.damaged > 0;
  const known = (value: Value | undefined) => ({
    value: value === "" ? null : (value ?? null),
    isIncomplete: false,
  });
  switch (sort) {
    case "metric.frame.time.max": {
      const value = lists.metrics[0]?.max ?? null;
      return { value, isIncomplete: isLeftOut(LEFT_OUT_BITS.series | UNPUBLISHED) };
    }
    case "event.door.opened": {
      const { event_counts: counts } = lists;
      const value = counts.length === 0 ? null : counts.reduce((sum, { count }) => sum + count, 0);
      return { value, isIncomplete: isLeftOut(LEFT_OUT_BITS.event_names | UNPUBLISHED) };
    }
    case "state.level": {
      const text = lists.state_values.find(
        ({ path, last_at }) => path === "level" && last_at === null,
      )?.value;
      const value =
        text === undefined ? null : text.startsWith("=") ? Number(text.slice(1)) : text.slice(1);
      return { value, isIncomplete: isLeftOut(LEFT_OUT_BITS.state_paths | UNPUBLISHED) };
    }
    case "tag.branch": {
      const tag = (JSON.parse(s.tags) as string[]).find((each) => /^branch(:|$)/.test(each));
      return {
        value: tag?.slice("branch:".length) ?? null,
        isIncomplete: isLeftOut(LEFT_OUT_BITS.tags),
      };
    }
    case "ran_ms":
      return known(
        (s.ended_at ?? s.updated_at) - s.created_at < 0
          ? 0
          : (s.ended_at ?? s.updated_at) - s.created_at,
      );
    case "version":
      return known(s.version);
    default:
      return known(s[sort as "signal"]);
  }
}

/** Commits by when they were first seen. */
const VERSION_ORDER = ["1.2", "1.10", "2.0-rc.1", "2.0", "2026-01-31", "nightly", "c0ffee"];

function compare(a: Value, b: Value): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a === b ? 0 : (a ?? 0) < (b ?? 0) ? -1 : 1;
}

const keyOf = ({ session: { id, created_at } }: Publication) =>
  freeKey(id, created_at, () => false) ?? 0;

function expected(sort: string, order: "asc" | "desc"): string[] {
  const way = order === "desc" ? -1 : 1;
  const rows = world.map((row) => {
    const { value, isIncomplete } = valueOf(row, sort);
    const place =
      sort === "version" && value !== null ? VERSION_ORDER.indexOf(String(value)) : value;
    return {
      id: row.session.id,
      key: keyOf(row),
      place,
      group: value !== null ? 0 : isIncomplete ? 1 : 2,
    };
  });
  return rows
    .toSorted((a, b) => a.group - b.group || way * (compare(a.place, b.place) || a.key - b.key))
    .map(({ id }) => id);
}

async function pages(sort: string, order: "asc" | "desc", limit: number): Promise<KeyedList[]> {
  const found: KeyedList[] = [];
  let cursor: string | undefined;
  do {
    const page: KeyedList = await keyedSessions(db, {
      sort,
      order,
      limit,
      ...(cursor !== undefined && { cursor }),
    });
    found.push(page);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && found.length < 100);
  return found;
}

const RECORDED = ["metric.frame.time.max", "event.door.opened", "state.level", "tag.branch"];
const SORTS = [...SORT_COLUMNS.filter((sort) => sort !== "created_at"), ...RECORDED];

test.each(SORTS)("sessions are sorted by %s, those without it last", async (sort) => {
  for (const order of ["asc", "desc"] as const) {
    const all = await pages(sort, order, 25);
    expect(
      all.flatMap(({ items }) => items.map(({ id }) => id)),
      order,
    ).toEqual(expected(sort, order));
    const values = all.flatMap((page) => page.values);
    const ids = all.flatMap(({ items }) => items.map(({ id }) => id));
    const byId = new Map(world.map((row) => [row.session.id, valueOf(row, sort).value]));
    expect(values).toEqual(ids.map((id) => byId.get(id)));
  }
});

test("pages of any sorted list follow each other in both directions", async () => {
  const any = fc.record({
    sort: fc.constantFrom(...SORTS),
    order: fc.constantFrom("asc" as const, "desc" as const),
    limit: fc.integer({ min: 1, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(any, async ({ sort, order, limit }) => {
      const all = await pages(sort, order, limit);
      const ids = all.flatMap(({ items }) => items.map(({ id }) => id));
      expect(ids).toEqual(expected(sort, order));
      for (const [index, page] of all.entries()) {
        if (index === 0) continue;
        const back = await listSessions(db, { sort, order, limit, cursor: page.previous ?? "" });
        expect(back.items.map(({ id }) => id)).toEqual(all[index - 1]?.items.map(({ id }) => id));
      }
    }),
    { numRuns: 25 },
  );
});

test("a session whose list may have a value that the catalog has not is marked", async () => {
  const { items, partial } = await listSessions(db, { sort: "metric.frame.time.max", limit: 100 });
  const marked = items.filter(({ unsorted }) => unsorted).map(({ id }) => id);
  const unknown = world.filter((row) => {
    const { value, isIncomplete } = valueOf(row, "metric.frame.time.max");
    return value === null && isIncomplete;
  });
  expect(marked.toSorted()).toEqual(unknown.map(({ session }) => session.id).toSorted());
  expect(partial).toBe(true);
});

test("a session that begins while one pages through a sorted list changes none of its pages", async () => {
  const first = await listSessions(db, { sort: "bytes", limit: 10 });
  await publish(
    db,
    publication("newcomer", { session: { created_at: NOON + 1_000_000, bytes: 1 } }),
  );
  const ids = first.items.map(({ id }) => id);
  let cursor = first.next;
  while (cursor !== null) {
    const page = await listSessions(db, { sort: "bytes", limit: 10, cursor });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  expect(ids).toEqual(expected("bytes", "desc"));
});

test.each([
  "",
  "id",
  "metric.fps",
  "metric..max",
  "metric.fps.median",
  "state.",
  "event.",
  "colour",
  "created_at;",
])("no list is sorted by %j", async (sort) => {
  await expect(listSessions(db, { sort })).rejects.toMatchObject({ code: "invalid_query" });
});
