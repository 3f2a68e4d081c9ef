/** Budgets of keys, over real databases and objects. Each test has keys of its own. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Budgets, DEFAULT_BUDGETS, NO_BUDGETS } from "../../src/core/access/budget.ts";
import {
  BUDGET_RETRY_MS,
  MAX_BATCHES,
  MAX_INFLATED_BYTES,
  MAX_SESSION_ROWS,
} from "../../src/core/limits.ts";
import type { Page } from "../../src/core/answers/page.ts";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import type { Summary } from "../../src/core/answers/summary.ts";
import type { IngestAnswer } from "../../src/core/batch.ts";
import { rowsOfDay, usageOfDay } from "../../src/registry/usage.ts";
import { gzip, post, server, withKey } from "../api/server.ts";
import { bearer, deployed, newKey, SECRET } from "./world.ts";

afterEach(() => void vi.useRealTimers());

let made = 0;
const batch = (session = `budget-${crypto.randomUUID()}-${++made}`, ops: object[] = []) => ({
  session,
  lane: `lane-${session}`,
  first: 1,
  last: ops.length + 1,
  ops: [{ op: "start", at: Date.now() }, ...ops],
});

const keyWith = (budgets: Partial<Budgets>) =>
  newKey({ kind: "ingest", ...NO_BUDGETS, ...budgets });

const send = (key: string, ...batches: object[]) =>
  deployed("/api/ingest", post({ batches }, bearer(key)));

const change = (id: string, budgets: Partial<Budgets>) =>
  deployed(`/api/keys/${id}`, post(budgets, bearer(SECRET)));

type Refused = {
  error: { code: string; message: string; budget: string; limit: number; retry_after: number };
};

async function refusal(response: Response): Promise<Refused["error"]> {
  expect(response.status).toBe(429);
  const { error } = (await response.json()) as Refused;
  expect(response.headers.get("retry-after")).toBe(String(error.retry_after));
  return error;
}

test("a new key has the default budgets, one that reads has none, and both are listed with what is used", async () => {
  const writing = await newKey({ kind: "ingest" });
  const reading = await newKey({ kind: "read" });
  expect(writing).toMatchObject(DEFAULT_BUDGETS);
  expect(reading).toMatchObject(NO_BUDGETS);
  expect((await send(writing.key, batch(), batch())).status).toBe(200);
  const listed = await (await deployed("/api/keys", { headers: bearer(SECRET) })).json();
  const { items } = listed as { items: { id: string; used_today: object }[] };
  expect(items.find(({ id }) => id === writing.id)).toMatchObject({
    ...DEFAULT_BUDGETS,
    used_today: { sessions: 2, object_rows: expect.any(Number), d1_rows: expect.any(Number) },
  });
});

describe("sessions a day", () => {
  test("over it new sessions are refused, and known ones go on", async () => {
    const { key } = await keyWith({ sessions_per_day: 2 });
    const [first, second, third] = [batch(), batch(), batch()];
    expect((await send(key, first, second)).status).toBe(200);

    const error = await refusal(await send(key, third));
    expect(error).toMatchObject({
      code: "too_many_requests",
      budget: "sessions_per_day",
      limit: 2,
    });
    expect(error.message).toMatch(
      /^The budget of this API key, 2 new sessions a day, is used up until \d{4}-\d\d-\d\d 00:00 UTC\. .+ raise the budget under Settings, API keys\.$/,
    );
    expect(error.retry_after).toBeLessThanOrEqual(BUDGET_RETRY_MS / 1_000);

    const more = {
      ...first,
      first: 2,
      last: 2,
      ops: [{ op: "event", at: Date.now(), name: "on" }],
    };
    const { results } = (await (await send(key, third, more)).json()) as IngestAnswer;
    expect(results).toMatchObject([
      { applied: 0, error: { code: "too_many_requests", retry_after: expect.any(Number) } },
      { applied: 2 },
    ]);
    expect(results[1]?.error).toBeUndefined();
  });

  test("requests at the same time open no more than it, and those refused succeed later", async () => {
    const { id, key } = await keyWith({ sessions_per_day: 5 });
    const batches = Array.from({ length: 12 }, () => batch());
    const answers = await Promise.all(batches.map((one) => send(key, one)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    const waits = await Promise.all(
      answers.flatMap((answer) => (answer.status === 200 ? [] : refusal(answer))),
    );
    expect(waits.map(({ budget }) => budget)).toEqual(Array(7).fill("sessions_per_day"));
    expect((await usageOfDay(env.REGISTRY, Date.now())).get(id)?.sessions).toBe(5);

    await change(id, { sessions_per_day: null });
    const again = await Promise.all(batches.map((one) => send(key, one)));
    expect(again.every(({ status }) => status === 200)).toBe(true);
    expect((await usageOfDay(env.REGISTRY, Date.now())).get(id)?.sessions).toBe(12);
  });

  test("a new day begins at 0", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2027, 0, 5, 23, 59, 30) });
    const { key } = await keyWith({ sessions_per_day: 1 });
    expect((await send(key, batch())).status).toBe(200);
    const error = await refusal(await send(key, batch()));
    expect([error.retry_after, error.message]).toEqual([
      30,
      expect.stringContaining("2027-01-06 00:00 UTC"),
    ]);
    vi.setSystemTime(Date.UTC(2027, 0, 6));
    expect((await send(key, batch())).status).toBe(200);
    await refusal(await send(key, batch()));
  });

  test("1.x's programs get the same answer", async () => {
    const { key } = await keyWith({ sessions_per_day: 1 });
    const open = () =>
      deployed("/api/sessions", post({ product: "game", version: "1" }, bearer(key)));
    const opened = await open();
    expect(opened.status).toBe(200);
    const { session_id } = (await opened.json()) as { session_id: string };
    expect(await refusal(await open())).toMatchObject({ budget: "sessions_per_day" });
    const known = await deployed(
      `/api/sessions/${session_id}/events`,
      post({ name: "on" }, bearer(key)),
    );
    expect(known.status).toBe(200);
  });
});

describe("requests a minute", () => {
  test("over it every request is refused before its body is read, until the minute is over", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2027, 0, 7, 12, 0, 15) });
    const { key } = await keyWith({ requests_per_minute: 3 });
    const one = batch();
    expect((await send(key, one, batch(), batch())).status).toBe(200); // three sessions are three requests
    const error = await refusal(await deployed("/api/ingest", post("{", bearer(key))));
    expect(error).toMatchObject({ budget: "requests_per_minute", limit: 3, retry_after: 45 });
    const event = await deployed("/api/sessions/any/events", post({ name: "on" }, bearer(key)));
    expect(await refusal(event)).toMatchObject({ budget: "requests_per_minute" });
    vi.setSystemTime(Date.UTC(2027, 0, 7, 12, 1));
    expect((await send(key, one)).status).toBe(200);
  });

  test("a large body counts as several", async () => {
    const { key } = await keyWith({ requests_per_minute: 4 });
    const large = batch(undefined, [
      { op: "event", at: Date.now(), name: "a", message: "x".repeat(200_000) },
      { op: "event", at: Date.now(), name: "b", message: "x".repeat(200_000) },
    ]);
    expect((await send(key, large)).status).toBe(200); // two
    expect((await send(key, large)).status).toBe(200);
    await refusal(await send(key, batch()));
  });

  test("requests that are refused count, and large ones as several", async () => {
    const packed = { ...bearer((await keyWith({ requests_per_minute: 3 })).key) };
    const gzipped = async (text: string) =>
      deployed("/api/ingest", {
        method: "POST",
        body: await gzip(text),
        headers: { ...packed, "content-encoding": "gzip" },
      });
    expect((await gzipped("{")).status).toBe(400);
    expect((await gzipped("{".repeat(400_000))).status).toBe(400);
    await refusal(await gzipped("{"));

    Object.assign(packed, bearer((await keyWith({ requests_per_minute: 3 })).key));
    expect((await gzipped("{".repeat(MAX_INFLATED_BYTES + 1))).status).toBe(413);
    await refusal(await gzipped("{"));
  });

  test("other keys, the admin secret and reading are not affected", async () => {
    const { key } = await newKey({ kind: "admin", ...NO_BUDGETS, requests_per_minute: 1 });
    expect((await send(key, batch())).status).toBe(200);
    await refusal(await send(key, batch()));
    expect((await deployed("/api/sessions", { headers: bearer(key) })).status).toBe(200);
    expect((await send((await keyWith({})).key, batch())).status).toBe(200);
    expect((await send(SECRET, batch())).status).toBe(200);
  });
});

describe("rows a day", () => {
  const names = (count: number, prefix = "n") =>
    Array.from({ length: count }, (_, n) => ({
      op: "event",
      at: Date.now(),
      name: `${prefix}${n}`,
    }));

  test("over it every request is refused, and goes on where the budget is raised", async () => {
    const { id, key } = await keyWith({ rows_per_day: 60 });
    const one = batch(undefined, names(60));
    expect((await send(key, one)).status).toBe(200);
    const two = batch();
    expect(await refusal(await send(key, two))).toMatchObject({ budget: "rows_per_day" });
    await change(id, { rows_per_day: 10_000 });
    expect((await send(key, two)).status).toBe(200);
    expect((await usageOfDay(env.REGISTRY, Date.now())).get(id)).toMatchObject({ sessions: 2 });
  });

  test("rows that are only published later count at once", async () => {
    const { key } = await keyWith({ rows_per_day: 40 });
    const one = batch();
    expect((await send(key, one)).status).toBe(200);
    // No start and no end, so it is published by the alarm.
    const later = { ...one, first: 2, last: 91, ops: names(90) };
    expect((await send(key, later)).status).toBe(200);
    await refusal(await send(key, batch()));
  });

  test("requests at the same time write at most one request's rows more", async () => {
    const limit = 400;
    const { id, key } = await keyWith({ rows_per_day: limit });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => send(key, batch(undefined, names(50, `c${n}-`)))),
    );
    expect(answers.some(({ status }) => status === 429)).toBe(true);
    const used = (await usageOfDay(env.REGISTRY, Date.now())).get(id);
    expect(used?.d1_rows).toBeLessThanOrEqual(limit + MAX_SESSION_ROWS);
  });
});

test("rows of a rebuild of the catalog are no key's", async () => {
  const { id, key } = await keyWith({});
  const one = batch();
  expect((await send(key, one)).status).toBe(200);
  await env.CATALOG.prepare("DELETE FROM sessions WHERE id = ?").bind(one.session).run();
  const usedNow = async () => {
    const used = await usageOfDay(env.REGISTRY, Date.now());
    return [used.get(id)?.d1_rows ?? 0, used.get("")?.d1_rows ?? 0] as const;
  };
  const [own, server] = await usedNow();
  await deployed("/api/reindex", post({ sessions: [one.session] }, bearer(SECRET)));
  const [ownAfter, serverAfter] = await usedNow();
  expect(ownAfter).toBe(own);
  expect(serverAfter).toBeGreaterThan(server);
});

test("a key that is revoked while its sender waits is refused as unauthorized", async () => {
  const { id, key } = await keyWith({ sessions_per_day: 1 });
  await send(key, batch());
  await refusal(await send(key, batch()));
  await deployed(`/api/keys/${id}`, { method: "DELETE", headers: bearer(SECRET) });
  expect((await send(key, batch())).status).toBe(401);
});

test.each([0, -1, 1.5, "5", 1e10])("%j is no budget", async (value) => {
  const { id } = await newKey({ kind: "ingest" });
  expect((await change(id, { rows_per_day: value as number })).status).toBe(400);
  expect((await change(id, {})).status).toBe(400);
});

test("what the page of another site reads of a refusal has the time to wait", async () => {
  const { key } = await keyWith({ requests_per_minute: 1 });
  const origin = "https://app.example.com";
  const body = post({ batches: [batch()] }, { origin });
  const ask = () => deployed("/api/ingest", withKey(key, body));
  expect((await ask()).status).toBe(200);
  const refused = await ask();
  await refusal(refused.clone());
  expect([
    refused.headers.get("access-control-allow-origin"),
    refused.headers.get("access-control-expose-headers")?.toLowerCase(),
  ]).toEqual(["*", "retry-after"]);
});

describe("the most that a session and a request write to both databases", () => {
  /** Everything that adds rows, more of each than any list takes. */
  const worst: Record<string, () => object[]> = {
    series: () =>
      Array.from({ length: 1_100 }, (_, n) => ({
        op: "metric",
        at: Date.now(),
        type: "gauge",
        name: `m${n}`,
        value: n,
      })),
    "event names": () => names(400),
    exceptions: () =>
      Array.from({ length: 150 }, (_, n) => ({
        op: "event",
        at: Date.now(),
        name: "exception",
        exception_type: `E${letters(n)}`,
        exception_msg: letters(n),
      })),
    "state paths": () => [
      {
        op: "state",
        at: Date.now(),
        patch: Object.fromEntries(names(400).map(({ name }) => [name, 1])),
      },
    ],
    "state values": () =>
      Array.from({ length: 12 }, (_, round) => ({
        op: "state",
        at: Date.now(),
        patch: Object.fromEntries(names(120).map(({ name }) => [`v-${name}`, [round, { round }]])),
      })),
    "tags and products": () =>
      Array.from({ length: 20 }, (_, n) => ({
        op: "start",
        at: Date.now(),
        product: `p${n}`,
        version: `${n}`,
        tags: Array.from({ length: 60 }, (_1, t) => `t${n}-${t}`),
      })),
  };
  const names = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ op: "event", at: Date.now(), name: `w${n}` }));
  // Digits are left out of fingerprints.
  const letters = (n: number) => String(n).replace(/\d/g, (d) => "abcdefghij"[Number(d)] ?? "");

  async function cost(key: string, one: ReturnType<typeof batch>): Promise<number> {
    const before = await rowsOfDay(env.REGISTRY, Date.now());
    const response = await send(key, one);
    expect(response.status).toBe(200);
    expect(((await response.json()) as IngestAnswer).results[0]).not.toHaveProperty("error");
    await env.SESSIONS.getByName(one.session).publish({ kind: "admin", product: null });
    return (await rowsOfDay(env.REGISTRY, Date.now())).d1_rows - before.d1_rows;
  }

  test.each([...Object.keys(worst), "everything"])("%s", async (kind) => {
    const { key } = await keyWith({});
    const ops =
      kind === "everything" ? Object.values(worst).flatMap((of) => of()) : worst[kind]?.();
    const rows = await cost(key, batch(undefined, ops));
    expect(rows).toBeGreaterThan(8);
    expect(rows).toBeLessThanOrEqual(MAX_SESSION_ROWS);
  });

  test("a request stays below the default budget, and so a key below the free plan", async () => {
    expect(MAX_BATCHES * MAX_SESSION_ROWS).toBeLessThanOrEqual(DEFAULT_BUDGETS.rows_per_day ?? 0);
  });
});

