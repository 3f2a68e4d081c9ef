import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { expectShown } from "../core/shown.ts";
import { command, game, SPICE } from "../pages/world.ts";
import { atRest, expectAccessible, hasBrowser, World, soon } from "./browser.ts";

const START = Date.now() - 3_600_000;
const END = START + 140_000;

const BROKEN = game({ id: "broken", at: START });

/** The last value of the series "memory" of BROKEN at or before a moment. */
function memoryAt(at: number): number | undefined {
  const ops = BROKEN.flatMap((batch) => batch.ops);
  return ops.reduce<number | undefined>(
    (value, op) => (op.op === "metric" && op.name === "memory" && op.at <= at ? op.value : value),
    undefined,
  );
}

/** Where on the screen a moment is, on a row of the timeline. */
async function onAxis(page: Page, share: number): Promise<{ x: number; y: number }> {
  const box = await page.locator("#timeline [data-kind=events] .row-plot").boundingBox();
  if (!box) throw new Error("The timeline has no plot");
  return { x: box.x + box.width * share, y: box.y + box.height / 2 };
}

async function clickAxis(page: Page, share: number): Promise<void> {
  const { x, y } = await onAxis(page, share);
  await page.mouse.click(x, y);
}

/**
 * The value that a chart shows, with all digits. Its text has as many digits as distinguish it from the values in view, so a zoom may change the
 * text of the same value. Empty while a range is shown, until the value is fetched.
 */
const readingOf = (chart: Locator) => chart.locator("[data-reading]").getAttribute("title");

const parameter = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

/** The colour of the first opaque pixel of the first chart. */
const FIRST_COLOUR = `(() => {
  const canvas = document.querySelector(".chart canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) return data.slice(i, i + 3).join();
  return "";
})()`;

/** The radius of each point of a chart. */
const radii = (name: string) =>
  `Chart.getChart([...document.querySelectorAll(".chart")].find((chart) => chart.ariaLabel.startsWith("${name},")).querySelector("canvas"))
    ?.getDatasetMeta(2).data.map(({ options }) => options.radius)`;

/** A session with one point. */
const ONCE: Batch = {
  session: "once",
  lane: "once-lane",
  first: 1,
  last: 3,
  ops: [
    { op: "start", at: START },
    { op: "metric", at: START + 5_000, type: "gauge", name: "once", value: 4 },
    { op: "end", at: START + 10_000, exit_code: 0 },
  ],
};

/** Ten to midnight in Berlin, which is ten to eleven in UTC: over midnight for the one and not for the other. */
const EVENING = Date.UTC(2026, 0, 15, 22, 50);
const LATE: Batch = {
  session: "late",
  lane: "late-lane",
  first: 1,
  last: 4,
  ops: [
    { op: "start", at: EVENING },
    { op: "event", at: EVENING + 60_000, name: "before" },
    { op: "event", at: EVENING + 1_200_000, name: "after" },
    { op: "end", at: EVENING + 1_800_000, exit_code: 0 },
  ],
};

/** A session with more series than one looks through. */
const MANY: Batch = {
  session: "many",
  lane: "many-lane",
  first: 1,
  last: 22,
  ops: [
    { op: "start", at: START },
    ...Array.from({ length: 20 }, (_, i) => ({
      op: "metric" as const,
      at: START + 100 + i,
      type: "gauge" as const,
      name: `gauge_${i % 10}`,
      value: i,
    })),
    { op: "end", at: START + 1_000, exit_code: 0 },
  ],
};

