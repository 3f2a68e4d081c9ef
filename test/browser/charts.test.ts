import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { expectShown } from "../core/shown.ts";
import { randomFrom } from "../pages/world.ts";
import { hasBrowser, World, soon } from "./browser.ts";

const START = Date.now() - 3_600_000;
type Op = Batch["ops"][number];

/** A session of these ops. */
function session(id: string, ms: number, ops: Op[]): Batch[] {
  const all: Op[] = [
    { op: "start", at: START, product: "charts" },
    ...ops.toSorted((a, b) => a.at - b.at),
    { op: "end", at: START + ms, exit_code: 0 },
  ];
  return [{ session: id, lane: `${id}-lane`, first: 1, last: all.length, ops: all }];
}

function gauge(name: string, at: number[], values: number[], unit?: string): Op[] {
  return at.map((each, i) => ({
    op: "metric",
    type: "gauge",
    at: START + each,
    name,
    unit,
    value: values[i] ?? 0,
  }));
}

const seconds = Array.from({ length: 60 }, (_, i) => i * 1_000);
const random = randomFrom(3);

/** Values of any magnitude, alone or as small differences of a large number. */
function anyValues(): number[] {
  const size = 10 ** (random() * 600 - 300);
  const base = random() < 0.5 ? 0 : size * 10 ** (random() * 12);
  return seconds.map(() => base + random() * size);
}

/** Each series, the texts at the ends of its scale and its last reading; where these are left out, they must only differ. */
const SERIES: [name: string, values: number[], unit?: string, texts?: string[]][] = [
  [
    "epoch",
    seconds.map((_, i) => 1_795_864_000 + i),
    "",
    ["1,795,864,059", "1,795,864,000", "1,795,864,059"],
  ],
  ["latitude", seconds.map((_, i) => 48.1371 + Math.sin(i / 6) * 1e-4)],
  ["resident", seconds.map((_, i) => 2 ** 33 + i * 4_096), "bytes"],
  ["constant", seconds.map(() => 98_765_432), "", ["98,765,432", "", "98,765,432"]],
  ["clamp", seconds.map((_, i) => (i % 2) * 2.225_073_858_507_201_4e-308)],
  [
    "huge",
    seconds.map((_, i) => (i % 2 === 0 ? -1.7e308 : 1.7e308)),
    "",
    ["1.7e308", "-1.7e308", "1.7e308"],
  ],
  ["noise", seconds.map((_, i) => 1e9 + i / 1_000), "seconds"],
  ...Array.from({ length: 6 }, (_, i): [string, number[]] => [`random ${i}`, anyValues()]),
];

/** An integer gauge with more points than a chart draws: 0 or 1, in runs. */
const TICKS = Array.from({ length: 4_000 }, (_, i) => i * 25);
const levelAt = (ms: number) => (Math.floor(ms / 25 / 3) % 2 === 0 ? 7 : 12);

const broken = [...seconds.slice(0, 30), ...seconds.map((ms) => ms + 51_000).slice(0, 40)];

/** Points of another process of the session, which measured before the session started. */
const EARLY: Batch = {
  session: "levels",
  lane: "early-lane",
  first: 1,
  last: 2,
  ops: [-7_200_000, 50_000].map((ms) => ({
    op: "metric",
    type: "gauge",
    at: START + ms,
    name: "early",
    value: 1,
  })),
};

const SESSIONS: Batch[][] = [
  session(
    "numbers",
    60_000,
    SERIES.flatMap(([name, values, unit]) => gauge(name, seconds, values, unit)),
  ),
  session("levels", 100_000, [
    ...gauge("level", TICKS, TICKS.map(levelAt)),
    ...gauge(
      "steady",
      broken,
      broken.map((ms) => ms / 1_000),
    ),
    ...[20_000, 20_010].map((at): Op => ({
      op: "dropped",
      at: START + at,
      cause: "not_finite",
      count: 1,
      detail: "steady: NaN",
    })),
    { op: "metric", type: "timer", at: START + 500, name: "query", value: 0.003_859 },
  ]),
  session(
    "tagged",
    60_000,
    ["busy", "memory"].flatMap((name) =>
      [0, 1].flatMap(
        (gpu) =>
          gauge(name, seconds, seconds).map((op): Op => ({ ...op, tags: [`gpu:${gpu}`] }) as Op), // as: of a gauge
      ),
    ),
  ),
  session("failing", 100_000, [
    ...gauge("fps", seconds, seconds),
    ...Array.from({ length: 850 }, (_, i): Op => ({
      op: "event",
      at: START + i * 110,
      name: "exception",
      category: "exception",
      exception_type: "ValueError",
      exception_msg: `bad ${i % 3}`,
    })),
  ]),
];

