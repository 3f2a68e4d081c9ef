import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  exceptionDays,
  exceptionGroup as groupsOf,
  exceptionGroups as listGroups,
  groupParts,
  type GroupQuery,
} from "../../src/catalog/exceptions.ts";
import { columnOf } from "../../src/catalog/tables/details.ts";
import { sweep } from "../../src/catalog/expired.ts";
import { listSessions } from "../../src/catalog/search/sessions.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { removeSession } from "../../src/catalog/publication/remove.ts";
import { decide } from "../../src/registry/decisions.ts";
import { listDecided, merge, split, withMerged } from "../../src/registry/merges.ts";
import { exception, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const DAY = 86_400_000;

async function exceptionGroup(fingerprint: string, product?: string) {
  return groupsOf(db, fingerprint, product, await listDecided(env.REGISTRY, product));
}

async function exceptionGroups(query: GroupQuery) {
  return listGroups(db, query, await listDecided(env.REGISTRY, query.product));
}

test("a group counts occurrences, sessions, and its days by version", async () => {
  await publish(db, publication("a", { exceptions: [exception("f1", { count: 2 })] }));
  await publish(
    db,
    publication("b", {
      session: { version: "1.1" },
      exceptions: [
        exception("f1", { count: 5, first_at: NOON + DAY, last_at: NOON + DAY, message: "newer" }),
      ],
    }),
  );
  await publish(
    db,
    publication("a", { session: { revision: 2 }, exceptions: [exception("f1", { count: 3 })] }),
  );
  const [group] = await exceptionGroup("f1", "game");
  expect(group).toMatchObject({
    sessions: 2,
    count: 8,
    first_at: NOON,
    last_at: NOON + DAY,
    message: "newer",
    session_id: "b",
    session_seq: 7,
    status: "open",
  });
  const midnight = NOON - DAY / 2;
  const asked = [{ product: "game", fingerprints: ["f1"] }];
  expect(await exceptionDays(db, asked, NOON + DAY)).toEqual([
    [
      { day_at: midnight, version: "1.0", sessions: 1, count: 3 },
      { day_at: midnight + DAY, version: "1.1", sessions: 1, count: 5 },
    ],
  ]);
});

test("a group whose example is deleted shows another, and goes with its last session", async () => {
  await publish(db, publication("c", { exceptions: [exception("f2", { message: "kept" })] }));
  await publish(
    db,
    publication("d", { exceptions: [exception("f2", { message: "private", last_at: NOON + 5 })] }),
  );
  await removeSession(db, "d");
  expect(await exceptionGroup("f2")).toMatchObject([
    { sessions: 1, session_id: "c", message: "kept" },
  ]);
  await removeSession(db, "c");
  expect(await exceptionGroup("f2")).toEqual([]);
  expect(await exceptionDays(db, [{ product: "game", fingerprints: ["f2"] }], NOON)).toEqual([[]]);
});

test("a resolved group returns with a later occurrence, not with one from before that arrives late", async () => {
  await publish(db, publication("e", { exceptions: [exception("f3")] }));
  const f3 = { product: "game", fingerprint: "f3", by: "ada" };
  await decide(env.REGISTRY, { ...f3, status: "resolved", version: "1.2" }, NOON + 100);
  await publish(db, publication("f", { exceptions: [exception("f3", { last_at: NOON + 50 })] }));
  expect(await exceptionGroup("f3")).toMatchObject([
    { status: "resolved", resolved_version: "1.2", returned_at: null },
  ]);
  expect(
    (await exceptionGroups({ status: "resolved" })).items.map((row) => row.fingerprint),
  ).toEqual(["f3"]);

  await publish(
    db,
    publication("g", {
      exceptions: [exception("f3", { first_at: NOON + 200, last_at: NOON + 300 })],
    }),
  );
  expect(await exceptionGroup("f3")).toMatchObject([
    { status: "resolved", returned_at: NOON + 300 },
  ]);
  expect((await exceptionGroups({ status: "open" })).items.map((row) => row.fingerprint)).toContain(
    "f3",
  );

  await decide(env.REGISTRY, { ...f3, status: "muted" }, NOON + 400);
  expect(await exceptionGroup("f3")).toMatchObject([
    { status: "muted", resolved_at: null, returned_at: null },
  ]);
});

test("a product that becomes known late takes its exceptions along", async () => {
  await publish(
    db,
    publication("late", { session: { product: "" }, exceptions: [exception("f4")] }),
  );
  await publish(
    db,
    publication("late", { scope: "row", session: { product: "shop", revision: 2 } }),
  );
  expect(await exceptionGroup("f4")).toMatchObject([{ product: "shop", sessions: 1, count: 1 }]);
});

test("groups are listed in any order, page by page, each once", async () => {
  await publish(
    db,
    publication("many", {
      exceptions: Array.from({ length: 25 }, (_, n) =>
        exception(`g${n}`, { count: n % 7, last_at: NOON + (n % 5) }),
      ),
    }),
  );
  for (const sort of ["last_at", "first_at", "sessions", "count"] as const) {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await exceptionGroups({
        text: "door",
        sort,
        limit: 4,
        ...(cursor !== undefined && { cursor }),
      });
      seen.push(...page.items.map((row) => row.fingerprint));
      expect(page.items.map((row) => row[sort])).toEqual(
        page.items.map((row) => row[sort]).toSorted((a, b) => b - a),
      );
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => id.startsWith("g")).length).toBe(25);
  }
});

