/** Everything that can be asked of a session, to compare two that must be the same. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { server } from "../../api/server.ts";
import type { StateChange } from "../../../src/core/answers/state.ts";
import { TABLES } from "../../../src/core/exports/tables.ts";
import { SERVER } from "../../../src/core/access/authority.ts";
import { type ExportQuery, exportOf } from "../../../src/core/exports/exports.ts";
import { answer, type Question } from "../../../src/core/questions/questions.ts";
import { openFile } from "../../../src/core/session-file/open.ts";
import { type SessionClient, sessionOf } from "../../../src/session/client.ts";
import { CODEC } from "../../../src/session/storage/row.ts";

const ask = server();

type Everything = { [what: string]: string };

/** What a server's storage costs is its own, and how long the status lasts is of the time of the question. */
const COSTS = ["rows_written", "bytes", "status_ms"];
/** The same of a session that goes on. */
const GOING_ON = ["last_at", "ran_ms", "until"];

const without = (value: object, keys: string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));

type Asked = Pick<SessionClient, "ask"> & {
  text: (query: ExportQuery) => Promise<string>;
};

/** Of a session on the server. `lanes`: their ids as a reader sees them. */
export async function everythingOf(id: string): Promise<Everything> {
  const client = sessionOf(env, SERVER, id);
  const text = async (query: ExportQuery) => {
    const stream = await client.stream(query);
    return (await new Response(stream).text()).replaceAll(id, "ID");
  };
  return everything({ ask: (...question) => client.ask(...question), text });
}

/** Of a session in a file. */
export async function everythingIn(file: Uint8Array): Promise<Everything> {
  const read = (from: number, length: number) => file.subarray(from, from + length);
  const { source, problems } = openFile({ size: file.length, read }, CODEC);
  if (!source) throw new Error(`Nothing can be read: ${problems.join(" ")}`);
  expect(problems).toEqual([]);
  const text = async (query: ExportQuery) =>
    [...exportOf(source, query)].join("").replaceAll(source.index.id, "ID");
  // As the API gives it.
  const ask = async (...question: Question) => JSON.parse(JSON.stringify(answer(source, question)));
  return everything({ ask: ask as Asked["ask"], text }); // the same questions
}

async function everything(client: Asked): Promise<Everything> {
  const summary = await client.ask("summary");
  const isOver = summary.ended_at !== null;
  const answers: { [what: string]: unknown } = {
    summary: without(summary, [...COSTS, ...(isOver ? [] : GOING_ON), "id"]),
    state: await client.ask("state"),
    exceptions: await client.ask("exceptions"),
    event_counts: await client.ask("eventCounts"),
    attachments: await client.ask("attachments"),
    stacks: await client.ask("stacks"),
    series: await client.ask("series"),
    charts: await client.ask("charts", { quantiles: true }),
    points: await client.ask("charts", { points: 10_000 }),
    buckets: await client.ask("charts", { points: 7, quantiles: true }),
    state_charts: without(
      await client.ask("stateCharts", {
        limit: 50,
        points: 100,
        from: summary.created_at,
        to: summary.updated_at + 1,
      }),
      isOver ? [] : GOING_ON,
    ),
    timeline: await client.ask("timeline", {
      from: summary.created_at,
      to: summary.updated_at + 1,
    }),
    tests: await client.ask("tests", { limit: 1_000 }),
    report: await client.ask("testReport", { limit: 50 }),
    suites: await client.ask("testSuites", {}),
    last_events: await client.ask("events", { order: "desc", limit: 20 }),
    exceptions_only: await client.ask("events", { exceptions: true, limit: 1_000 }),
    damage: await client.ask("damage"),
  };
  const changes: StateChange[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await client.ask("history", { limit: 1_000, ...(cursor && { cursor }) });
    changes.push(...page.items);
    if (!page.next) break;
    cursor = page.next;
  }
  answers["changes"] = changes;
  // At every moment: after each change, by its sequence and by its time.
  const every = Math.max(1, Math.floor(changes.length / 60));
  const moments = changes.filter((_, n) => n % every === 0 || n === changes.length - 1);
  answers["moments"] = await Promise.all(
    moments.flatMap(({ seq, at }) => [client.ask("state", { seq }), client.ask("state", { at })]),
  );
  for (const path of Object.keys((answers["state"] as { state: object }).state).slice(0, 20))
    answers[`history of ${path}`] = await client.ask("pathHistory", { path: [path], limit: 1_000 });

  const textOf = client.text;
  const [, ...lines] = (await textOf({ kind: "lines" })).split("\n");
  answers["lines"] = lines.filter(Boolean).map((line): unknown => JSON.parse(line));
  answers["legacy"] = isOver ? JSON.parse(await textOf({ kind: "legacy" })) : undefined;
  for (const table of TABLES)
    answers[table] = await textOf({ kind: "table", table, separator: ",", decimal: "." });
  // As text: what the API gives.
  return Object.fromEntries(
    Object.entries(answers).map(([what, answer]) => [
      what,
      JSON.stringify(sorted(answer), null, 1) ?? "",
    ]),
  );
}

/** The order of members has no meaning. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** What lists and searches have of sessions: the row of each, and which of the queries find it. */
export async function listedOf(ids: string[], queries: string[]): Promise<object[]> {
  const found = await Promise.all(
    queries.map(async (q) => {
      const response = await ask(
        `/api/sessions?${new URLSearchParams({ q, limit: "1000" }).toString()}`,
      );
      const { items } = (await response.json()) as { items: ({ id: string } & object)[] };
      return items;
    }),
  );
  return ids.map((id) => ({
    row: found
      .flat()
      .filter((row) => row.id === id)
      .map((row) => without(row, ["id", ...COSTS, ...GOING_ON]))[0],
    found: queries.filter((_, n) => found[n]?.some((row) => row.id === id)),
  }));
}

/** Fails with the first place at which two texts of `everythingOf` differ. */
export function expectSame(actual: Everything, expected: Everything): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [what, text = ""] of Object.entries(expected)) {
    const other = actual[what] ?? "";
    if (other === text) continue;
    let at = 0;
    while (other[at] === text[at]) at++;
    const around = (from: string) => from.slice(Math.max(0, at - 120), at + 80);
    expect(around(other), what).toBe(around(text));
  }
}
