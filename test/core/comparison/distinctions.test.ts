import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  amongGoodRuns,
  betweenGroups,
  subjectOf,
} from "../../../src/core/comparison/distinction-text.ts";
import { distinguishGroups } from "../../../src/core/comparison/two-groups.ts";
import { distinguishRun } from "../../../src/core/comparison/one-run.ts";
import {
  type Figure,
  type Held,
  type Run,
  valueAttribute,
} from "../../../src/core/comparison/run.ts";
import { MIN_OTHERS, SIGNIFICANT } from "../../../src/core/limits.ts";

type Parts = {
  attributes?: { [attribute: string]: (string | [value: string, after: number])[] };
  figures?: { [name: string]: number };
  incomplete?: string[];
  ranMs?: number;
};

function run({ attributes = {}, figures = {}, incomplete = [], ranMs = 60_000 }: Parts): Run {
  const held = (after: number): Held => ({ after });
  return {
    id: "s",
    createdAt: 1_000,
    ranMs,
    attributes: new Map(
      Object.entries(attributes).map(([attribute, values]) => [
        attribute,
        new Map(
          values.map((each) =>
            typeof each === "string" ? [each, held(0)] : [each[0], held(each[1])],
          ),
        ),
      ]),
    ),
    incomplete: (attribute) => incomplete.includes(attribute),
    figures: new Map(
      Object.entries(figures).map(([name, value]): [string, Figure] => [
        name,
        { name, tags: [], unit: "bytes", type: "gauge", statistic: "maximum", value },
      ]),
    ),
  };
}

const many = (count: number, parts: (index: number) => Parts) =>
  Array.from({ length: count }, (_, index) => run(parts(index)));
const texts = (one: Run, others: Run[]) =>
  distinguishRun(one, others).items.map((each) => `${subjectOf(each)}: ${amongGoodRuns(each)}`);

/** A population as programs have it: versions, machines, tags, settings, a process id, events of a common and a rare kind, metrics. */
function population(random: () => number): Run {
  const pick = (...values: string[]) => values[Math.floor(random() * values.length)] ?? "";
  const maybe = (share: number, value: string) => (random() < share ? [value] : []);
  const normal = () => random() + random() + random() + random() - 2;
  const settings = Object.fromEntries(
    Array.from({ length: 25 }, (_, index) => [
      valueAttribute(`settings.s${index}`),
      [pick("=true", "=false", ...(index % 2 ? ['"auto'] : []))],
    ]),
  );
  return run({
    ranMs: 30_000 + random() * 90_000,
    attributes: {
      version: [pick("1.0", "1.1", "1.1", "1.2")],
      machine: [pick("a", "b", "c", "d", "e")],
      os: ["linux"],
      tag: [...maybe(0.5, "ci"), ...maybe(0.2, "nightly")],
      event: ["ready", ...maybe(0.6, "saved"), ...maybe(0.3, "retry"), ...maybe(0.1, "resized")],
      [valueAttribute("pid")]: [`=${Math.floor(random() * 1e9)}`],
      ...settings,
    },
    figures: Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`m${index}`, 100 + 10 * normal()]),
    ),
  });
}