/** What happens to a few sessions, in any order: published (again, changed, or late), or removed. */
const step = fc.record({
  id: fc.constantFrom("p", "q", "r"),
  isRemoved: fc.constantFrom(false, false, true),
  revision: fc.integer({ min: 1, max: 20 }),
  product: fc.constantFrom("one", "two"),
  version: fc.constantFrom("1", "2"),
  failures: fc.uniqueArray(
    fc.record({
      fingerprint: fc.constantFrom("x", "y"),
      count: fc.integer({ min: 1, max: 9 }),
      first_at: fc.integer({ min: 0, max: 2 }).map((day) => NOON + day * DAY),
    }),
    { selector: (failure) => failure.fingerprint, maxLength: 2 },
  ),
});

test("groups and their days are what counting the sessions' exceptions would give, whatever happened before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const { id, isRemoved, failures, ...session } of steps) {
        if (isRemoved) await removeSession(db, id);
        else
          await publish(
            db,
            publication(id, {
              session,
              exceptions: failures.map((failure) =>
                exception(failure.fingerprint, { ...failure, last_at: failure.first_at }),
              ),
            }),
          );
      }
      await sweep(db);
      const occurred = async (by: string) =>
        (
          await db
            .prepare(
              `SELECT ${by}, count(*) AS sessions, sum(${columnOf("exceptions", "count", "e")}) AS count
               FROM (SELECT s.product, s.version, e.value, ${columnOf("exceptions", "fingerprint", "e")} AS fingerprint,
                   ${columnOf("exceptions", "first_at", "e")} / ${DAY} * ${DAY} AS day_at
                 FROM sessions AS s JOIN details AS d ON d.key = s.key JOIN json_each(d.exceptions) AS list JOIN json_each(list.value) AS e) AS e
               WHERE product IN ('one', 'two') GROUP BY ${by} ORDER BY ${by}`,
            )
            .all()
        ).results;
      const groups = await db
        .prepare(
          "SELECT product, fingerprint, sessions, count FROM exception_groups WHERE product IN ('one', 'two') ORDER BY 1, 2",
        )
        .all<{ product: string; fingerprint: string }>();
      expect(groups.results).toEqual(await occurred("product, fingerprint"));
      const asked = groups.results.map(({ product, fingerprint }) => ({
        product,
        fingerprints: [fingerprint],
      }));
      const trends = await exceptionDays(db, asked, NOON + 3 * DAY);
      expect(
        groups.results.flatMap(({ product, fingerprint }, place) =>
          (trends[place] ?? []).map((day) => ({ product, fingerprint, ...day })),
        ),
      ).toEqual(await occurred("product, fingerprint, day_at, version"));
      for (const id of ["p", "q", "r"]) await removeSession(db, id);
    }),
    { numRuns: 25 },
  );
});

