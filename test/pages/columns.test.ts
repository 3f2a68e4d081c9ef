/** The columns of the list of sessions, what it is sorted by, and what is newer than it. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { LEFT_OUT_BITS } from "../../src/catalog/search/filter.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import { LISTED_OPTIONS } from "../../src/pages/limits.ts";
import { server } from "../api/server.ts";
import { eventCount, metric, publication } from "../catalog/publication.ts";

const ask = server();
const START = Date.now() - 3_600_000;

async function html(path: string): Promise<string> {
  const answer = await ask(path, { redirect: "manual" });
  expect(answer.status).toBe(200);
  return answer.text();
}

beforeAll(async () => {
  const held = (path: string, value: string) => ({ path, value, first_at: START, last_at: null });
  await publish(
    env.CATALOG,
    publication("full", {
      session: { product: "columns", created_at: START, tags: '["branch:main","nightly"]' },
      metrics: [
        metric("mem", { unit: "bytes", p95: 3 * 2 ** 20, sum: 30, count: 2 }),
        metric("mem", { series: 2, p95: 1 }),
      ],
      event_counts: [eventCount("a,b", { count: 2 }), eventCount("a,b", { category: "error" })],
      state_values: [held("level", "=3"), held("name", '"<b>'), held("over", ANY_VALUE)],
    }),
    publication("empty", { session: { product: "columns", created_at: START + 1 } }),
    publication("cut", {
      session: {
        product: "columns",
        created_at: START + 2,
        left_out: LEFT_OUT_BITS.series | LEFT_OUT_BITS.state_paths | LEFT_OUT_BITS.event_names,
      },
    }),
  );
});

/** The texts of the chosen columns, by session. */
function cells(page: string): Record<string, string[]> {
  const rows = page.matchAll(/href="\/sessions\/(\w+)" data-status.*?<\/tr>/gs);
  const textOf = (cell: string) => cell.replaceAll(/<[^>]*>/g, "");
  return Object.fromEntries(
    Array.from(rows, ([row, id]) => [
      id,
      Array.from(row.matchAll(/<td[^>]* data-label.*?>(.*?)<\/td>/gs), ([, cell]) =>
        textOf(cell ?? ""),
      ),
    ]),
  );
}

const columns = (...names: string[]) =>
  `/sessions?product=columns&columns=${encodeURIComponent(names.join())}`;

test("any metric, count, value of the state and tag can be a column; not there and not known differ", async () => {
  const page = await html(
    columns(
      "metric.mem.p95",
      "metric.mem.mean",
      "event.a\\,b",
      "state.level",
      "state.name",
      "state.over",
      "tag.branch",
      "tag.nightly",
      "os",
    ),
  );
  expect(cells(page)).toEqual({
    full: ["3 MiB", "15 B", "3", "3", "&lt;b&gt;", "?", "main", "yes", "linux x86_64"],
    empty: ["–", "–", "–", "–", "–", "–", "–", "–", "linux x86_64"],
    cut: ["?", "?", "?", "?", "?", "?", "–", "–", "linux x86_64"],
  });
  for (const heading of ["mem, p95", "Event a,b", "level", "Tag branch", "System"])
    expect(page).toContain(`>${heading}</a></th>`);
});

test("every heading sorts, and sessions without a value come last", async () => {
  const page = await html(columns("metric.mem.p95", "state.level"));
  expect(page).toContain("sort=metric.mem.p95&amp;columns=metric.mem.p95%2Cstate.level");
  const sorted = await html(`${columns("state.level")}&sort=state.level&order=asc`);
  expect(Object.keys(cells(sorted))[0]).toBe("full");
  expect(sorted).toMatch(/aria-sort="ascending"><a [^>]*>level</);
  expect(sorted).toMatch(/<option value="state.level" selected[^>]*>level</);
  // A heading that sorts already turns the order.
  expect(sorted).toMatch(/<a href="[^"]*sort=state.level[^"]*">level<\/a>/);
});

test("unknown columns are left out and named, and the default ones need no parameter", async () => {
  const page = await html(columns("nonsense", "metric.mem", "version"));
  expect(cells(page)["full"]).toEqual(["1.0"]);
  expect(page).toContain("There are no columns “nonsense”, “metric.mem”.");
  expect(await html(columns("version", ""))).not.toContain("no column");
  const ticked = await html(
    "/sessions?product=columns&columns=product&columns=created_at&columns=ran_ms&columns=hostname&columns=events&columns=exceptions&columns=points",
  );
  expect(ticked.slice(ticked.indexOf(`id="list"`))).not.toContain("columns=");
  expect(ticked).toContain('<table class="sessions">');
});

test("a saved view has its columns", async () => {
  const body = new URLSearchParams({
    name: "Memory",
    query: columns("metric.mem.p95").split("?")[1] ?? "",
  });
  await ask("/views", { method: "POST", body, redirect: "manual" });
  expect(await html("/sessions")).toContain(
    'href="/sessions?product=columns&amp;columns=metric.mem.p95"',
  );
});

test("sessions that start while a list is open are counted above it, and move no row", async () => {
  const page = await html("/sessions?product=columns");
  const [, address = ""] = /hx-get="(\/sessions\/newer[^"]*)"/.exec(page) ?? [];
  const asked = address.replaceAll("&amp;", "&");
  expect(await html(asked)).not.toContain("newer session");
  await publish(
    env.CATALOG,
    publication("later", { session: { product: "columns", created_at: START + 9 } }),
    publication("elsewhere", { session: { product: "others", created_at: START + 9 } }),
  );
  expect(await html(asked)).toContain('<a href="/sessions?product=columns">1 newer session</a>');
  // Neither in another order nor on a later page.
  expect(await html("/sessions?product=columns&sort=events")).not.toContain("/sessions/newer");
  expect((await ask("/sessions/newer?after=x")).status).toBe(400);
});

test("versions are listed in their order, and very many are searched", async () => {
  const of = (version: string, n: number) =>
    publication(`v${version}`, {
      session: { product: "versions", version, created_at: START + n },
    });
  await publish(env.CATALOG, ...["1.10.0", "1.9", "1.10.0-rc.1"].map(of));
  const page = await html("/sessions?product=versions");
  const listed = Array.from(page.matchAll(/<option value="(1\.[^"]*)"/g), ([, version]) => version);
  expect(listed).toEqual(["1.10.0", "1.10.0-rc.1", "1.9"]);

  await publish(env.CATALOG, ...Array.from({ length: LISTED_OPTIONS }, (_, n) => of(`2.${n}`, n)));
  const many = await html("/sessions?product=versions&version=1.9");
  expect(many).toMatch(/<input id="version" name="version" value="1.9"/);
  const offered = await html("/suggest/versions?product=versions&version=rc");
  expect(offered).toBe('<option value="1.10.0-rc.1"></option>');
});

test("columns are completed, the last name of the list", async () => {
  const offers = async (typed: string) =>
    Array.from(
      (await html(`/suggest/columns?columns=${encodeURIComponent(typed)}`)).matchAll(
        /value="([^"]*)"/g,
      ),
      ([, value]) => value,
    );
  expect(await offers("os,sta")).toEqual(["os,state."]);
  expect(await offers("os,state.lev")).toEqual(["os,state.level"]);
  expect(await offers("metric.me")).toContain("metric.mem.p95");
  expect(await offers("event.a")).toEqual(["event.a\\,b"]);
  expect(await offers("tag.br")).toEqual(["tag.branch"]);
});