test("what the catalog does not list of a session is counted, found by a search, and named where sessions are compared", async () => {
  const at = Date.now();
  const ops = [
    ...Array.from({ length: 205 }, (_, n) => ({
      op: "metric",
      at,
      type: "gauge",
      name: `unlisted-${n}`,
      value: n,
    })),
    ...Array.from({ length: 105 }, (_, n) => ({ op: "event", at, name: `unlisted-${n}` })),
  ];
  const one = batch(undefined, ops);
  expect((await send((await keyWith({})).key, one)).status).toBe(200);
  await env.SESSIONS.getByName(one.session).publish({ kind: "admin", product: null });

  const ask = async <Answer>(path: string) =>
    (await (await deployed(path, { headers: bearer(SECRET) })).json()) as Answer; // as asked for
  const { left_out } = await ask<Summary>(`/api/sessions/${one.session}/summary`);
  expect(left_out).toEqual({ catalog_series: 5, catalog_event_names: 5 });
  for (const [filter, count] of [
    ["metric=unlisted-204", 1],
    ["event=unlisted-104", 1],
    ["metric=unlisted-205", 0],
    ["event=unlisted-105", 0],
  ] as const)
    expect((await ask<Page<SessionRow>>(`/api/sessions?${filter}`)).items, filter).toHaveLength(
      count,
    );
  expect(await ask("/api/metrics/unlisted-204")).toMatchObject({
    sessions: 0,
    unlisted: [one.session],
    partial: true,
  });
  expect(await ask("/api/metrics/unlisted-3")).toMatchObject({ sessions: 1, unlisted: [] });
});