describe.skipIf(!hasBrowser)("a session's page", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.record(BROKEN, command({ id: "command", at: START }));
    await world.record([ONCE], [MANY], [LATE]);
    await world.record(
      game({ id: "spicy", at: START, spice: SPICE, seconds: 30 }),
      game({ id: "long", at: START, spice: "x".repeat(200), seconds: 30 }),
    );
  });
  afterAll(() => world.close());

  test("the verdict is in the first screen", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    expect(await page.title()).toBe("▲ archive-game 1.4.2 crashed · Datacat");
    const headline = page.getByRole("heading", { level: 1 });
    expect(await headline.textContent()).toContain("MemoryError");
    const box = await headline.boundingBox();
    expect(box?.y).toBeLessThan(300);
    await page.getByText("Signal SIGKILL").first().waitFor();
    expect(complaints).toEqual([]);
  });

  test("a click on the axis sets the cursor: address, state, events and values follow", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    await clickAxis(page, 0.5);
    await soon(() => page.locator(".cursor-offset").textContent()).toContain("after the start");
    const at = Number(parameter(page, "t"));
    expect(Math.abs(at - (START + 70_000))).toBeLessThan(1_500);
    const hp = JSON.parse(await (await world.send(`/sessions/broken/state.json?t=${at}`)).text())
      .player.hp;
    await soon(() => page.locator("#state").textContent()).toContain(String(hp));
    expect(complaints).toEqual([]);

    // A permalink is the same page for someone else.
    const { page: other } = await world.look(`/sessions/broken?t=${at}`);
    expect(await other.locator(".cursor-header h2").textContent()).toBe(
      await page.locator(".cursor-header h2").textContent(),
    );
  });

  test("arrow keys step through changes, with shift through events", async () => {
    const { page } = await world.look(`/sessions/broken?t=${START + 70_000}`);
    const seen: number[] = [];
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "Shift+ArrowRight"]) {
      const before = parameter(page, "t");
      await page.keyboard.press(key);
      await soon(() => parameter(page, "t")).not.toBe(before);
      // The next step is known once the panel has followed.
      const time = new Date(Number(parameter(page, "t"))).toISOString();
      await page.locator(`.cursor-header time[datetime="${time}"]`).waitFor();
      seen.push(Number(parameter(page, "t")));
    }
    const [first = 0, second = 0, back = 0, event = 0] = seen;
    expect(first).toBeLessThan(second);
    expect(back).toBe(first);
    expect(event).toBeGreaterThan(back);
  });

  test("a drag zooms in, 0 shows the whole session again", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const [from, to] = [await onAxis(page, 0.25), await onAxis(page, 0.5)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 5 });
    await page.mouse.up();
    await soon(() => page.locator(".timeline-span").textContent()).toContain("35");
    expect(Number(parameter(page, "to")) - Number(parameter(page, "from"))).toBeGreaterThan(30_000);
    await page.keyboard.press("0");
    await soon(() => page.locator(".timeline-span").textContent()).toContain("in total");
    expect(parameter(page, "from")).toBeNull();
    expect(complaints).toEqual([]);
  });

  test("Escape cancels a drag", async () => {
    const { page } = await world.look("/sessions/broken");
    const [from, to] = [await onAxis(page, 0.25), await onAxis(page, 0.5)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 5 });
    expect(await page.locator(".selection").isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.locator(".selection").isVisible()).toBe(false);
    await page.mouse.up();
    expect(new URL(page.url()).search).toBe("");
  });

  test("a zoom away from the cursor hides it, and every value stays that at the cursor", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const memory = page.locator(".chart", { hasText: "memory" });
    await memory.scrollIntoViewIfNeeded();
    const reading = () => readingOf(memory);
    const text = () => memory.locator("[data-reading]").textContent();
    const atEnd = String(memoryAt(END));
    await soon(reading).toBe(atEnd);
    const zoom = async (first: number, second: number) => {
      const [from, to] = [await onAxis(page, first), await onAxis(page, second)];
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move(to.x, to.y, { steps: 5 });
      await page.mouse.up();
      await page.mouse.move(5, 5);
      await atRest(page);
    };

    await zoom(0.25, 0.5);
    await soon(() => page.locator(".timeline-span").textContent()).toContain("35 s of");
    expect(await page.locator(".cursor").isHidden()).toBe(true);
    expect(await page.locator(".cursor-offset").textContent()).toBe("at the end");
    await soon(reading).toBe(atEnd);
    expectShown(Number(atEnd), (await text()) ?? "");

    // Put somewhere by hand, it keeps its own values too.
    await clickAxis(page, 0.5);
    await soon(() => page.locator(".cursor").isVisible()).toBe(true);
    await page.mouse.move(5, 5);
    await soon(reading).not.toBe(atEnd);
    const there = String(memoryAt(Number(parameter(page, "t"))));
    await soon(reading).toBe(there);
    await zoom(0.7, 0.9);
    await soon(() => page.locator(".cursor").isHidden()).toBe(true);
    await soon(reading).toBe(there);
    expectShown(Number(there), (await text()) ?? "");
    expect(complaints).toEqual([]);
  });

  test("a moment outside the session is named as such", async () => {
    const { page } = await world.look(`/sessions/broken?t=${START - 3_600_000}`);
    const offset = page.locator(".cursor-offset");
    expect(await offset.textContent()).toContain("1 h before the start");
    expect(await page.locator("#state").textContent()).toContain("Not started yet");
    const reading = page.locator(".chart [data-reading]").first();
    expect(await reading.textContent()).toBe("–");
    await page.goto(`/sessions/broken?t=${END + 86_400_000}`);
    expect(await offset.textContent()).toContain("1 d after the end");
    expect(await reading.textContent()).toMatch(/\d/);
    await offset.getByText("Go to the end").click();
    await soon(() => offset.textContent()).toBe("at the end");
  });

  test("Back and Forward restore ranges, and leave the page before the first", async () => {
    const { page, complaints } = await world.look("/sessions");
    await page.goto("/sessions/broken");
    const span = () => page.locator(".timeline-span").textContent();
    await page.locator("#recorder").press("+");
    await soon(span).toContain("1 min 10 s of");
    await page.locator("#recorder").press("+");
    await soon(span).toContain("35 s of");

    await page.goBack();
    await soon(span).toContain("1 min 10 s of");
    await page.goBack();
    await soon(span).toContain("in total");
    await page.goForward();
    await soon(span).toContain("1 min 10 s of");
    expect(Number(parameter(page, "to")) - Number(parameter(page, "from"))).toBe(70_000);

    await page.goBack();
    await soon(span).toContain("in total");
    await page.goBack();
    await page.waitForURL("**/sessions");
    expect(complaints).toEqual([]);
  });

  test("under the pointer every chart shows its value at that moment", async () => {
    const { page } = await world.look("/sessions/broken");
    const chart = page.locator(".chart", { hasText: "memory" });
    const reading = () => readingOf(chart);
    const atEnd = await reading();
    expect(atEnd).toMatch(/^\d/);
    // Only charts near the screen are drawn, and this one is below the first screen.
    await chart.scrollIntoViewIfNeeded();
    await atRest(page);
    await chart.locator(".row-plot").hover({ position: { x: 70, y: 20 } });
    await soon(async () => !["", atEnd].includes(await reading())).toBe(true);
    await page.mouse.move(5, 5);
    await soon(reading).toBe(atEnd);
  });

  test("the crosshair shows the counts at the pointer, and failures are drawn behind the charts", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const { x, y } = await onAxis(page, 131_000 / 140_000);
    await page.mouse.move(x, y);
    await soon(() => page.locator(".crosshair small").textContent()).toContain("1 exception");
    const failures = () =>
      page
        .locator("#recorder")
        .evaluate((recorder: HTMLElement) => recorder.style.getPropertyValue("--failures"));
    expect([...(await failures()).matchAll(/--failure-(\w+)/g)].map(([, kind]) => kind)).toEqual([
      "crash",
      "line",
      "line",
    ]);
    const plot = await page.locator(".chart .row-plot").first().boundingBox();
    const [, first] = /--failure-line\) ([\d.]+)px/.exec(await failures()) ?? [];
    expect(Math.abs((plot?.x ?? 0) + Number(first) - x)).toBeLessThan(5);
    // A zoom to where nothing failed has none.
    await page.mouse.move(5, 5);
    await page.goto(`/sessions/broken?from=${START}&to=${START + 60_000}`);
    await soon(() => page.locator(".cursor").count()).toBe(1);
    expect(await failures()).toBe("none");
    expect(complaints).toEqual([]);
  });

  test("a counter is shown as its total, or per second", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const chart = page.locator(".chart[data-type=counter]").first();
    const reading = chart.locator("[data-reading]");
    const most = chart.locator("[data-most]");
    await soon(() => most.textContent()).toMatch(/^\d+$/);
    const total = await readingOf(chart);

    await chart.getByRole("button", { name: "per second" }).click();
    await soon(() => reading.textContent()).toMatch(/^[\d.]+\/s$/);
    expect(await most.textContent()).toMatch(/^[\d.]+\/s$/);
    await chart.getByRole("button", { name: "per second", pressed: true }).click();
    await soon(() => readingOf(chart)).toBe(total);
    expect(await reading.textContent()).toMatch(/^\d+$/);
    expect(complaints).toEqual([]);
  });

  test("a gauge is shown as its values, or as percentiles over time", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const chart = page.locator(".chart[data-type=gauge]").first();
    const reading = chart.locator("[data-reading]");
    await soon(() => chart.locator("[data-most]").textContent()).not.toBe("");
    const value = await readingOf(chart);
    expect(value).toMatch(/\d/);

    await chart.getByRole("button", { name: "percentiles" }).click();
    await soon(() => reading.textContent()).toMatch(/^p95 (≈ )?[\d.,]+/);
    await soon(() => chart.locator("[data-drawn]").textContent()).toMatch(
      /p95, and p50 to p99, of /,
    );
    await chart.getByRole("button", { name: "percentiles", pressed: true }).click();
    await soon(() => readingOf(chart)).toBe(value);
    expect(await reading.textContent()).not.toMatch(/p95/);
    expect(complaints).toEqual([]);
  });

  test("charts are drawn, in the colour of the stylesheet, in light and dark", async () => {
    const { page } = await world.look("/sessions/broken");
    const colour = () => page.evaluate<string>(FIRST_COLOUR);
    await soon(colour).not.toBe("");
    const light = await colour();
    await page.getByRole("button", { name: "Dark" }).click();
    await soon(colour).not.toBe(light);
  });

  test("a counter shows its increase, not the mean of its totals", async () => {
    const { page } = await world.look("/sessions/broken");
    const chart = page.locator(".chart[data-type=counter]").first();
    expect(await chart.locator(".brief").textContent()).toMatch(
      /^counter · 139 updates · total \d+ · [\d.]+\/s$/,
    );
    await chart.locator(".statistics > summary").click();
    expect(await chart.locator(".readings dt").allTextContents()).toEqual([
      "total",
      "updates",
      "rate",
      "largest step",
      "first total",
    ]);
  });

  test("charts found by name are drawn again", async () => {
    const { page, complaints } = await world.look("/sessions/many");
    await soon(() => page.evaluate<string>(FIRST_COLOUR)).not.toBe("");
    const box = page.getByLabel("Find a metric");
    // The cursor at the end, and the line above, are beside it.
    const [field, cursor, header] = await Promise.all(
      [box, page.locator(".cursor").first(), page.locator(".charts-header", { has: box })].map(
        (part) => part.boundingBox(),
      ),
    );
    expect((field?.x ?? 0) + (field?.width ?? 0)).toBeLessThan(cursor?.x ?? 0);
    expect(field?.y).toBeGreaterThan((header?.y ?? 0) + 2);
    await box.fill("gauge_7");
    await soon(() => page.locator(".chart").count()).toBe(1);
    await soon(() => page.evaluate<string>(FIRST_COLOUR)).not.toBe("");
    await box.fill("maxi:>3");
    await page.locator("#chart-list").getByText("Did you mean max?").waitFor();
    await box.fill("name:gauge_7,gauge_8 type:gauge");
    await soon(() => page.locator(".chart").count()).toBe(2);
    expect(complaints).toEqual([]);
  });

  test("a single point is visible, and few points are drawn as dots", async () => {
    const { page } = await world.look("/sessions/once");
    await soon(() => page.evaluate<string>(FIRST_COLOUR)).not.toBe("");
    expect(await page.evaluate(radii("once"))).toEqual([3]);
    await page.goto("/sessions/broken");
    const timer = () => page.evaluate<number[]>(radii("chunk_load"));
    await soon(async () => (await timer())?.every((radius) => radius === 2)).toBe(true);
    const counter = await page.evaluate<number[]>(radii("assets_loaded"));
    expect(counter.length).toBeGreaterThan(60);
    expect(counter.every((radius) => radius === 0)).toBe(true);
  });

  test("a click on a value shows its history, which can be closed", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    await page.locator("#state").getByRole("link", { name: "hp", exact: true }).click();
    await page.locator("#history").getByText("until the end").waitFor();
    expect(await page.locator("#history .change").count()).toBeGreaterThan(5);
    // Visible without scrolling.
    const newest = await page.locator("#history .change").first().boundingBox();
    expect((newest?.y ?? 1e9) + (newest?.height ?? 0)).toBeLessThan(900);
    // Scrolling may end within a pixel.
    const panel = await page.locator("#moment").boundingBox();
    expect((panel?.y ?? 0) + (panel?.height ?? 1e9)).toBeLessThan(901);
    await page.locator("#history").getByText("Close").click();
    await page.locator("#history .change").first().waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
  });

  test("the history of a value far down the state is scrolled into view", async () => {
    const { page } = await world.look("/sessions/broken");
    await page.locator("#moment").hover();
    const key = page.locator("#state").getByRole("link", { name: "main", exact: true });
    await key.scrollIntoViewIfNeeded();
    await key.click();
    const title = page.locator("#history-title", { hasText: "quests.main" });
    await title.waitFor();
    await soon(() =>
      title.evaluate((element) => {
        const { top } = element.getBoundingClientRect();
        return top >= (element.closest("#moment")?.getBoundingClientRect().top ?? 0) && top < 900;
      }),
    ).toBe(true);
  });

  test("a moment that cannot be fetched is reported in its panel, which keeps its place", async () => {
    const { page } = await world.look("/sessions/broken");
    const panel = page.locator("#moment");
    const before = await panel.boundingBox();
    await page.route("**/moment?*", (route) => route.fulfill({ status: 503, body: "" }));
    await page.keyboard.press("ArrowLeft");
    const note = panel.locator(".failure");
    await note.getByText("What is shown here may be out of date.").waitFor();
    const after = await panel.boundingBox();
    expect([after?.x, after?.y]).toEqual([before?.x, before?.y]);
    await page.unroute("**/moment?*");
    await page.keyboard.press("Home");
    await soon(() => note.count()).toBe(0);
    await soon(() => page.locator(".cursor-offset").textContent()).toContain("0 ms after the");
  });

  test("the state's branches stay open or closed at each step", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const branch = (name: string) =>
      page.locator("#state .branch", { has: page.locator(`[aria-label="History of ${name}"]`) });
    const isOpen = (name: string) =>
      branch(name)
        .last()
        .locator("> details")
        .evaluate((details) => details.hasAttribute("open"));
    await branch("inventory").last().locator("> details > summary").click();
    await branch("renderer").last().locator("> details > summary").click();
    expect(await isOpen("inventory")).toBe(true);
    expect(await isOpen("renderer")).toBe(false);
    for (let step = 0; step < 3; step++) {
      const before = await page.locator(".cursor-header h2").textContent();
      await page.keyboard.press("ArrowLeft");
      await soon(() => page.locator(".cursor-header h2").textContent()).not.toBe(before);
      expect(await isOpen("inventory")).toBe(true);
      expect(await isOpen("renderer")).toBe(false);
    }
    // What is searched for is seen all the same.
    await page.getByLabel("Find in state").fill("vulkan");
    await soon(() => isOpen("renderer")).toBe(true);
    await page.locator("#state").getByText("vulkan").waitFor();
    await page.getByLabel("Find in state").fill("");
    await soon(() => isOpen("inventory")).toBe(true);
    expect(await isOpen("renderer")).toBe(false);
    expect(complaints).toEqual([]);
  });

  test("the state can be searched and copied", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    await page.getByLabel("Find in state").fill("vulkan");
    await soon(() => page.locator("#state .node").count()).toBe(2);
    await page.locator("#state [data-copy-from]").click();
    await soon(() => page.evaluate<string>("navigator.clipboard.readText()")).toContain(
      '"backend": "vulkan"',
    );
    expect(complaints).toEqual([]);
  });

  test("events are searched, opened, and loaded as one scrolls", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const rows = page.locator("#event-list > .event");
    expect(await rows.count()).toBe(50);
    await page.locator("#event-list").scrollIntoViewIfNeeded();
    await page.locator("#event-list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await soon(() => rows.count()).toBeGreaterThan(90);
    await page.getByLabel("Search events").fill("allocate");
    await soon(() => rows.count()).toBe(1);
    expect(await rows.locator("mark").allTextContents()).toEqual(["allocate"]);
    await rows.first().locator("summary .event-text").click();
    await page.locator("#event-list").getByText('"free_mib": 131').waitFor();
    expect(complaints).toEqual([]);
  });

  test("events are searched by conditions, which are completed, and explained if they are wrong", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const rows = page.locator("#event-list > .event");
    const box = page.getByLabel("Search events");
    const offered = page.locator("#suggested-text option");
    await box.pressSequentially("exception:Mem");
    await soon(() =>
      offered.evaluateAll((all) => all.map((one) => one.getAttribute("value"))),
    ).toEqual(["exception:MemoryError"]);
    await box.fill("exception:MemoryError before_end:<10s");
    await soon(() => rows.count()).toBe(1);
    await box.fill("levl:error");
    await page.locator("#event-list").getByText("Did you mean level?").waitFor();
    expect(await page.locator("#event-list mark").textContent()).toBe("levl:error");
    await expectAccessible(page);
    await box.fill("level:>=error -is:exception");
    await soon(() => page.locator("#event-list .empty").count()).toBe(0);
    await soon(() => rows.count()).toBeGreaterThan(0);
    const { page: other } = await world.look(page.url().replace(world.server.url, ""));
    expect(await other.getByLabel("Search events").inputValue()).toBe(
      "level:>=error -is:exception",
    );
    expect(await other.locator("#event-list > .event").count()).toBe(await rows.count());
    expect(complaints).toEqual([]);
  });

  test("the events follow the cursor", async () => {
    const { page } = await world.look("/sessions/broken");
    const here = page.locator("#event-list > [data-here]");
    await soon(() => here.textContent()).toContain("session_crashed_detected");
    await page.keyboard.press("Shift+ArrowLeft");
    await soon(() => here.textContent()).toContain("MemoryError");
    expect(await here.count()).toBe(1);
  });

  test("what happened is copied as Markdown, with a link to the moment", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const copied = () => page.evaluate<string>("navigator.clipboard.readText()");
    await page.getByRole("button", { name: "Copy for a ticket" }).click();
    await soon(copied).toMatch(
      /\*\*`Crashed: MemoryError: cannot allocate [^`]+`\*\* `archive-game 1\.4\.2`/,
    );
    const text = await copied();
    expect(text).toContain("- `Signal SIGKILL: killed by a person");
    expect(text).toMatch(/- `[\d:.]+ exception MemoryError: cannot allocate/);
    expect(text).toContain(`${world.server.url}/sessions/broken?t=${END})`);
    expect(text).toMatch(/UTC|GMT|[+-]\d\d:\d\d/);
    expect(text).toMatch(/Where: `.+:\d+\)`/);
    expect(text).toContain(`](${world.server.url}/exceptions/`);
    await page.keyboard.press("Home");
    await page.getByRole("button", { name: "Copy link" }).click();
    await soon(copied).toBe(`${world.server.url}/sessions/broken?t=${START}`);
    expect(complaints).toEqual([]);
  });

  test("the filtered events are counted, and the address has the filters", async () => {
    const { page, complaints } = await world.look("/sessions/broken");
    const count = () => page.locator("#events .count").textContent();
    const filter = page.locator("#events-filter");
    expect(await count()).toBe("102");
    await filter.locator("[name=category]").selectOption("warning");
    await soon(count).toMatch(/^\d+ of 102$/);
    expect(parameter(page, "category")).toBe("warning");
    await filter.locator("[name=category]").selectOption("");
    await filter.locator("[name=text]").fill("opened by ada");
    await soon(count).toBe("50+ of 102");
    await page.locator("#event-list").scrollIntoViewIfNeeded();
    await page.locator("#event-list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await soon(count).toMatch(/^[5-9]\d of 102$/);
    const all = await count();
    expect(await page.locator("#event-list > .event").count()).toBe(Number(all?.slice(0, 2)));

    await filter.locator("[name=text]").fill("allocate");
    await filter.locator("[name=order]").selectOption("asc");
    await soon(count).toBe("1 of 102");
    const { page: other } = await world.look(page.url().replace(world.server.url, ""));
    expect(await other.locator("#events .count").textContent()).toBe("1 of 102");
    expect(await other.locator("#event-list > .event").count()).toBe(1);
    expect(await other.locator("#events-filter [name=order]").inputValue()).toBe("asc");
    await filter.locator("[name=text]").fill("");
    await filter.locator("[name=order]").selectOption("desc");
    await soon(count).toBe("102");
    expect(new URL(page.url()).search).toBe("");
    expect(complaints).toEqual([]);
  });

  test("output is a terminal that ends at the cursor", async () => {
    const { page, complaints } = await world.look("/sessions/command");
    const lines = page.locator("#terminal > li");
    expect(await lines.last().textContent()).toBe("compiling module 119 of 120");
    await clickAxis(page, 0.5);
    await soon(() => lines.count()).toBeLessThan(70);
    expect(
      await page
        .locator("#terminal")
        .evaluate((t) => t.scrollHeight - t.scrollTop - t.clientHeight),
    ).toBeLessThan(30);
    expect(complaints).toEqual([]);
  });

  test("? shows the keys, Escape hides them", async () => {
    const { page } = await world.look("/sessions/broken");
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("previous change, next change").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  });

  test("times are the viewer's own, and UTC one click away", async () => {
    const { page } = await world.look(`/sessions/broken?t=${START}`);
    const shown = page.locator(".cursor-header h2 time");
    const utc = new Date(START).toISOString().slice(11, 19);
    expect(await shown.textContent()).not.toContain(utc);
    await page.getByRole("button", { name: "UTC" }).click();
    await soon(() => shown.textContent()).toContain(
      `${utc}.${String(START % 1_000).padStart(3, "0")} UTC`,
    );
    await page.reload();
    expect(await shown.textContent()).toContain(utc);
  });

  test("times have a date only if the session passes midnight", async () => {
    const { page } = await world.look("/sessions/late");
    const times = () => page.locator("#event-list time").allTextContents();
    await soon(times).toEqual(["01-16 00:10:00.000", "01-15 23:51:00.000"]);
    await page.getByRole("button", { name: "UTC" }).click();
    await soon(times).toEqual(["23:10:00.000", "22:51:00.000"]);
  });

  test("the tab's icon has the status' colour", async () => {
    const { page } = await world.look("/sessions/broken");
    expect(await page.locator("link[rel=icon]").getAttribute("href")).toBe("/icon/crashed.svg");
    const icon = await world.send("/icon/crashed.svg");
    expect(icon.headers.get("content-type")).toBe("image/svg+xml");
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const id of ["broken", "command"]) {
      test(`everyone can use ${id} in ${colorScheme}`, async () => {
        const path = encodeURIComponent(JSON.stringify(["player", "hp"]));
        const { page } = await world.look(`/sessions/${id}?t=${END - 400}&path=${path}`, {
          colorScheme,
        });
        for (const summary of await page.locator(".statistics > summary").all())
          await summary.click();
        await expectAccessible(page);
      });
    }
  }

  for (const width of [360, 1_440]) {
    for (const id of ["broken", "spicy", "long"]) {
      test(`nothing of ${id} reaches out of a screen of ${width}`, async () => {
        const path = encodeURIComponent(JSON.stringify(["player", "hp"]));
        const { page } = await world.look(`/sessions/${id}?path=${path}`, {
          viewport: { width, height: 780 },
          hasTouch: true,
        });
        for (const summary of await page.locator(".statistics > summary").all())
          await summary.click();
        expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
        if (id === "broken" && width === 360) await expectAccessible(page);
      });
    }
  }
});
