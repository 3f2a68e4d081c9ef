/** Tags on the pages of a session: their key and value, the searches that they lead to, and the colours of series. */
import { beforeAll, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { tagColours } from "../../src/pages/session/tag-colours.tsx";
import { server } from "../api/server.ts";
import { record } from "./world.ts";

const START = Date.now() - 60_000;
const ask = server();
const get = async (path: string) => (await ask(path)).text();

type Op = Batch["ops"][number];

const gauge = (name: string, tags: string[], value: number): Op => ({
  op: "metric",
  type: "gauge",
  at: START + value,
  name,
  tags,
  value,
});

const OPS: Op[] = [
  { op: "start", at: START, product: "tagged", tags: ["branch:feature/x, y", "nightly", "12:30"] },
  { op: "event", at: START + 1, name: "door", labels: ['room:"attic", left', "locked"] },
  { op: "event", at: START + 2, name: "door", labels: ["room:cellar"] },
  ...[10, 2, 1].map((gpu) => gauge("busy", [`gpu:${gpu}`, "of:machine"], gpu)),
  gauge("loss", ["split:train"], 4),
  gauge("loss", ["split:valid"], 5),
  gauge("memory", ["gpu:2"], 6),
];

beforeAll(() =>
  record(ask, [{ session: "tagged", lane: "l", first: 1, last: OPS.length, ops: OPS }]),
);

/** The charts of a page in order: their name, their colour, and the tag that is coloured. */
function chartsIn(html: string) {
  return html
    .split("<article ")
    .slice(1)
    .filter((part) => part.includes('class="chart"'))
    .map((part) => [
      /aria-label="([^",]+)/.exec(part)?.[1],
      /^[^>]* data-colour="(\d)"/.exec(part)?.[1],
      /data-coloured="">(.*?)<\/span>([^<]*)/.exec(part)?.[2],
    ]);
}

test("the tags of a session are key and value, and each is a search for the sessions that have it", async () => {
  const html = await get("/sessions/tagged");
  expect(html).toContain('<span class="tag-key">branch:</span>feature/x, y</a>');
  expect(html).toContain('href="/sessions?tag=branch%3Afeature%2Fx%2C+y"');
  expect(html).toMatch(/title="12:30"[^>]*>12:30<\/a>/);
});

test("the tags of an event are searches in the list, whatever they contain", async () => {
  const html = await get("/sessions/tagged");
  const links = [...html.matchAll(/<a class="tag" href="(\/sessions\/tagged\?[^"]+)#events"/g)].map(
    ([, href]) => (href ?? "").replaceAll("&amp;", "&"),
  );
  expect(links).toHaveLength(3);
  const counts = await Promise.all(
    links.map(async (link) => (await get(link)).match(/id="event-\d+"/g)?.length),
  );
  expect(counts).toEqual([1, 1, 1]);
});

test("series have the colour of the tag in which most of one name differ, also as images", async () => {
  const html = await get("/sessions/tagged");
  expect(chartsIn(html)).toEqual([
    ["busy", "1", "1"],
    ["busy", "2", "2"],
    ["busy", "3", "10"],
    ["loss", undefined, undefined],
    ["loss", undefined, undefined],
    ["memory", "2", "2"],
  ]);
  const pictures = [...html.matchAll(/\/charts\/(\d)\.svg\?[^"]*colour=(\d)/g)];
  expect(pictures.map(([, id, colour]) => `${id} ${colour}`)).toEqual(["2 1", "1 2", "0 3", "5 2"]);
  const picture = async (query: string) =>
    /stroke="(#[0-9a-f]+)"/.exec(await get(`/sessions/tagged/charts/0.svg${query}`))?.[1];
  expect(await picture("")).toBe("#3d8fc4");
  expect(await picture("?colour=1")).toBe("#e8702a");
  for (const query of ["?colour=99", "?colour=x", "?colour=length"])
    expect(await picture(query), query).toBe("#3d8fc4");
});

test("another tag is chosen, or none; one that no series has colours nothing", async () => {
  const split = await get("/sessions/tagged/metrics?colour=split");
  expect(chartsIn(split).map(([, colour]) => colour)).toEqual([undefined, undefined, undefined, "1", "2", undefined]); // prettier-ignore
  expect(split).toContain('<option value="split" selected="">split</option>');
  for (const colour of ["(none)", "planet", '%22"'])
    expect(chartsIn(await get(`/sessions/tagged/metrics?colour=${colour}`)).flatMap(([, each]) => each ?? []), colour).toEqual([]); // prettier-ignore
  expect(await get("/sessions/tagged/metrics?colour=planet")).toContain(
    '<option value="planet" selected="">',
  );
});

test("values after the last colour share one, and a key without values distinguishes nothing", () => {
  const series = Array.from({ length: 9 }, (_, n) => ({ name: "busy", tags: [`gpu:${n}`, "all"] }));
  const { key, keys, values, colourOf } = tagColours(series, undefined);
  expect({ key, keys, values }).toEqual({ key: "gpu", keys: ["gpu"], values: 9 });
  expect(series.map(colourOf)).toEqual([1, 2, 3, 4, 5, 6, 0, 0, 0]);
  expect(colourOf({ name: "other", tags: ["gpu"] })).toBeUndefined();
  expect(tagColours([{ name: "a", tags: ["x:1"] }, { name: "b", tags: ["x:2"] }], undefined)).toMatchObject({ key: undefined, keys: [] }); // prettier-ignore
});