const join = (fingerprint: string, into: string, product = "merging") =>
  merge(env.REGISTRY, { product, fingerprint, into, by: "ada" }, NOON);

test("merged groups are one, in which a session counts once, and split again they are as before", async () => {
  const session = { product: "merging" };
  const of = (fingerprint: string, more: Parameters<typeof exception>[1] = {}) =>
    exception(fingerprint, { message: fingerprint, ...more });
  const later = { first_at: NOON + DAY, last_at: NOON + DAY };
  await publish(db, publication("m1", { session, exceptions: [of("m-a"), of("m-b", later)] }));
  await publish(db, publication("m2", { session, exceptions: [of("m-b", { count: 3 })] }));
  await publish(
    db,
    publication("m3", { session: { ...session, version: "2" }, exceptions: [of("m-c", later)] }),
  );
  await publish(
    db,
    publication("m4", { session: { product: "another" }, exceptions: [of("m-b"), of("m-d")] }),
  );
  const list = async (query: GroupQuery = {}) =>
    (await exceptionGroups({ product: "merging", sort: "count", ...query })).items;
  const before = await list();
  expect(before).toHaveLength(3);

  await join("m-b", "m-a");
  await join("m-c", "m-b");
  const whole = {
    fingerprint: "m-a",
    fingerprints: ["m-a", "m-b", "m-c"],
    message: "m-a",
    sessions: 3,
    sessions_at_most: false,
    count: 6,
    first_at: NOON,
    last_at: NOON + DAY,
  };
  expect(await list()).toMatchObject([whole]);
  expect(await list({ text: "m-c" })).toMatchObject([whole]);
  expect(await list({ text: "m-d" })).toEqual([]);
  expect(await exceptionGroup("m-c", "merging")).toMatchObject([whole]);
  // In another product nothing is merged.
  expect(await exceptionGroup("m-b")).toMatchObject([
    whole,
    { product: "another", fingerprint: "m-b", fingerprints: ["m-b"], sessions: 1 },
  ]);
  const [group] = await list();
  expect(await exceptionDays(db, group ? [group] : [], NOON + DAY)).toEqual([
    [
      { day_at: NOON - DAY / 2, version: "1.0", sessions: 2, count: 4 },
      { day_at: NOON + DAY / 2, version: "1.0", sessions: 0, count: 1 }, // the session counts on the day before
      { day_at: NOON + DAY / 2, version: "2", sessions: 1, count: 1 },
    ],
  ]);
  expect(group && (await groupParts(db, group))).toMatchObject([
    { fingerprint: "m-a", sessions: 1 },
    { fingerprint: "m-b", sessions: 2, count: 4 },
    { fingerprint: "m-c", sessions: 1 },
  ]);
  const ids = async (filter: { exception: string; product?: string }) =>
    (await listSessions(db, await withMerged(env.REGISTRY, filter))).items.map(({ id }) => id);
  expect((await ids({ exception: "m-a", product: "merging" })).toSorted()).toEqual([
    "m1",
    "m2",
    "m3",
  ]);
  expect((await ids({ exception: "m-a" })).toSorted()).toEqual(["m1", "m2", "m3"]);
  expect((await ids({ exception: "m-b" })).toSorted()).toEqual(["m1", "m2", "m3", "m4"]);

  for (const fingerprint of ["m-b", "m-c"])
    await split(env.REGISTRY, { product: "merging", fingerprint });
  expect(await list()).toEqual(before);
});