const chartOf = (page: Page, name: string) => page.locator(`.chart[aria-label="${name}, gauge"]`);

/** The columns of pixels of a chart that have a colour, as shares of its width. */
const DRAWN = `(name) => {
  const canvas = document.querySelector('.chart[aria-label="' + name + ', gauge"] canvas');
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const columns = [];
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++)
      if (data[(y * width + x) * 4 + 3] > 40) { columns.push(x / width); break; }
  return columns;
}`;
const drawn = (page: Page, name: string) => page.evaluate<number[]>(`(${DRAWN})("${name}")`);

describe.skipIf(!hasBrowser)("the charts of a session", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.record(...SESSIONS, [EARLY]);
  });
  afterAll(() => world.close());

  test("values of every magnitude are drawn, and their labels differ", async () => {
    const { page, complaints } = await world.look("/sessions/numbers");
    for (const [name, values, , texts] of SERIES) {
      const chart = chartOf(page, name);
      await chart.scrollIntoViewIfNeeded();
      await soon(async () => (await drawn(page, name)).length).toBeGreaterThan(50);
      const shown = await Promise.all(
        ["most", "least", "reading"].map((part) => chart.locator(`[data-${part}]`).textContent()),
      );
      if (texts) expect(shown, name).toEqual(texts);
      else expect(shown[0], name).not.toBe(shown[1]);
      expectShown(Math.max(...values), shown[0] ?? "");
      if (shown[1]) expectShown(Math.min(...values), shown[1]);
      expectShown(values.at(-1) ?? NaN, shown[2] ?? "");
      // The number is whole: as it was recorded, and not cut by its box.
      const reading = chart.locator("[data-reading]");
      expect(Number(await reading.getAttribute("title")), name).toBe(values.at(-1));
      expect(await reading.evaluate((box) => box.scrollWidth <= box.clientWidth), name).toBe(true);
    }
    // The work is bounded: hidden axes have few ticks, whatever the values are.
    const counts = await page.evaluate<number[]>(
      `Object.values(Chart.instances).flatMap(({ scales }) => [scales.x.ticks.length, scales.y.ticks.length])`,
    );
    expect(counts.length).toBe(SERIES.length * 2);
    expect(Math.max(...counts)).toBeLessThanOrEqual(12);
    // Reading the pixels is this test's own doing.
    expect(complaints.filter((text) => !text.startsWith("Canvas2D"))).toEqual([]);
  });

  test("series have the colours of a tag, which the reader chooses and the address keeps", async () => {
    const { page, complaints } = await world.look("/sessions/tagged");
    const colours = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll(".chart canvas")].map((canvas) => Chart.getChart(canvas)?.data.datasets[2].borderColor)`,
      );
    await soon(async () => (await colours()).filter(Boolean).length).toBe(4);
    const [first, second, third, fourth] = await colours();
    expect(first).toBe(third);
    expect(second).toBe(fourth);
    expect(first).not.toBe(second);
    await page.locator("[name=colour]").selectOption("(none)");
    await soon(async () => new Set(await colours()).size).toBe(1);
    expect(new URL(page.url()).searchParams.get("colour")).toBe("(none)");
    await page.reload();
    await soon(async () => (await colours()).filter(Boolean).length).toBe(4);
    expect(new Set(await colours()).size).toBe(1);
    expect(complaints).toEqual([]);
  });

  test("the reading at the cursor is the last recorded value, also where buckets are drawn", async () => {
    const { page } = await world.look("/sessions/levels");
    const chart = chartOf(page, "level");
    await soon(() => chart.locator("[data-drawn]").textContent()).toMatch(
      /^mean and range of \d+ ms$/,
    );
    const box = await page.locator("#timeline .row-plot").first().boundingBox();
    if (!box) throw new Error("The timeline has no plot");
    for (const share of [0.113, 0.3331, 0.507, 0.7713]) {
      await page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
      const at = () => Number(new URL(page.url()).searchParams.get("t")) - START;
      await soon(() => Math.abs(at() / 100_000 - share)).toBeLessThan(0.01);
      const value = String(levelAt(Math.floor(at() / 25) * 25));
      await page.mouse.move(5, 5);
      await soon(() => chart.locator("[data-reading]").textContent()).toBe(value);
    }
    // In a zoom without a point the value is the one before it.
    await page.goto(
      `/sessions/levels?from=${START + 40_000}&to=${START + 45_000}&t=${START + 42_000}`,
    );
    await soon(() => chartOf(page, "steady").locator("[data-reading]").textContent()).toBe("29");
    expect(await page.locator(".chart[data-type=timer] [data-reading]").textContent()).toBe(
      "3.859 ms",
    );
  });

  test("no line is drawn where points are missing, with script and without", async () => {
    const { page } = await world.look("/sessions/levels");
    await chartOf(page, "steady").scrollIntoViewIfNeeded();
    await soon(async () => (await drawn(page, "steady")).length).toBeGreaterThan(50);
    const columns = await drawn(page, "steady");
    // From 29 s to 51 s of 100 s.
    expect(columns.filter((share) => share > 0.31 && share < 0.49)).toEqual([]);
    expect(columns.some((share) => share > 0.1 && share < 0.29)).toBe(true);
    const id = await chartOf(page, "steady").getAttribute("data-series");
    const svg = await (await world.send(`/sessions/levels/charts/${id}.svg`)).text();
    const line = /<path d="([^"]+)"[^>]*stroke-width="1.5"/.exec(svg)?.[1] ?? "";
    expect(line.match(/M/g)).toHaveLength(2);
    // Refused values are marked, and points outside of the session are announced.
    await soon(() => chartOf(page, "steady").locator(".refused").count()).toBe(1);
    expect(await chartOf(page, "steady").locator("[data-drawn]").textContent()).toContain(
      "2 values NaN or infinite",
    );
    await page.getByRole("link", { name: /Points from .* before the start/ }).click();
    await soon(async () => (await drawn(page, "early"))[0] ?? 1).toBeLessThan(0.05);
  });

  test("dense exceptions are a band behind the plots", async () => {
    const { page } = await world.look("/sessions/failing");
    const failures = () =>
      page.evaluate<string>(
        `document.querySelector("#recorder").style.getPropertyValue("--failures")`,
      );
    await soon(failures).toContain("--failure-band");
    expect((await failures()).match(/--failure/g)?.length).toBeLessThanOrEqual(24);
    const over = await page.evaluate<number>(
      `[...document.querySelectorAll("#recorder > *")].filter((each) => each.children.length > 20 && getComputedStyle(each).position === "absolute").length`,
    );
    expect(over).toBe(0);
  });

  test("the pointer's label leaves the link out of a zoom free", async () => {
    const { page } = await world.look(
      `/sessions/levels?from=${START + 10_000}&to=${START + 60_000}`,
    );
    const link = page.getByRole("link", { name: "Whole session" });
    const there = await link.boundingBox();
    const plot = await page.locator("#timeline .row-plot").last().boundingBox();
    if (!there || !plot) throw new Error("There is no link or plot");
    await page.mouse.move(there.x + there.width / 2, plot.y + plot.height / 2);
    const label = page.locator(".crosshair span");
    await label.waitFor();
    const box = await label.boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(there.y + there.height);
    await link.click();
    await soon(() => page.locator(".timeline-span").textContent()).toContain("in total");
  });
});
