/** The page of metrics across sessions, over six sessions of known values. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { SERVER } from "../../src/core/access/authority.ts";
import { sessionOf } from "../../src/session/client.ts";
import { server } from "../api/server.ts";
import { record } from "./world.ts";

const ask = server();
const START = Date.UTC(2026, 9, 20, 12);
const HOUR = 3_600_000;
type Op = Batch["ops"][number];

const state = (at: number, patch: { [key: string]: string | number }): Op => ({
  op: "state",
  at,
  patch,
});

/** Session `n` is of branch main or dev, runs for ten seconds and has an fps of 10 n + 1 to 10 n + 10 and a memory of 100 n. */
function session(n: number): Batch[] {
  const at = START + n * HOUR;
  const ops: Op[] = [
    {
      op: "start",
      at,
      product: "shop",
      version: `1.${n % 2}`,
      tags: n < 5 ? [`branch:${n < 3 ? "main" : "dev"}`] : [],
    },
    ...Array.from({ length: 10 }, (_, i): Op => ({
      op: "metric",
      type: "gauge",
      at: at + i * 1_000,
      name: "fps",
      value: 10 * n + i + 1,
    })),
    { op: "metric", type: "gauge", at: at + 5_000, name: "memory", unit: "bytes", value: 100 * n },
    { op: "metric", type: "gauge", at: at + 5_000, name: "balance", value: n - 2 },
    ...(n < 2 ? [state(at, { renderer: n === 0 ? "gl" : "vulkan" })] : []),
    ...(n === 5 ? Array.from({ length: 20 }, (_, i) => state(at + i, { many: i })) : []),
    { op: "end", at: at + 10_000, exit_code: n === 4 ? 3 : 0 },
  ];
  const id = `shop-${n}`;
  return [{ session: id, lane: `${id}-lane`, first: 1, last: ops.length, ops }];
}

beforeAll(async () => {
  for (let n = 0; n < 6; n++) {
    await record(ask, session(n));
    await sessionOf(env, SERVER, `shop-${n}`).publish();
  }
});

async function get(path: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await ask(path, { headers });
  // Conditions of the box move into fields.
  const to = answer.headers.get("location");
  if (answer.status === 302 && to !== null && to !== path) return get(to, headers);
  expect(answer.status, path).toBe(200);
  return answer.text();
}

/** The first cells of each row of the first table: the group and its sessions. */
function rowsOf(html: string, id = "table"): string[][] {
  const table = new RegExp(`id="${id}".*?</table>`, "s").exec(html)?.[0] ?? "";
  const rows = [...table.matchAll(/<tr><th scope="row">.*?<\/tr>/gs)].map(([row]) => row);
  return rows.map((row) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = ""]) =>
      cell.replaceAll(/<[^>]*>/g, "").trim(),
    ),
  );
}

const json = async (path: string) => JSON.parse(await get(path));

test("before a metric is chosen, those of the newest sessions are listed with their figures", async () => {
  const html = await get("/metrics?product=shop&by=status");
  expect(html).toContain("3 metrics in the newest 6 sessions that have any");
  const rows = rowsOf(html, "overview");
  expect(rows.map(([name, type, sessions, points]) => [name, type, sessions, points])).toEqual([
    ["fps", "gauge", "6", "60"],
    ["balance", "gauge", "6", "6"],
    ["memory", "gauge", "6", "6"],
  ]);
  expect(rows[0]?.slice(4, 7)).toEqual(["1", "60", "60"]);
  expect(html).toContain('class="sparkline"');
  // A link keeps the filter and the presentation.
  expect(html).toContain('href="/metrics?product=shop&amp;metric=fps&amp;by=status"');
  expect(await get("/metrics?product=none")).not.toContain('id="overview"');
});

