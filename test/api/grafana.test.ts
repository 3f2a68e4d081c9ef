/** The dashboard for Grafana: each of its queries, as the Infinity data source sends it, is answered with the columns that it names. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { post, server } from "./server.ts";

const ask = server();
const NOW = Date.now();

type Column = {
  selector: string;
  text: string;
  type: "string" | "number" | "boolean" | "timestamp_epoch";
};
/** A query of Infinity 3 (its models.Query), as far as the dashboard uses it. */
type Query = {
  type: "json";
  source: "url";
  parser: "backend";
  format: "table" | "timeseries" | "dataframe";
  url: string;
  url_options: { method: "GET"; data: ""; params: { key: string; value: string }[] };
  root_selector: "";
  columns: Column[];
};
type Panel = {
  id: number;
  title: string;
  targets: Query[];
  fieldConfig: {
    defaults: { links?: { url: string }[]; displayName?: string };
    overrides: { matcher: { id: string; options: string } }[];
  };
  transformations?: { options: { indexByName: { [column: string]: number } } }[];
};
type Variable = { name: string; type: string; query: string | { infinityQuery: Query } };
type Dashboard = {
  panels: Panel[];
  annotations: { list: { target?: Query }[] };
  templating: { list: Variable[] };
};

let dashboard: Dashboard;
let text: string;

beforeAll(async () => {
  const file = await env.ASSETS.fetch("http://localhost/docs/grafana-dashboard.json");
  expect(file.headers.get("content-type")).toMatch(/^application\/json/);
  text = await file.text();
  dashboard = JSON.parse(text) as Dashboard;

  const at = NOW - 3_600_000;
  const ops = [
    { op: "start", product: "game", version: "1.0" },
    ...[60, 30].map((value) => ({ op: "metric", type: "gauge", name: "fps / s", value })),
    ...[10, 30].map((value) => ({ op: "metric", type: "counter", name: "shots", value })),
    { op: "event", name: "e", exception_type: "ValueError", exception_msg: "no such door" },
    { op: "crash", signal: "SIGSEGV" },
  ].map((op, n) => ({ at: at + n * 1_000, ...op }));
  const batch = { session: "one", lane: "l", first: 1, last: ops.length, ops };
  await ask("/api/ingest", post({ batches: [batch] }));
  await ask("/api/reindex", post({ sessions: ["one"] }));
});

/** What Grafana puts in the place of a variable: `*` of the product is the value that stands for all. */
const VALUES: { [name: string]: string } = {
  __from: String(NOW - 7 * 86_400_000),
  __to: String(NOW),
  __interval_ms: "3600000",
  product: "*",
  query: "",
  metric: "fps / s",
  by: "version",
};

function replaced(written: string): string {
  return written.replace(/\$\{(\w+)(?::(\w+))?\}/g, (_, name: string, format?: string) => {
    const value = VALUES[name];
    if (value === undefined) throw new Error(`The dashboard has no variable ${name}.`);
    return format === "percentencode" ? encodeURIComponent(value) : value;
  });
}

/** The address that Infinity asks: its parameters are added to the URL, and empty ones are sent, too. */
function addressOf({ url, url_options }: Query): string {
  const parameters = url_options.params.map(({ key, value }) => [key, replaced(value)]);
  return `${replaced(url)}?${String(new URLSearchParams(parameters))}`;
}

function queries(): Query[] {
  return [
    ...dashboard.panels.flatMap(({ targets }) => targets),
    ...dashboard.annotations.list.flatMap(({ target }) => target ?? []),
    ...dashboard.templating.list.flatMap(({ query }) =>
      typeof query === "string" ? [] : query.infinityQuery,
    ),
  ];
}

const TYPES = { string: "string", number: "number", boolean: "boolean", timestamp_epoch: "number" };

test("every query is answered with rows of the columns that it names", async () => {
  expect(queries().length).toBeGreaterThan(10);
  for (const query of queries()) {
    const address = addressOf(query);
    const answer = await ask(address);
    expect(answer.status, `${address}: ${await answer.clone().text()}`).toBe(200);
    const rows = await answer.json<{ [column: string]: unknown }[]>();
    expect(rows.length, address).toBeGreaterThan(0);
    for (const row of rows)
      for (const { selector, type } of query.columns) {
        expect(row, address).toHaveProperty(selector);
        if (row[selector] !== null) expect(typeof row[selector], selector).toBe(TYPES[type]);
      }
    // Grafana makes columns of the groups only if the rows are in order of time.
    const times = rows.map(({ time }) => Number(time));
    if (query.format === "timeseries") expect(times).toEqual(times.toSorted((a, b) => a - b));
  }
});

test("the panel of a metric draws the rate of a counter, and the mean of any other", async () => {
  const panel = dashboard.panels.find(({ title }) => title === "${metric}");
  expect(panel?.targets[0]?.columns.map(({ selector }) => selector)).toContain("value");
  const rows = async (name: string) =>
    (await ask(`/api/tables/metrics/${name}?step=60000&from=${NOW - 7_200_000}&to=${NOW}`)).json();
  // From 10 to 30 in the second between its two points.
  expect(await rows("shots")).toMatchObject([{ value: 20, rate: 20 }]);
  expect(await rows("fps%20%2F%20s")).toMatchObject([{ value: 45, mean: 45 }]);
});

test("all queries are Infinity's, of the chosen data source, and read without a key in them", () => {
  for (const query of queries())
    expect(query).toMatchObject({
      datasource: { type: "yesoreyeram-infinity-datasource", uid: "${datasource}" },
      type: "json",
      source: "url",
      parser: "backend",
      root_selector: "",
      url_options: { method: "GET", data: "" },
    });
  expect(text).not.toMatch(/dc_read|authorization|https?:\/\//i);
});

test("panels use only columns and variables that they have", () => {
  const variables = new Set(dashboard.templating.list.map(({ name }) => name));
  for (const [, name] of text.matchAll(/\$\{(\w+)/g))
    expect(name?.startsWith("__") === true || variables.has(name ?? ""), name).toBe(true);
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { title, targets, fieldConfig, transformations = [] } of dashboard.panels) {
    const columns = targets.flatMap((target) => target.columns.map((column) => column.text));
    for (const { matcher } of fieldConfig.overrides) {
      expect(matcher.id).toBe("byName");
      expect(columns, title).toContain(matcher.options);
    }
    for (const { options } of transformations)
      expect(Object.keys(options.indexByName), title).toEqual(columns);
    const { links = [], displayName = "" } = fieldConfig.defaults;
    const named = [...links.map(({ url }) => url), displayName].join(" ");
    for (const [, column] of named.matchAll(/\$\{__(?:data\.fields|field\.labels)\.(\w+)\}/g))
      expect(columns, title).toContain(column);
  }
});

test("the dashboard is linked from the docs", async () => {
  const page = await (await ask("/docs/grafana")).text();
  expect(page).toContain('href="/docs/grafana-dashboard.json" download');
});
