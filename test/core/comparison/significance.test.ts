import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EXACT_RANK_ITEMS } from "../../../src/core/limits.ts";
import {
  adjusted,
  fisher,
  leastFisher,
  mannWhitney,
} from "../../../src/core/comparison/significance.ts";

/** All choices of `size` of the items. */
function* choices<Item>(items: Item[], size: number, from = 0): Generator<Item[]> {
  if (size === 0) yield [];
  else
    for (let index = from; index <= items.length - size; index++)
      for (const others of choices(items, size - 1, index + 1))
        yield [items[index] as Item, ...others]; // as: within the list
}

const share = fc
  .integer({ min: 0, max: 8 })
  .chain((of) => fc.record({ of: fc.constant(of), had: fc.integer({ min: 0, max: of }) }));

test("Fisher's test is the share of all divisions that are at most as likely", () => {
  fc.assert(
    fc.property(share, share, (one, other) => {
      const total = one.of + other.of;
      const items = Array.from({ length: total }, (_, index) => index < one.had + other.had);
      const counts = new Map<number, number>();
      let all = 0;
      for (const chosen of choices(items, one.of)) {
        const had = chosen.filter(Boolean).length;
        counts.set(had, (counts.get(had) ?? 0) + 1);
        all++;
      }
      const observed = counts.get(one.had) ?? 0;
      let tail = 0;
      for (const count of counts.values()) if (count <= observed) tail += count;
      expect(fisher(one, other)).toBeCloseTo(tail / all, 9);
      expect(leastFisher(one, other)).toBeLessThanOrEqual(fisher(one, other) + 1e-9);
    }),
    { numRuns: 150 },
  );
});

test("Fisher's test agrees with published values", () => {
  // R: fisher.test(matrix(c(3, 1, 1, 3), 2)) and (c(1, 9, 11, 3), 2).
  expect(fisher({ had: 3, of: 4 }, { had: 1, of: 4 })).toBeCloseTo(0.4857143, 6);
  expect(fisher({ had: 1, of: 10 }, { had: 11, of: 14 })).toBeCloseTo(0.002759456, 8);
});

test("ranks of few values are compared by counting all divisions, also with ties", () => {
  const values = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(values, values, (one, other) => {
      const all = [...one, ...other];
      const rank = (value: number) =>
        all.filter((each) => each < value).length +
        (all.filter((each) => each === value).length + 1) / 2;
      const ranks = all.map(rank);
      const middle = (one.length * (all.length + 1)) / 2;
      const sum = (some: number[]) => some.reduce((total, each) => total + each, 0);
      const distance = Math.abs(sum(ranks.slice(0, one.length)) - middle);
      const sums = [...choices(ranks, one.length)].map(sum);
      const tail = sums.filter((each) => Math.abs(each - middle) >= distance).length;
      expect(mannWhitney(one, other)).toBeCloseTo(tail / sums.length, 9);
      expect(mannWhitney(one, other)).toBeCloseTo(mannWhitney(other, one), 9);
    }),
    { numRuns: 150 },
  );
});

test("the approximation for more values is close to a count of random divisions", () => {
  const random = generator(5);
  const ranks = Array.from({ length: 40 }, (_, index) => Math.floor(index / 3));
  for (const shift of [4, 8, 12]) {
    const one = ranks.slice(0, 15).map((each) => each + shift);
    const other = ranks.slice(15);
    expect(one.length + other.length).toBeGreaterThan(EXACT_RANK_ITEMS);
    const all = [...one, ...other];
    const place = (value: number) =>
      all.filter((each) => each < value).length + all.filter((each) => each === value).length / 2;
    const places = all.map(place);
    const sumOf = (some: number[]) => some.slice(0, 15).reduce((sum, each) => sum + each, 0);
    const middle = (15 * all.length) / 2;
    const distance = Math.abs(sumOf(places) - middle);
    let tail = 0;
    for (let trial = 0; trial < 4_000; trial++) {
      for (let from = places.length - 1; from > 0; from--) {
        const to = Math.floor(random() * (from + 1));
        [places[from], places[to]] = [places[to] ?? 0, places[from] ?? 0];
      }
      if (Math.abs(sumOf(places) - middle) >= distance) tail++;
    }
    expect(Math.abs(mannWhitney(one, other) - tail / 4_000)).toBeLessThan(0.03);
  }
});

test("the correction for many tests is that of Benjamini and Hochberg", () => {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "BH")
  const result = adjusted([0.01, 0.04, 0.03, 0.005, 0.5]);
  [0.025, 0.05, 0.05, 0.025, 0.5].forEach((each, index) =>
    expect(result[index]).toBeCloseTo(each, 9),
  );
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true })), (values) => {
      const corrected = adjusted(values);
      const inOrder = values.toSorted((a, b) => a - b);
      const slow = values.map((value) =>
        Math.min(
          1,
          ...inOrder.flatMap((each, place) =>
            each >= value ? [(each * values.length) / (place + 1)] : [],
          ),
        ),
      );
      corrected.forEach((each, index) => expect(each).toBeCloseTo(slow[index] ?? NaN, 9));
    }),
  );
});

function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}