describe("groups", () => {
  test("are by a value of the state, the system and the language, as far as these are known", async () => {
    const rows = rowsOf(await get("/metrics?metric=fps&by=state.renderer&product=shop"));
    expect(rows.map(([group, sessions]) => [group, sessions])).toEqual([
      ["none", "4"],
      ["gl", "1"],
      ["vulkan", "1"],
    ]);
    const html = await get("/metrics?metric=fps&by=state.many&product=shop");
    expect(html).toContain("1 session is in no group");
    expect(rowsOf(html)).toEqual([["none", "5", ...Array<unknown>(8).fill(expect.any(String))]]);
  });

  test("are by the value of a tag, and those without it are one", async () => {
    const rows = rowsOf(await get("/metrics?metric=fps&by=tag.branch"));
    expect(rows.map(([group, sessions]) => [group, sessions])).toEqual([
      ["none", "1"],
      ["dev", "2"],
      ["main", "3"],
    ]);
  });

  test("are by outcome, exit code and day", async () => {
    const groups = async (by: string) =>
      rowsOf(await get(`/metrics?metric=fps&by=${by}`)).map(([group, count]) => [group, count]);
    expect(await groups("status")).toEqual([
      ["ended", "5"],
      ["failed", "1"],
    ]);
    expect(await groups("exit_code")).toEqual([
      ["0", "5"],
      ["3", "1"],
    ]);
    expect(await groups("day")).toEqual([["2026-10-20", "6"]]);
  });

  test("link to the list of exactly their sessions", async () => {
    const html = await get("/metrics?metric=fps&by=tag.branch&product=shop");
    const links = [...html.matchAll(/<td class="number"><a href="(\/sessions[^"]*)">(\d+)</g)];
    expect(links.map(([, , count]) => count)).toEqual(["1", "2", "3"]);
    for (const [, path = "", count] of links) {
      const list = await get(path.replaceAll("&amp;", "&"));
      expect(list.match(/href="\/sessions\/shop-\d"/g), path).toHaveLength(Number(count));
    }
    for (const by of ["version", "status", "machine", "product", "exit_code", "day", "session"]) {
      const grouped = await get(`/metrics?metric=fps&by=${by}&product=shop`);
      const found = [...grouped.matchAll(/<td class="number"><a href="(\/sessions[^"]*)">(\d+)</g)];
      expect(found.length, by).toBeGreaterThan(0);
      for (const [, path = "", count] of found) {
        const list = await get(path.replaceAll("&amp;", "&"));
        expect(list.match(/href="\/sessions\/shop-\d"/g), path).toHaveLength(Number(count));
      }
    }
  });

  test("of nothing that can be grouped by are refused by the API, and named on the page", async () => {
    expect((await ask("/api/metrics/fps?by=colour")).status).toBe(400);
    expect(await get("/metrics?metric=fps&by=colour")).toContain("Nothing is called “colour”");
    const state = await json("/api/metrics/fps?by=tag.branch&product=shop");
    expect(state.statistics.map(({ group }: { group: string }) => group).sort()).toEqual([
      "",
      "dev",
      "main",
    ]);
  });
});

describe("the table", () => {
  test("is sorted by each column, in both directions", async () => {
    const order = async (query: string) =>
      rowsOf(await get(`/metrics?metric=fps&by=session&${query}`)).map(([id]) => id);
    const all = ["shop-0", "shop-1", "shop-2", "shop-3", "shop-4", "shop-5"];
    for (const column of ["mean", "min", "max", "p95", "group"]) {
      expect(await order(`table_sort=${column}&table_order=asc`), column).toEqual(all);
      expect(await order(`table_sort=${column}`), column).toEqual(all.toReversed());
    }
    const html = await get("/metrics?metric=fps&by=session&table_sort=mean");
    expect(html).toContain('aria-sort="descending"');
    expect(html).toContain("table_sort=mean&amp;table_order=asc");
  });

  test("is a CSV with the same rows in the same order, also of several metrics", async () => {
    const one = await get("/metrics.csv?metric=fps&by=session&table_sort=min&table_order=asc");
    const lines = one.trim().split("\r\n");
    expect(lines).toHaveLength(7);
    expect(lines[1]).toMatch(/^shop-0,1,10,5.5,1,10,/);
    const two = await get("/metrics.csv?metric=fps&also=memory&by=none");
    expect(
      two
        .trim()
        .split("\r\n")
        .map((line) => line.split(",").slice(0, 4).join()),
    ).toEqual(["metric,group,sessions,points", "fps,,6,60", "memory,,6,6"]);
  });

  test("is JSON with the figures and the steps", async () => {
    const answer = await json("/metrics.json?metric=fps&also=memory&by=version&axis=before_end");
    expect(answer).toMatchObject({ sessions: 6, partial: false, by: "version" });
    expect(answer.metrics.map(({ name }: { name: string }) => name)).toEqual(["fps", "memory"]);
    const [fps] = answer.metrics;
    expect(fps).toMatchObject({ type: "gauge", ungrouped: 0 });
    expect(fps.statistics[0]).toMatchObject({ group: "shop 1.1", sessions: 3, points: 30 });
    expect(fps.over_time.to).toBe(0);
    expect(fps.over_time.groups[0].steps.at(-1).at).toBeLessThan(0);
  });
});

