/** The charts of a session's page. */
import { beforeAll, expect, test } from "vitest";
import { ask, batch, get, type Op, recordWorld, SAMPLE, START } from "./site.ts";
import { record } from "./world.ts";

beforeAll(recordWorld);

test("a series of one value has one label on its scale", async () => {
  const gauge = (name: string, value: number): Op => ({
    op: "metric",
    at: START + 1_000 + value,
    type: "gauge",
    name,
    value,
  });
  const ops = [gauge("flat", 8), gauge("flat", 8), gauge("steep", 1), gauge("steep", 9)];
  await record(ask, [batch("flat", [SAMPLE, ...ops])]);
  const { html } = await get("/sessions/flat");
  expect(html).toContain('<span data-most="true">8</span><span data-least="true"></span>');
  expect(html).toContain('<span data-most="true">9</span><span data-least="true">1</span>');
});

test("a chart is an image without script, which pages with script do not fetch", async () => {
  const { html } = await get(`/sessions/broken?from=${START}&to=${START + 60_000}`);
  const pictures = [...html.matchAll(/<noscript><img class="chart-sparkline" src="([^"]+)"/g)];
  expect(pictures).toHaveLength(7);
  const source = pictures[0]?.[1]?.replaceAll("&amp;", "&") ?? "";
  const picture = await get(source);
  expect(picture.headers.get("content-type")).toBe("image/svg+xml");
  expect(picture.html).toMatch(/^<svg xmlns="[^"]+"[^>]*>(<path [^<>]*\/>){2}<\/svg>$/);
  expect((await get("/sessions/broken/charts/99.svg")).status).toBe(404);
  expect((await get("/sessions/broken/metrics", { "hx-request": "true" })).html).not.toContain(
    "<img",
  );
});

test("charts have the readings of the requested range only", async () => {
  const { html } = await get(
    `/sessions/broken/charts?ids=0,1,2,3,4,5,6,7&from=${START}&to=${START + 60_000}`,
  );
  const charts = JSON.parse(html);
  expect(charts.length).toBeGreaterThan(5);
  for (const { from, readings } of charts) {
    expect(from).toBeGreaterThanOrEqual(START);
    expect(readings.at(-1)[0]).toBeLessThanOrEqual(60_000);
  }
});
