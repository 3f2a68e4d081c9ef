/** The panel at the cursor of a session's page, and the history of a value. */
import { beforeAll, expect, test } from "vitest";
import { ask, batch, END, get, recordWorld, SAMPLE, START } from "./site.ts";
import { record } from "./world.ts";

beforeAll(recordWorld);

test("an address with a moment shows its state, the last change, and the steps around it", async () => {
  const last = await get("/sessions/broken/state.json");
  const first = await get(`/sessions/broken/state.json?t=${START + 100}`);
  expect(JSON.parse(last.html).player.hp).toBe(7);
  expect(JSON.parse(first.html).player.hp).toBe(100);

  const { html } = await get(`/sessions/broken?t=${END - 400}`);
  expect(html).toContain('data-change="changed"');
  expect(html).toContain('data-change="added"');
  expect(html).toMatch(/id="previous-change" href="\/sessions\/broken\?t=\d+"/);
  expect(html).toMatch(/id="next-event" href="\/sessions\/broken\?t=\d+"/);
});

test("a change that arrived late is shown where the state has it, with the time of its record", async () => {
  const at = START;
  const id = "late-patch";
  await record(ask, [
    batch(id, [
      SAMPLE,
      { op: "state", at: at + 5_000, patch: { a: 1 } },
      { op: "end", at: at + 6_000 },
    ]),
    { ...batch(id, [{ op: "state", at: at + 2_000, patch: { b: { c: 1 } } }]), lane: "lane-2" },
  ]);
  const { html } = await get("/sessions/late-patch/moment");
  expect(html).toMatch(new RegExp(`2 values changed at\\s*<a href="[^"]*" data-t="${at + 5_000}"`));
  const recorded = `recorded <time datetime="${new Date(at + 2_000).toISOString()}"`;
  expect(html).toContain(recorded);
  const path = encodeURIComponent('["b","c"]');
  const history = await get(`/sessions/late-patch/history?path=${path}`);
  expect(history.html).toContain(`data-t="${at + 5_000}"`);
  expect(history.html).toContain(recorded);
});

test("every value on the page is that at the cursor, without script too", async () => {
  const readings = async (query: string) => {
    const { html } = await get(`/sessions/broken${query}`);
    return [...html.matchAll(/data-reading[^>]*>([^<]*)</g)].map(([, text]) => text);
  };
  const [last, early, before] = [
    await readings(""),
    await readings(`?t=${START + 30_000}`),
    await readings(`?t=${START - 1}`),
  ];
  expect(last).toHaveLength(7);
  expect(early).not.toEqual(last);
  expect(early.every((text) => /\d/.test(text ?? ""))).toBe(true);
  expect(before).toEqual(last.map(() => "–"));
});

test("moments may be dates, and invalid ones are ignored", async () => {
  const date = new Date(START + 100).toISOString();
  expect(JSON.parse((await get(`/sessions/broken/state.json?t=${date}`)).html).player.hp).toBe(100);
  expect((await get("/sessions/broken?t=soon&from=9&to=1&path=nope")).status).toBe(200);
});

test("a value's history has each value, its duration, and the event before", async () => {
  const path = JSON.stringify(["player", "hp"]);
  const { html } = await get(`/sessions/broken/history?path=${encodeURIComponent(path)}`);
  expect(html).toContain("until the end");
  expect(html).toMatch(/for \d/);
  expect(html).toMatch(/after <span class="event-name">/);
});

test("the state can be searched by key and value", async () => {
  const { html } = await get("/sessions/broken/moment?q=backend");
  expect(html).toContain(">backend</a>");
  expect(html).not.toContain(">vsync</a>");
  expect((await get("/sessions/broken/moment?q=nowhere")).html).toContain(
    "No keys or values match",
  );
});