test("Settings and home show what is used, and the budgets are changed there", async () => {
  const local = server();
  const made = await local("/api/keys", post({ kind: "ingest", label: "CI", rows_per_day: 5 }));
  const { id, key } = (await made.json()) as { id: string; key: string };
  const one = batch(undefined, [{ op: "event", at: Date.now(), name: "a" }]);
  expect((await send(key, { ...one, lease_ms: 1 })).status).toBe(200);
  const text = async (path: string) =>
    (await (await local(path)).text()).replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
  await expect.poll(() => text("/settings")).toMatch(/1 of 5,000 sessions \d+ of 5 rows/);
  expect(await text("/settings")).toContain("senders wait until 00:00 UTC");
  expect(await text("/")).toContain("The API key CI has used its budget of 5 rows a day.");
  // Without an answer of its server the sender does not renew the lease.
  await expect
    .poll(() => text(`/sessions/${one.session}`))
    .toMatch(/Lost contact .*Possible cause: The API key CI has used its budget of 5 rows a day\./);

  const save = (fields: Record<string, string>) =>
    local(`/settings/keys/${id}/budgets`, {
      method: "POST",
      body: new URLSearchParams(fields),
      redirect: "manual",
    });
  const wrong = await save({
    sessions_per_day: "many",
    rows_per_day: "1",
    requests_per_minute: "",
  });
  expect(wrong.status).toBe(400);
  expect(await wrong.text()).toContain("A budget is a whole number from 1 to");
  const saved = await save({ sessions_per_day: "7", rows_per_day: "", requests_per_minute: "60" });
  expect(saved.status).toBe(303);
  expect(await text("/settings")).toMatch(
    /1 of 7 sessions \d+ rows ?, no limit 0 B of attachments, no limit up to 60 requests a minute/,
  );
  expect(await text("/")).not.toContain("The API key CI has used");
  expect((await send(key, batch())).status).toBe(200);
});
