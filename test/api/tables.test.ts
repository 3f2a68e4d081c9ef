/** Tables: flat rows, of what a query finds, with what they leave out. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { api } from "../../src/api/index.ts";
import { MAX_TABLE_ROWS } from "../../src/api/limits.ts";
import { valueRows } from "../../src/api/tables/steps.ts";
import { MAX_COMPARED_SESSIONS } from "../../src/catalog/limits.ts";
import { publishEach } from "../../src/catalog/publication/publish.ts";
import type { ComparedSeries } from "../../src/core/comparison/comparison.ts";
import { metric, publication } from "../catalog/publication.ts";
import { post, server, withKey } from "./server.ts";

const SECRET = "correct horse battery staple 42";
const ask = server();
const deployed = server({ ADMIN_SECRET: SECRET }, "https://datacat.example.com");
const DAY = 86_400_000;
const NOON = Math.floor(Date.now() / DAY) * DAY - DAY / 2; // yesterday's, so that days are in every trend

type Row = { [column: string]: string | number | boolean | null };

async function rows(path: string, asker = ask, init?: RequestInit): Promise<Row[]> {
  const answer = await asker(`/api/tables/${path}`, init);
  expect(answer.status, `${path}: ${await answer.clone().text()}`).toBe(200);
  return answer.json();
}

async function headersOf(path: string): Promise<Record<string, string>> {
  const { headers } = await ask(`/api/tables/${path}`);
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith("datacat-")));
}

async function record(session: string, at: number, start: object, ops: object[]): Promise<void> {
  const all = [{ op: "start", ...start }, ...ops].map((op, n) => ({ at: at + n * 1_000, ...op }));
  const batch = { session, lane: "l", first: 1, last: all.length, ops: all };
  const answer = await ask("/api/ingest", post({ batches: [batch] }));
  expect(await answer.json()).toMatchObject({ results: [{ applied: all.length }] });
  expect((await ask("/api/reindex", post({ sessions: [session] }))).status).toBe(200);
}

const fps = (value: number) => ({ op: "metric", type: "gauge", name: "fps", value });
const thrown = {
  op: "event",
  name: "exception",
  exception_type: "ValueError",
  exception_msg: "no such door",
  stacktrace: ['File "a.py", line 3, in open'],
};
const ENDS = [
  { op: "end", exit_code: 0 },
  { op: "end", exit_code: 3 },
  { op: "crash", signal: "SIGSEGV" },
];

beforeAll(async () => {
  for (let n = 0; n < 30; n++) {
    const end = ENDS[n % 3] ?? {};
    await record(
      `s${n}`,
      NOON + n * 600_000,
      { product: n % 2 ? "game" : "editor", version: `1.${n % 5}`, tags: ["ci"] },
      [fps(10 + n), fps(20 + n), ...(n % 3 === 2 ? [thrown] : []), end],
    );
  }
  await record("star", NOON - 60_000, { product: "*" }, [fps(1)]);
  await record("nameless", NOON - 60_000, {}, [fps(1)]);
}, 120_000);

const TABLES = [
  "sessions",
  "sessions/steps",
  "metrics/fps",
  "metrics/fps?quantiles=true",
  "metrics/fps/sessions",
  "products",
  "days",
  "exceptions",
  "exceptions/days",
  "names?of=product",
  "names?of=version",
  "names?of=metric",
  "names?of=event",
];

test("every table is named here", () => {
  const served = api.routes.filter(
    ({ method, path }) => method === "GET" && path.startsWith("/tables/"),
  );
  const named = new Set(TABLES.map((table) => `/tables/${table.split("?")[0]}`));
  expect([...new Set(served.map(({ path }) => path.replace(":name", "fps")))].toSorted()).toEqual(
    [...named].toSorted(),
  );
});

test.each(TABLES)(
  "%s: rows with equal columns, nothing nested, each time also as RFC 3339",
  async (path) => {
    const found = await rows(path);
    expect(found.length).toBeGreaterThan(0);
    const columns = Object.keys(found[0] ?? {});
    for (const row of found) {
      expect(Object.keys(row)).toEqual(columns);
      for (const [column, cell] of Object.entries(row)) {
        expect(["string", "number", "boolean"].includes(typeof cell) || cell === null).toBe(true);
        if (!column.endsWith("_iso")) continue;
        const at = row[column.slice(0, -4)];
        expect(cell).toBe(at === null ? null : new Date(Number(at)).toISOString());
      }
    }
    if (!path.startsWith("names")) expect(columns[0]).toBe("time");
  },
);

test.each(TABLES)(
  "%s: `completeness` answers how many rows there are, and what they leave out",
  async (path) => {
    const [first, ...others] = await rows(
      `${path}${path.includes("?") ? "&" : "?"}completeness=true`,
    );
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      rows: (await rows(path)).length,
      partial: (await headersOf(path))["datacat-partial"] === "true",
    });
    expect(Object.keys(first ?? {})).toEqual([
      "rows",
      "partial",
      "next",
      "searched_to",
      "searched_to_iso",
      "published_to",
      "published_to_iso",
    ]);
  },
);

describe("sessions", () => {
  test("a query, its parameters and a range of their start find the same as the list", async () => {
    const query = `q=${encodeURIComponent("product:game is:crashed")}&from=${NOON}&to=${NOON + 10 * 600_000}`;
    const { items } = await (await ask(`/api/sessions?${query}`)).json<{ items: Row[] }>();
    const found = await rows(`sessions?${query}`);
    expect(found.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    expect(found.map(({ id }) => id)).toEqual(["s5"]);
    expect(found[0]).toMatchObject({
      time: NOON + 5 * 600_000,
      label: "Crashed",
      verdict: "Crashed: SIGSEGV",
      signal: "SIGSEGV",
      tags: "ci",
      unsure: false,
      url: "http://localhost:8080/sessions/s5",
    });
  });

  test("pages follow each other by the header", async () => {
    const ids: unknown[] = [];
    let cursor: string | undefined;
    do {
      const path = `sessions?limit=7${cursor === undefined ? "" : `&cursor=${cursor}`}`;
      ids.push(...(await rows(path)).map(({ id }) => id));
      const headers = await headersOf(path);
      cursor = headers["datacat-next"];
      expect(headers["datacat-partial"]).toBe(String(cursor !== undefined));
    } while (cursor !== undefined);
    expect(ids).toHaveLength(32);
    expect(new Set(ids).size).toBe(32);
  });

  test("`*` is any product, and a product of that name is found by the value of its name", async () => {
    expect(await rows("sessions?product=*&limit=100")).toHaveLength(32);
    const names = await rows("names?of=product");
    for (const [text, id] of [
      ["*", "star"],
      ["(none)", "nameless"],
    ]) {
      const value = String(names.find((row) => row["text"] === text)?.["value"]);
      const found = await rows(`sessions?product=${encodeURIComponent(value)}`);
      expect(found.map((row) => row["id"])).toEqual([id]);
    }
  });
});

describe("steps of time", () => {
  test("sessions are counted in the step of their start, by outcome and group", async () => {
    const to = NOON + 30 * 600_000;
    const found = await rows(
      `sessions/steps?from=${NOON}&to=${to}&step=3600000&by=product&q=${encodeURIComponent("-product:x")}`,
    );
    const expected: Row[] = [];
    for (let hour = 0; hour < 5; hour++)
      for (const [odd, group] of ["editor", "game"].entries()) {
        const numbers = Array.from({ length: 6 }, (_, n) => hour * 6 + n).filter(
          (n) => n % 2 === odd,
        );
        const time = NOON + hour * 3_600_000;
        expected.push({
          time,
          time_iso: new Date(time).toISOString(),
          group,
          sessions: numbers.length,
          active: 0,
          suspended: 0,
          hung: 0,
          crashed: numbers.filter((n) => n % 3 === 2).length,
          ended: numbers.filter((n) => n % 3 !== 2).length,
          failed: numbers.filter((n) => n % 3 === 1).length,
          ever_hung: 0,
        });
      }
    expect(found).toEqual(expected);
  });

  test("a metric has the values of the API's own chart, in order of time", async () => {
    const query = `product=game&by=version&from=${NOON}&to=${NOON + DAY}`;
    const found = await rows(`metrics/fps?${query}&step=600000`);
    type Chart = { over_time: { groups: { group: string; steps: Row[] }[] } };
    const chart = await (
      await ask(`/api/metrics/fps?product=game&by=version&buckets=5000`)
    ).json<Chart>();
    const sums = (list: Row[]) => list.reduce((sum, row) => sum + Number(row["sum"]), 0);
    for (const { group, steps } of chart.over_time.groups)
      expect(sums(found.filter((row) => row["group"] === group))).toBeCloseTo(sums(steps));
    expect(sums(found)).toBe(15 * 30 + 2 * (15 * 15)); // 15 sessions of 10 + n and 20 + n, n odd
    const times = found.map(({ time }) => Number(time));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("quantiles are of all values of a step", async () => {
    const found = await rows(
      `metrics/fps?product=game&quantiles=true&from=${NOON}&to=${NOON + DAY}&step=${DAY}`,
    );
    const counts = found.reduce((sum, { count }) => sum + Number(count), 0);
    expect(counts).toBe(30);
    for (const row of found) expect(row["p50"]).toBeLessThanOrEqual(Number(row["p99"]));
  });

  test("points outside the range are left out, and sessions that started before it are not", async () => {
    const from = NOON + 2_000; // after the first point of s0
    const found = await rows(
      `metrics/fps?product=editor&from=${from}&to=${NOON + 5_000}&step=1000&by=session`,
    );
    expect(found.map(({ group }) => group)).toEqual(["s0"]);
  });

  test("sessions of thousands are in a table, whose points are in one step each", async () => {
    const created_at = NOON - 40 * DAY;
    const many = Array.from({ length: MAX_COMPARED_SESSIONS + 50 }, (_, n) =>
      publication(`many-${n}`, {
        session: { product: "many", created_at: created_at + n },
        metrics: [metric("fps", { count: 2, first_at: created_at + n, last_at: created_at + n })],
      }),
    );
    for (let at = 0; at < many.length; at += 50)
      await publishEach(env.CATALOG, many.slice(at, at + 50));
    const found = await rows("metrics/fps?product=many");
    expect(found.reduce((sum, { count }) => sum + Number(count), 0)).toBe(2 * many.length);
    expect((await headersOf("metrics/fps?product=many"))["datacat-partial"]).toBe("false");
  });

  test("steps are wider where a table would have too many rows", () => {
    const series = (n: number): ComparedSeries => ({
      session: {
        id: `s${n}`,
        product: "",
        version: "",
        status: "ended",
        machine_id: "",
        hostname: "",
        created_at: 0,
      },
      type: "gauge",
      points: 120,
      count: 120,
      sum: 120,
      sum_low: 0,
      sum_scale: 1,
      deviation: 0,
      min: 1,
      max: 1,
      first: 1,
      last: 1,
      first_at: 0,
      last_at: 119_000,
      increase: 0,
      distribution: null,
      quantile_steps: null,
      rollup: {
        from: 0,
        step_ms: 1_000,
        scale: 1,
        count: Array(120).fill(1),
        sum: Array(120).fill(1),
        min: Array(120).fill(1),
        max: Array(120).fill(1),
      },
    });
    const many = Array.from({ length: 300 }, (_, n) => series(n));
    const { rows: found, undrawn } = valueRows(many, {
      by: "session",
      from: 0,
      to: 120_000,
      step: 1_000,
    });
    expect(undrawn).toBe(0);
    expect(found.length).toBeLessThanOrEqual(MAX_TABLE_ROWS);
    expect(found.length).toBeGreaterThan(MAX_TABLE_ROWS / 3);
    expect(found.reduce((sum, { count }) => sum + Number(count), 0)).toBe(300 * 120);
  });
});

test("days and exceptions have exact counts", async () => {
  const days = await rows("days?product=game");
  expect(days.reduce((sum, { sessions }) => sum + Number(sessions), 0)).toBe(15);
  expect(days.reduce((sum, { crashed }) => sum + Number(crashed), 0)).toBe(5);
  expect(await rows(`days?to=${NOON - 10 * DAY}`)).toEqual([]);
  expect((await headersOf("days?from=0"))["datacat-partial"]).toBe("true");

  const groups = await rows("exceptions?product=game");
  expect(groups).toMatchObject([{ type: "ValueError", sessions: 5, status: "open", merged: 0 }]);
  const byDay = await rows("exceptions/days?product=game");
  expect(byDay.reduce((sum, { sessions }) => sum + Number(sessions), 0)).toBe(5);
  const crashFree = (await rows("products?product=game")).map((row) => row["crash_free"]);
  expect(crashFree).toHaveLength(5);
});

test("a key of one product has only the rows of that product", async () => {
  const made = await deployed(
    "/api/keys",
    withKey(SECRET, post({ kind: "read", product: "game" })),
  );
  const { key } = await made.json<{ key: string }>();
  for (const path of TABLES) {
    const found = await rows(
      `${path}${path.includes("?") ? "&" : "?"}product=*`,
      deployed,
      withKey(key),
    );
    expect(JSON.stringify(found), path).not.toMatch(/"(editor|\*|\(none\))"/);
    if (path === "sessions") expect(found).toHaveLength(15);
  }
  expect((await deployed("/api/tables/sessions")).status).toBe(401);
});

test.each([
  ["names", "of"],
  ["names?of=colours", "of"],
  ["sessions?limit=100000", "limit"],
  ["metrics/fps?step=0", "step"],
  ["metrics/fps?by=colour", "by"],
  ["sessions?q=product:", ""],
  ["sessions?cursor=abc", "cursor"],
])("%s is refused", async (path, parameter) => {
  const answer = await ask(`/api/tables/${path}`);
  expect(answer.status).toBe(400);
  const { error } = await answer.json<{ error: { code: string; message: string } }>();
  expect(error.code).toBe("invalid_query");
  expect(error.message).toContain(parameter);
});