function generator(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_648;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

describe("one run against good ones", () => {
  test("each kind of difference is a sentence with its counts", () => {
    const good = many(40, (index) => ({
      ranMs: 100_000,
      attributes: {
        version: ["2.0"],
        os: ["linux"],
        tag: ["ci"],
        event: ["ready", ["loaded", 5_000], ...(index === 0 ? ["retry"] : [])],
        [valueAttribute("renderer")]: ['"gl'],
        [valueAttribute("pid")]: [`=${index}`],
      },
      figures: { memory: (300 + index) * 2 ** 20 },
    }));
    const bad = run({
      ranMs: 42_000,
      attributes: {
        version: ["2.1"],
        os: ["linux"],
        tag: ["ci"],
        event: ["ready", "gpu_lost", "retry"],
        [valueAttribute("renderer")]: ['"vulkan'],
        [valueAttribute("pid")]: ["=77"],
      },
      figures: { memory: 812 * 2 ** 20 },
    });
    expect(texts(bad, good)).toEqual([
      "Version 2.1: in none of 40 good runs",
      "State renderer = “vulkan”: in none of 40 good runs",
      "Metric memory, maximum: 812 MiB; in 40 good runs 300 MiB to 339 MiB",
      "Event gpu_lost: in none of 40 good runs",
      "Event loaded: missing; in 40 of 40 good runs within 42 s of the start",
      "Event retry: in 1 of 40 good runs",
    ]);
  });

  test("a metric that never changed stands out by how much it changed", () => {
    const good = many(40, (index) => ({
      attributes: { event: ["ready"] },
      figures: { fps: 60 + (index % 5), memory: 16_000_000, workers: 4, errors: 0 },
    }));
    const bad = run({
      attributes: { event: ["ready", "gpu_lost"] },
      figures: { fps: 20, memory: 16_000_001, workers: 8, errors: 3 },
    });
    expect(distinguishRun(bad, good).items.map(({ name }) => name)).toEqual([
      "errors",
      "workers",
      "fps",
      "gpu_lost",
      "memory",
    ]);
    const groups = distinguishGroups(
      Array.from({ length: 40 }, () => bad),
      good,
    );
    expect(groups.items.map(({ name }) => name)).toEqual([
      "gpu_lost",
      "errors",
      "workers",
      "fps",
      "memory",
    ]);
  });

  test("one run is never less likely than one of all, and a value of its own in every run is none", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: MIN_OTHERS, max: 40 }),
        (seed, count) => {
          const random = generator(seed);
          const { items } = distinguishRun(
            population(random),
            many(count, () => ({})).map(() => population(random)),
          );
          for (const { p, name } of items) {
            expect(p).toBeGreaterThanOrEqual(1 / (count + 1) - 1e-12);
            expect(name).not.toBe("pid");
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("planted differences come first", () => {
    let found = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = generator(seed);
      const good = Array.from({ length: 40 }, () => population(random));
      const bad = population(random);
      bad.attributes.set("version", new Map([["9.9", { after: 0 }]]));
      bad.attributes.set(valueAttribute("settings.s3"), new Map([['"vulkan', { after: 0 }]]));
      bad.figures.set("m7", { ...(bad.figures.get("m7") as Figure), value: 900 }); // as: set above
      const top = distinguishRun(bad, good).items.slice(0, 5).map(subjectOf);
      if (
        ["Version 9.9", "State settings.s3 = “vulkan”", "Metric m7, maximum"].every((each) =>
          top.includes(each),
        )
      )
        found++;
    }
    expect(found).toBeGreaterThanOrEqual(38);
  });

  test("noise is hardly ever significant, and stands out no more often than its probability", () => {
    let [significant, smallest, tested] = [0, 0, 0];
    for (let seed = 1; seed <= 100; seed++) {
      const random = generator(seed);
      const good = Array.from({ length: 40 }, () => population(random));
      const result = distinguishRun(population(random), good);
      if (result.items.some(({ adjusted }) => adjusted <= SIGNIFICANT)) significant++;
      smallest += result.items.filter(({ p }) => p <= 1 / 41 + 1e-9).length;
      tested += result.tested;
    }
    expect(significant).toBeLessThanOrEqual(5);
    expect(smallest / tested).toBeLessThanOrEqual(1.3 / 41);
  });

  test("what a good run had only later than this run lasted is not missing", () => {
    const good = many(10, () => ({ attributes: { event: ["ready", ["level_2", 90_000]] } }));
    const bad = run({ ranMs: 30_000, attributes: { event: ["ready"] } });
    expect(texts(bad, good)).toEqual([]);
    expect(texts({ ...bad, ranMs: 90_000 }, good)).toEqual([
      "Event level_2: missing; in 10 of 10 good runs within 1 min 30 s of the start",
    ]);
  });

  test("an incomplete list makes nothing missing and nothing new, and is counted", () => {
    const events = { attributes: { event: ["ready", "loaded"] } };
    const cut = { attributes: { event: ["ready"] }, incomplete: ["event"] };
    const own = distinguishRun(
      run(cut),
      many(10, () => events),
    );
    expect(own.items).toEqual([]);
    expect(own.not_compared.incomplete).toBe(1);

    // Good runs whose lists are cut may have had it: they are not counted.
    const bad = run({ attributes: { event: ["ready", "loaded", "gpu_lost"] } });
    const some = [...many(6, () => events), ...many(30, () => cut)];
    expect(distinguishRun(bad, some).items.map(({ others }) => others)).toEqual([
      { had: 0, of: 6 },
    ]);
    const all = distinguishRun(
      bad,
      many(30, () => cut),
    );
    expect([all.items, all.not_compared.incomplete]).toEqual([[], 2]);

    // A path with more values than are listed, here or in the good runs.
    const over = { incomplete: [valueAttribute("step")], attributes: { state_path: ["step"] } };
    const one = { attributes: { state_path: ["step"], [valueAttribute("step")]: ["=1"] } };
    expect(
      texts(
        run(one),
        many(20, () => over),
      ),
    ).toEqual([]);
    expect(
      distinguishRun(
        run(over),
        many(20, () => one),
      ),
    ).toMatchObject({
      items: [],
      not_compared: { incomplete: 1 },
    });
  });

  test("with few good runs only what none of them has is listed", () => {
    const good = many(MIN_OTHERS, (index) => ({ attributes: { version: [index ? "1" : "2"] } }));
    expect(texts(run({ attributes: { version: ["3"] } }), good)).toEqual([]); // one of them is as rare
    const same = many(MIN_OTHERS, () => ({ attributes: { version: ["1"] } }));
    expect(texts(run({ attributes: { version: ["3"] } }), same)).toEqual([
      "Version 3: in none of 4 good runs",
    ]);
    expect(distinguishRun(run({ attributes: { version: ["3"] } }), same.slice(1))).toMatchObject({
      items: [],
      tested: 0,
    });
  });
});

describe("a group against the others", () => {
  test("planted differences come first, significant, with both counts", () => {
    const random = generator(3);
    const these = Array.from({ length: 40 }, () => population(random));
    const others = Array.from({ length: 40 }, () => population(random));
    for (const [index, each] of these.entries()) {
      if (index % 4 > 0)
        each.attributes.set(valueAttribute("settings.s3"), new Map([['"vulkan', { after: 0 }]]));
      const figure = each.figures.get("m7") as Figure; // as: of the population
      each.figures.set("m7", { ...figure, value: figure.value * 1.5 });
    }
    const { items } = distinguishGroups(these, others);
    expect(
      items
        .slice(0, 2)
        .map((each) => `${subjectOf(each)}: ${betweenGroups(each)}`)
        .toSorted(),
    ).toEqual([
      expect.stringMatching(
        /^Metric m7, maximum: median 1\d\d(\.\d+)? B in 40 of these, (9|10)\d(\.\d+)? B in 40 of the others$/,
      ),
      "State settings.s3 = “vulkan”: in 30 of 40 of these, in none of 40 of the others",
    ]);
    expect(items.slice(0, 2).every(({ adjusted }) => adjusted < 1e-6)).toBe(true);
  });

  test("of noise, nothing is significant in 95 % of trials", () => {
    let trials = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const random = generator(seed);
      const [these, others] = [30, 25].map((count) =>
        Array.from({ length: count }, () => population(random)),
      );
      const { items } = distinguishGroups(these ?? [], others ?? []);
      if (items.some(({ adjusted }) => adjusted <= SIGNIFICANT)) trials++;
    }
    expect(trials).toBeLessThanOrEqual(5);
  });

  test("what defines the groups is not compared, and incomplete lists are left out", () => {
    const these = many(20, () => ({ attributes: { version: ["2"], event: ["x"] } }));
    const others = many(20, () => ({ attributes: { version: ["1"] }, incomplete: ["event"] }));
    const result = distinguishGroups(these, others, ({ kind }) => kind === "version");
    expect(result).toMatchObject({ items: [], tested: 0, not_compared: { incomplete: 1 } });
    expect(
      distinguishGroups(these, others).items.map(({ kind, change }) => [kind, change]),
    ).toEqual([["version", "more"]]);
  });
});