describe("the chart", () => {
  test("has a plot and a table for each of several metrics, over one range", async () => {
    const html = await get("/metrics?metric=fps&also=memory&also=nothing&also=fps&by=none");
    expect(html).toContain("fps, mean since start");
    expect(html).toContain("memory, mean since start");
    expect(html).toContain("No metric “nothing”");
    const ranges = [
      ...html.matchAll(/<figure class="plot"[^>]* data-from="([^"]*)" data-to="([^"]*)"/g),
    ];
    expect(ranges).toHaveLength(2);
    expect(ranges[0]?.slice(1)).toEqual(ranges[1]?.slice(1));
    expect(rowsOf(html, "table-2")).toHaveLength(1);
  });

  test("is logarithmic, and names the values that it cannot have", async () => {
    const html = await get("/metrics?metric=balance&by=none&axis=clock&scale=log");
    expect(html).toContain("3 values of 0 or less cannot be on a logarithmic axis.");
    expect(/data-low="([^"]*)" data-high="([^"]*)"/.exec(html)?.slice(1)).toEqual(["1", "5"]);
  });

  test("shows a range of values, and names how many are outside of it", async () => {
    const html = await get("/metrics?metric=fps&by=none&axis=clock&low=20&high=40");
    expect(/data-low="([^"]*)" data-high="([^"]*)"/.exec(html)?.slice(1)).toEqual(["20", "40"]);
    expect(html).toContain("are above or below the shown range.");
    expect(html).toContain('data-cut=""');
    for (const wrong of ["low=x", "low=9&high=3", "high=-1e999", "low=1e300&high=1e301"])
      expect(await get(`/metrics?metric=fps&by=none&${wrong}`)).toContain("plot-line");
  });

  test("of one group has the range around its mean, so that no outlier is hidden", async () => {
    expect(await get("/metrics?metric=fps&by=none")).toContain('class="plot-band"');
    expect(await get("/metrics?metric=fps&by=version")).not.toContain('class="plot-band"');
  });

  test("lists the sessions of a step, with what each adds", async () => {
    const html = await get(`/metrics?metric=fps&by=none&axis=clock&at=${START + 2 * HOUR + 3_000}`);
    expect(html).toContain("Sessions in this step: 1");
    expect(rowsOf(html, "step")).toEqual([["shop 1.0 shop-2", "25.5", "21", "30", "10"]]);
    const start = await get("/metrics?metric=fps&by=none&at=4000");
    expect(rowsOf(start, "step").map(([name, mean]) => [name?.slice(-6), mean])).toEqual(
      [5, 4, 3, 2, 1, 0].map((n) => [`shop-${n}`, expect.stringMatching(/^\d+(\.5)?$/)]),
    );
    const list = /href="(\/sessions\?text=id[^"]*)"/.exec(start)?.[1]?.replaceAll("&amp;", "&");
    expect((await get(list ?? "")).match(/href="\/sessions\/shop-\d"/g)).toHaveLength(6);
    expect(await get("/metrics?metric=fps&by=none&at=99999999")).toContain(
      "No session has values in this step",
    );
  });

  test("of two metrics has a point for each session, which is a link", async () => {
    const html = await get("/metrics?metric=fps&axis=metric&x=memory&by=tag.branch");
    expect(html).toContain("fps (mean) against memory (mean)");
    const points = html.match(/<a href="\/sessions\/shop-\d"><circle/g);
    expect(points).toHaveLength(6);
    const log = await get("/metrics?metric=balance&axis=metric&x=memory&by=none&scale=log");
    expect(log).toContain("3 sessions with 0 or less cannot be on a logarithmic axis.");
    expect(await get("/metrics?metric=fps&axis=metric")).toContain(
      "Choose the metric of the horizontal axis",
    );
    expect(await get("/metrics?metric=fps&axis=metric&x=nothing")).toContain("No metric “nothing”");
  });
});

test("a view of metrics is saved with its presentation, and listed on the page of metrics", async () => {
  const body = new URLSearchParams({
    name: "Frames by branch",
    page: "/metrics",
    query: "metric=fps&also=memory&by=tag.branch&axis=before_end&scale=log&evil=<x>",
  });
  const saved = await ask("/views", { method: "POST", body, redirect: "manual" });
  const kept = "/metrics?metric=fps&also=memory&by=tag.branch&axis=before_end&scale=log";
  expect(saved.headers.get("location")).toBe(kept);
  expect(await get("/metrics")).toContain(">Frames by branch</a>");
  expect(await get(kept)).toContain('aria-current="page">Frames by branch</a>');
  expect(await get("/sessions")).not.toContain("Frames by branch");
});

test("the field of groups is completed", async () => {
  expect(await get("/suggest/groupings?by=")).toContain('<option value="exit_code">');
  expect(await get("/suggest/groupings?by=ver")).toContain('<option value="version">');
  expect(await get("/suggest/groupings?by=tag.")).toContain('<option value="tag.branch">');
  expect(await get("/suggest/groupings?by=state.ren")).toContain('<option value="state.renderer">');
  expect(await get("/suggest/further-metrics?also=fps&also=mem")).toContain('value="memory"');
});
