import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { MAX_MERGED_GROUPS, MAX_MERGES } from "../../src/registry/limits.ts";
import { listMerges, merge, mergedGroups, split, withMerged } from "../../src/registry/merges.ts";

const db = env.REGISTRY;
const join = (fingerprint: string, into: string, product = "game") =>
  merge(db, { product, fingerprint, into, by: "ada" }, 100);
const groups = async () => mergedGroups(await listMerges(db));

beforeEach(async () => {
  await db.exec("DELETE FROM merges");
});

test("a group that is merged keeps what was merged into it, also when it is split off", async () => {
  expect(await join("b", "a")).toBe(true);
  expect(await join("d", "c")).toBe(true);
  expect(await join("c", "b")).toBe(true); // below a, as b is
  expect(await groups()).toEqual([{ product: "game", members: ["a", "b", "c", "d"] }]);
  expect(await listMerges(db, "game")).toContainEqual({
    product: "game",
    fingerprint: "c",
    merged_into: "a",
    merged_at: 100,
    merged_by: "ada",
  });
  expect(await join("d", "b")).toBe(false);

  expect(await split(db, { product: "game", fingerprint: "c" })).toBe(true);
  expect(await split(db, { product: "game", fingerprint: "c" })).toBe(false);
  expect(await split(db, { product: "shop", fingerprint: "d" })).toBe(false);
  expect(await groups()).toEqual([
    { product: "game", members: ["a", "b"] },
    { product: "game", members: ["c", "d"] },
  ]);
});

test("groups are merged within their product", async () => {
  await join("b", "a");
  await join("b", "x", "shop");
  expect(await groups()).toEqual([
    { product: "game", members: ["a", "b"] },
    { product: "shop", members: ["x", "b"] },
  ]);
  expect(await withMerged(db, { exception: "b", product: "game" })).toEqual({
    exception: "b",
    product: "game",
    merged: [
      { product: "game", fingerprint: "a" },
      { product: "game", fingerprint: "b" },
    ],
  });
  expect((await withMerged(db, { exception: "b" })).merged).toHaveLength(4);
  expect(await withMerged(db, { exception: "other" })).toEqual({ exception: "other", merged: [] });
  expect(await withMerged(db, { product: "game" })).toEqual({ product: "game" });
});

test("merging two groups into each other at the same moment makes no cycle", async () => {
  for (let n = 0; n < 10; n++) {
    const [a, b] = [`a${n}`, `b${n}`];
    await Promise.allSettled([join(a, b), join(b, a)]);
  }
  expect(await groups()).toHaveLength(10);
  expect(await listMerges(db)).toHaveLength(10);
});

test("whatever is merged and split, each group is in one merged group at most, and splitting all restores them", async () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const step = fc.record({ isSplit: fc.boolean(), one: name, other: name });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      await db.exec("DELETE FROM merges");
      for (const { isSplit, one, other } of steps) {
        const before = (await groups()).find(({ members }) => members.includes(one));
        if (isSplit) {
          await split(db, { product: "game", fingerprint: one });
          continue;
        }
        const isSame = one === other || (before?.members.includes(other) ?? false);
        expect(await join(one, other)).toBe(!isSame);
        const after = (await groups()).find(({ members }) => members.includes(one));
        if (one !== other) expect(after?.members).toContain(other);
        expect(after?.members ?? []).toEqual(expect.arrayContaining(before?.members ?? []));
      }
      const members = (await groups()).flatMap((group) => group.members);
      expect(new Set(members).size).toBe(members.length);
      for (const fingerprint of members) await split(db, { product: "game", fingerprint });
      expect(await groups()).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("a cycle, which only a damaged table has, is one group", () => {
  const row = (fingerprint: string, merged_into: string) => ({
    product: "game",
    fingerprint,
    merged_into,
  });
  const [group, ...others] = mergedGroups([row("a", "b"), row("b", "c"), row("c", "a")]);
  expect(others).toEqual([]);
  expect(group?.members.toSorted()).toEqual(["a", "b", "c"]);
});

test("a long chain takes time proportional to its length", () => {
  const rows = Array.from({ length: MAX_MERGES }, (_, n) => ({
    product: "game",
    fingerprint: `f${n}`,
    merged_into: `f${n + 1}`,
  }));
  expect(mergedGroups(rows)).toMatchObject([{ members: { length: MAX_MERGES + 1 } }]);
});

test("more groups than a page lists, or than a list can read, are refused", async () => {
  const fill = (product: string, count: number) =>
    db
      .prepare("INSERT INTO merges SELECT ?1, 'f' || value, 'root', 0, 'ada' FROM json_each(?2)")
      .bind(product, JSON.stringify(Array.from({ length: count }, (_, n) => n)))
      .run();
  await fill("game", MAX_MERGED_GROUPS - 2);
  expect(await join("last", "root")).toBe(true);
  await expect(join("more", "root")).rejects.toMatchObject({ code: "too_large" });
  expect(await join("more", "elsewhere")).toBe(true);
  await fill("many", MAX_MERGES);
  await expect(join("new", "elsewhere")).rejects.toMatchObject({ code: "too_large" });
  expect((await listMerges(db)).length).toBe(MAX_MERGES);
});
