/** The list of sessions, and its views. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { SERVER } from "../../src/core/access/authority.ts";
import { sessionOf } from "../../src/session/client.ts";
import { ask, get, recordWorld, START, submit } from "./site.ts";
import { nameless, record } from "./world.ts";

beforeAll(recordWorld);

test("the list has filters, a metric's sparkline, and a link to the next page", async () => {
  const crashed = await get("/sessions?status=crashed&product=archive-game");
  expect(crashed.html).toContain('href="/sessions/broken"');
  expect(crashed.html).not.toContain('href="/sessions/well"');
  const charts = await get("/sessions?metric=fps");
  expect(charts.html).toMatch(
    /class="sparkline".*?<\/svg><small title="last value [\d.]+">[\d.]+<\/small>/,
  );
  const hour = await get("/sessions?within=day&status=crashed");
  expect(hour.html).toContain('<span class="hidden">Remove: </span><span>last day</span>');
  expect(hour.html).toContain('href="/sessions/broken"');
  expect(hour.html).toContain(
    'href="/sessions?within=day&amp;status=crashed&amp;sort=product&amp;order=asc',
  );
  const state = await get("/sessions?path=player.hp&value=7");
  expect(state.html).toContain('href="/sessions/broken"');
  expect(state.html).not.toContain('href="/sessions/command"');
  expect((await get("/sessions?text=nothinglikeit")).html).toContain(
    "No sessions match these filters",
  );
});

test("a failed session looks different from a good one", async () => {
  await record(ask, nameless({ id: "failed", at: START }));
  await sessionOf(env, SERVER, "failed").publish();
  const { html } = await get("/sessions");
  expect(html).toContain('href="/sessions/failed" data-status="ended" data-failed=""');
  expect(html).toContain('href="/sessions/well" data-status="ended">');
});

test("a row of the list has little markup", async () => {
  const { html } = await get("/sessions?product=archive-game");
  const rows = html.match(/<tr>(?=<td><input).*?<\/tr>/g) ?? [];
  expect(rows.length).toBe(2);
  for (const row of rows) expect(row.length - 3 * "broken".length).toBeLessThan(440);
});

test("a product or version without a name can be selected everywhere", async () => {
  await record(ask, nameless({ id: "nameless", at: START }));
  await sessionOf(env, SERVER, "nameless").publish();
  const rows = async (query: string) => {
    const { html } = await get(`/sessions?${query}`);
    return [...html.matchAll(/href="\/sessions\/([a-z]+)" data-status/g)].map(([, id]) => id);
  };
  expect(await rows("product=(none)")).toContain("nameless");
  expect(new Set(await rows("version=(none)"))).toEqual(new Set(["command", "nameless", "failed"]));
  const { html } = await get("/sessions?product=(none)");
  expect(html).toContain('<option value="(none)" selected="">unnamed (2)</option>');
  expect((await get("/")).html).toContain(
    'href="/sessions?product=npm+run+check&amp;version=%28none%29"',
  );
  const groups = await get("/exceptions");
  expect(groups.html).toContain('<option value="" selected="">Any product</option>');
  expect(groups.html).toContain('<option value="(none)">unnamed</option>');
  const path = /href="(\/exceptions\/[^"]+\?product=%28none%29)"/.exec(groups.html)?.[1] ?? "";
  expect((await get(path)).html).toContain('href="/sessions/nameless"');

  const api = async (path: string) => (await ask(`/api/${path}`)).json<{ items: object[] }>();
  expect(await api("sessions?product=(none)")).toMatchObject({
    items: [{ product: "" }, { product: "" }],
  });
  expect((await api("products?product=(none)")).items).toHaveLength(1);
  expect(await api("exceptions?product=(none)")).toMatchObject({ items: [{ product: "" }] });
});

test("the versions offered are those of the selected product", async () => {
  const { html } = await get("/sessions?product=archive-game", { "hx-request": "true" });
  const offered = /<hx-partial hx-target="#versions".*?<\/hx-partial>/s.exec(html)?.[0] ?? "";
  expect(offered).toContain(">1.4.2 (1)</option>");
  expect(offered).not.toContain("no version");
});

test("views are saved as their search, and can be deleted", async () => {
  const saved = await submit("/views", {
    name: "Crashed games",
    query: "status=crashed&product=archive-game&evil=<x>",
  });
  expect(saved.headers.get("location")).toBe("/sessions?product=archive-game&status=crashed");
  expect((await get("/sessions")).html).toContain(">Crashed games</a>");
  await submit("/views/delete", { name: "Crashed games" });
  expect((await get("/sessions")).html).not.toContain("Crashed games");
});

test("a view keeps a query, which finds the same when it is opened, and none that is not understood", async () => {
  const text = 'product:archive-game is:crashed state.level.index:>2 -tag:"x y"';
  const saved = await submit("/views", {
    name: "By a query",
    query: new URLSearchParams({ text, within: "month" }).toString(),
  });
  const opened = saved.headers.get("location") ?? "";
  expect(Object.fromEntries(new URL(opened, "http://localhost").searchParams)).toEqual({
    product: "archive-game",
    status: "crashed",
    text: 'state.level.index:>2 -tag:"x y"',
    within: "month",
  });
  const link = /<a href="(\/sessions[^"]*)"[^>]*>By a query<\/a>/.exec(
    (await get("/sessions")).html,
  );
  const { html } = await get(link?.[1]?.replaceAll("&amp;", "&") ?? "");
  expect(html).toContain('href="/sessions/broken"');
  expect(html).not.toContain('href="/sessions/well"');
  expect(html).toContain('aria-current="page">By a query</a>');
  const refused = await submit("/views", { name: "Wrong", query: "text=colour:red" });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain("There is no field colour");
  expect((await get("/sessions")).html).not.toContain(">Wrong</a>");
  await submit("/views/delete", { name: "By a query" });
});

test("products, versions and statuses have their number of sessions", async () => {
  const { html } = await get("/sessions?product=archive-game");
  expect(html).toContain(">archive-game (2)</option>");
  expect(html).toContain(">1.4.2 (1)</option>");
  expect(html).toContain('<small id="count-crashed">1</small>');
  const fragment = await get("/sessions?product=npm%20run%20check", { "hx-request": "true" });
  expect(fragment.html).toMatch(/<hx-partial hx-target="#count-crashed"[^>]*>0</);
  // Of a text or another condition they are not known.
  for (const other of ["text=gone", "event=saved", "text=exit_code:1", "within=month"]) {
    const narrowed = await get(`/sessions?product=archive-game&${other}`);
    expect(narrowed.html, other).toContain('<small id="count-crashed"></small>');
  }
});