test("a decision about a merged group holds for all of it, and what returns is any of it", async () => {
  const session = { product: "decided" };
  const at = (time: number) => ({ first_at: time, last_at: time });
  await publish(
    db,
    publication("d1", { session, exceptions: [exception("d-a"), exception("d-b")] }),
  );
  const d_a = { product: "decided", fingerprint: "d-a", by: "ada" };
  const d_b = { ...d_a, fingerprint: "d-b" };
  await decide(env.REGISTRY, { ...d_b, status: "muted" }, NOON + 1);
  await join("d-b", "d-a", "decided");
  const list = async () => (await exceptionGroups({ product: "decided" })).items;
  expect(await list()).toMatchObject([{ fingerprint: "d-a", status: "open" }]);

  await decide(env.REGISTRY, { ...d_a, status: "resolved" }, NOON + 2);
  expect(await list()).toMatchObject([{ status: "resolved", returned_at: null }]);
  const returned = exception("d-b", at(NOON + 9));
  await publish(db, publication("d2", { session, exceptions: [returned] }));
  expect(await list()).toMatchObject([{ status: "resolved", returned_at: NOON + 9, sessions: 2 }]);
  expect(
    (await exceptionGroups({ product: "decided", status: "open" })).items.map(
      (group) => group.fingerprint,
    ),
  ).toEqual(["d-a"]);

  // Split off, each has its own decision again.
  await split(env.REGISTRY, { product: "decided", fingerprint: "d-b" });
  expect(await exceptionGroup("d-a", "decided")).toMatchObject([
    { status: "resolved", returned_at: null },
  ]);
  expect(await exceptionGroup("d-b", "decided")).toMatchObject([{ status: "muted" }]);
});

test("a merged group whose first group is in no session any more keeps the others", async () => {
  const session = { product: "left" };
  await publish(db, publication("l1", { session, exceptions: [exception("l-a")] }));
  await publish(
    db,
    publication("l2", { session, exceptions: [exception("l-b", { message: "kept" })] }),
  );
  await join("l-b", "l-a", "left");
  await removeSession(db, "l1");
  expect((await exceptionGroups({ product: "left" })).items).toMatchObject([
    { fingerprint: "l-a", fingerprints: ["l-a", "l-b"], message: "kept", sessions: 1, count: 1 },
  ]);
  await removeSession(db, "l2");
  expect((await exceptionGroups({ product: "left" })).items).toEqual([]);
});

test("merged groups have what counting the sessions that had any of them would give", async () => {
  const names = ["v", "w", "x", "y"];
  const failure = fc.record({
    fingerprint: fc.constantFrom(...names),
    count: fc.integer({ min: 1, max: 9 }),
    first_at: fc.integer({ min: 0, max: 2 }).map((day) => NOON + day * DAY),
  });
  const failures = fc.uniqueArray(failure, { selector: (one) => one.fingerprint, maxLength: 4 });
  const pairs = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), {
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(failures, { maxLength: 6 }), pairs, async (sessions, merges) => {
      for (const [index, some] of sessions.entries())
        await publish(
          db,
          publication(`c${index}`, {
            session: { product: "counted" },
            exceptions: some.map((one) => exception(one.fingerprint, { ...one })),
          }),
        );
      for (const [one, other] of merges) await join(one, other, "counted");

      const { merged } = await listDecided(env.REGISTRY, "counted");
      const wholeOf = (name: string) =>
        merged.find(({ members }) => members.includes(name))?.members[0] ?? name;
      const { items } = await exceptionGroups({ product: "counted" });
      for (const group of items) {
        const had = sessions
          .map((some) =>
            some.filter((one) => wholeOf(one.fingerprint) === wholeOf(group.fingerprint)),
          )
          .filter((some) => some.length > 0);
        const all = had.flat();
        expect(group.sessions).toBe(had.length);
        expect(group.count).toBe(all.reduce((sum, { count }) => sum + count, 0));
        const [days = []] = await exceptionDays(db, [group], NOON + 3 * DAY);
        const firsts = had.map((some) => Math.min(...some.map((one) => one.first_at)) - DAY / 2);
        for (const day of days)
          expect(day.sessions).toBe(firsts.filter((first) => first === day.day_at).length);
      }
      const had = new Set(sessions.flat().map((one) => wholeOf(one.fingerprint)));
      expect(items).toHaveLength(had.size);

      for (const index of sessions.keys()) await removeSession(db, `c${index}`);
      for (const fingerprint of names)
        await split(env.REGISTRY, { product: "counted", fingerprint });
    }),
    { numRuns: 25 },
  );
});
