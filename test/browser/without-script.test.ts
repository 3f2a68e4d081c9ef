import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command, game } from "../pages/world.ts";
import { hasBrowser, soon, World } from "./browser.ts";

const START = Date.now() - 3_600_000;

describe.skipIf(!hasBrowser)("without script", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.record(game({ id: "broken", at: START }), command({ id: "check", at: START }));
    await world.listed("broken", "check");
  });
  afterAll(() => world.close());

  const look = async (path: string) => (await world.look(path, { javaScriptEnabled: false })).page;

  test("a session is read, and stepped through by links", async () => {
    const page = await look("/sessions/broken");
    await page.locator("#previous-change").click();
    await page.locator("#previous-change").click();
    expect(Number(new URL(page.url()).searchParams.get("t"))).toBeLessThan(START + 140_000);
    await page.locator("#state").getByRole("link", { name: "hp", exact: true }).click();
    await page.locator("#history .change").first().waitFor();
    expect(await page.locator("#timeline .bars").count()).toBeGreaterThan(3);
  });

  test("metrics are visible, with values at the cursor", async () => {
    const page = await look(`/sessions/broken?t=${START + 70_000}`);
    const chart = page.locator(".chart", { hasText: "memory" });
    expect(await chart.locator("[data-reading]").textContent()).toMatch(/MiB$/);
    const picture = chart.locator("img");
    await picture.scrollIntoViewIfNeeded();
    await soon(() =>
      picture.evaluate((image) => (image as HTMLImageElement).naturalWidth),
    ).toBeGreaterThan(0);
    expect((await picture.boundingBox())?.height).toBeGreaterThan(40);
    const cursor = await page.locator(".static-cursor line").boundingBox();
    const plot = await page.locator("#timeline [data-kind=events] .row-plot").boundingBox();
    if (!cursor || !plot) throw new Error("The timeline has no cursor");
    expect(Math.abs((cursor.x - plot.x) / plot.width - 0.5)).toBeLessThan(0.01);
    const svg = await (await world.send((await picture.getAttribute("src")) ?? "")).text();
    expect(svg.match(/<path/g)).toHaveLength(3);
    expect(svg).not.toContain("NaN");
  });

  test("the cursor is set by a date, and the state is searched", async () => {
    const page = await look("/sessions/broken");
    await page.getByLabel("Cursor", { exact: true }).fill(new Date(START + 100).toISOString());
    await page.locator("#view").getByRole("button", { name: "Go" }).click();
    expect(await page.locator("#state").textContent()).toContain("100");
    await page.getByLabel("Find in state").fill("vulkan");
    await page.getByLabel("Find in state").press("Enter");
    await soon(() => page.locator("#state .node").count()).toBe(2);
  });

  test("events are searched and paged", async () => {
    const page = await look("/sessions/broken");
    await page.getByRole("link", { name: "More events" }).click();
    expect(page.url()).toContain("cursor=");
    await page.getByLabel("Search events").fill("allocate");
    await page.locator("#events-filter").getByRole("button", { name: "Show" }).click();
    expect(await page.locator("#event-list > .event").count()).toBe(1);
  });

  test("sessions are searched, and colours chosen", async () => {
    const page = await look("/sessions");
    await page.getByLabel("Search sessions").fill("npm");
    await page
      .getByRole("search", { name: "Sessions" })
      .getByRole("button", { name: "Search" })
      .click();
    expect(await page.locator(".sessions tbody tr").count()).toBe(1);
    await page.getByRole("button", { name: "Dark" }).click();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
  });
});
