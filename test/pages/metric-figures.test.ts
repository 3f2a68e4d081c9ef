/** The figures of metrics across sessions. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { SERVER } from "../../src/core/access/authority.ts";
import { sessionOf } from "../../src/session/client.ts";
import { ask, batch, get, type Op, recordWorld, SAMPLE, START } from "./site.ts";
import { record } from "./world.ts";

beforeAll(recordWorld);

test("metrics are compared over the sessions of a query, and one that is not understood is explained", async () => {
  const { html } = await get("/metrics?metric=fps&by=session&text=has:exception");
  expect(html).toContain('value="has:exception"');
  expect(html).toContain("over-time");
  const { html: none } = await get("/metrics?metric=fps&text=has:event%20-has:event");
  expect(none).not.toContain("over-time");
  const { html: wrong } = await get("/metrics?metric=fps&text=is:crashd");
  expect(wrong).toContain("Did you mean crashed?");
  expect(wrong).toContain("<mark>crashd</mark>");
});

test("a metric is compared by version, as lines, table and CSV", async () => {
  const { html } = await get("/metrics?metric=fps&by=version");
  expect(html).toContain("archive-game 1.4.1");
  expect(html).toContain('class="plot-line"');
  const csv = await get("/metrics.csv?metric=fps&by=version");
  expect(csv.headers.get("content-type")).toContain("text/csv");
  expect(csv.html.split("\r\n")[0]).toBe(
    "group,sessions,points,mean,min,max,p50,p95,p99,stddev,quantiles_exact",
  );
  expect(csv.html).toContain("archive-game 1.4.2,1,");
});

test("the figures of one group have the digits that distinguish its lowest from its highest", async () => {
  const values = [1_000_000_000_000.5, 1_000_000_000_003.5];
  const ops = values.map((value, i): Op => ({
    op: "metric",
    at: START + i * 1_000,
    type: "gauge",
    name: "position",
    value,
  }));
  await record(ask, [batch("far", [SAMPLE, ...ops])]);
  await sessionOf(env, SERVER, "far").publish();
  const { html } = await get("/metrics?metric=position&by=none");
  const cells = [...html.matchAll(/<td class="number">([^<]*)<\/td>/g)].map(([, text]) => text);
  expect(cells.slice(1, 4)).toEqual([
    "1,000,000,000,002",
    "1,000,000,000,000.5",
    "1,000,000,000,003.5",
  ]);
});

test("a counter has a rate, and no mean of its totals", async () => {
  const { html } = await get("/metrics?metric=assets_loaded");
  expect(html).toContain("assets_loaded, rate per session since start");
  expect(html).toContain(">Updates</a></th>");
  expect(html).not.toMatch(/>(Mean|p95|Std dev)</);
  expect(html).not.toContain('id="distribution"');
  // What was chosen for another metric does not make it a mean of totals.
  const asked = await get("/metrics?metric=assets_loaded&aggregate=mean");
  expect(asked.html).toContain("assets_loaded, rate per session");
  const csv = await get("/metrics.csv?metric=assets_loaded");
  expect(csv.html.split("\r\n")[0]).toBe("group,sessions,points,total,rate");

  const compared = await get("/compare?ids=broken&ids=well");
  expect(compared.html).toMatch(
    /total<\/span><\/th><td>\d+<\/td>.*rate<\/span><\/th><td>[\d.]+\/s</,
  );
});

test("a fragment has its title and its address, without defaults", async () => {
  const { html, headers } = await get(
    "/metrics?metric=fps&product=&by=version&aggregate=&axis=elapsed&version=1.4.2",
    { "hx-request": "true" },
  );
  expect(headers.get("hx-push-url")).toBe("/metrics?version=1.4.2&metric=fps");
  expect(html).toContain("<head><title>fps by version 1.4.2 · Datacat</title></head>");
});

test("versions are in the table from the newest, in numeric order", async () => {
  const { html } = await get("/metrics?metric=fps&by=version&product=archive-game");
  expect(html.indexOf(">archive-game 1.4.2<")).toBeLessThan(html.indexOf(">archive-game 1.4.1<"));
});

test("a quantile across sessions is a line over time, and the filters are those of the list", async () => {
  const { html } = await get("/metrics?metric=fps&by=none&aggregate=p95");
  expect(html).toContain("fps, p95 since start");
  expect(html).toContain("≈ within 1 %");
  const line = /class="plot-line"[^>]*d="([^"]+)"/.exec(html)?.[1] ?? "";
  expect(line.match(/L[\d.]+ [\d.]+/g)?.length).toBeGreaterThan(5);
  const hurt = await get("/metrics?metric=fps&by=session&path=world.chunks_loaded&value=412");
  expect(hurt.html).toContain('href="/sessions/broken"');
  expect(hurt.html).not.toContain(">well</th>");
  expect(hurt.html).toMatch(/<details class="more-filters" open/);
});
