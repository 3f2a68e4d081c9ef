/** Queries for the lists of one session, over the API and its page. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { post, server } from "./server.ts";

const ask = server();
const ID = "queried";
/** Noon of yesterday: what failed is listed for a month. */
const AT = (Math.floor(Date.now() / 86_400_000) - 0.5) * 86_400_000;
const DATE = new Date(AT).toISOString().slice(0, 10);

beforeAll(async () => {
  const ops: object[] = [
    { op: "start", product: "game" },
    { op: "event", name: "door_opened", labels: ["door:front"], data: { door: { id: 7 } } },
    { op: "event", name: "door_closed", category: "warning", message: "The old Door closed" },
    { op: "event", name: "exception", exception_type: "ValueError", exception_msg: "no key" },
    { op: "event", name: "tick", data: { "a.b": { "c d": 1 } } },
    ...["fps", "frame.time", "memory", "gpu"].map((name, n) => ({
      op: "points",
      type: "gauge",
      name,
      unit: n === 1 ? "ms" : "",
      tags: n === 3 ? ["device:gpu 1"] : [],
      dt: [0, 10, 10],
      values: [n * 10, n * 20, n * 30],
    })),
    ...[true, false].map((passes, n) => ({
      op: "event",
      name: "test",
      category: passes ? "info" : "error",
      message: passes ? "" : "no such door",
      test: {
        id: [`tests/test_${n}.py`, "test_door"],
        result: passes ? "passed" : "failed",
        duration_ms: 400 * (n + 1),
      },
    })),
    { op: "end", exit_code: 0 },
  ];
  const batch = {
    session: ID,
    lane: "lane",
    first: 1,
    last: ops.length + 8, // each point is one
    ops: ops.map((op, n) => ({ at: AT + n * 1_000, ...op })),
  };
  const answer = await ask("/api/ingest", post({ batches: [batch] }));
  expect(await answer.json()).toMatchObject({ results: [{ applied: ops.length + 8 }] });
});

const parameter = (text: string) => encodeURIComponent(text);

async function events(query: string): Promise<string[]> {
  const answer = await ask(`/api/sessions/${ID}/events?${query}`);
  const { items } = (await answer.json()) as { items: { name: string }[] };
  return items.map(({ name }) => name);
}

test.each([
  ["name:door_*", ["door_opened", "door_closed"]],
  ["level:>=warning", ["door_closed", "exception", "test"]],
  ["data.door.id:>5 tag.door:front", ["door_opened"]],
  ["exception:ValueError OR message:old", ["door_closed", "exception"]],
  ["since_start:4s", ["tick"]],
  ["before_end:<=2s test:door", ["test", "test"]],
  ["result:failed", ["test"]],
  [`at:${DATE}T12:00:02..${DATE}T12:00:03`, ["door_closed", "exception"]],
  ["KEY", ["exception"]],
])("events of a session are found by %s", async (text, expected) => {
  expect(await events(`q=${parameter(text)}`)).toEqual(expected);
});

test("a query and the other parameters of events are one filter", async () => {
  expect(await events("q=door&category=warning")).toEqual(["door_closed"]);
  expect(await events("q=door&name=tick")).toEqual([]);
});

test("a query that is not understood is refused with its position, by the API and on the page", async () => {
  const answer = await ask(`/api/sessions/${ID}/events?q=door%20nme:tick`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: {
      code: "invalid_query",
      position: 5,
      message: expect.stringContaining("Did you mean name?"),
    },
  });
  for (const path of ["", "/events"]) {
    const page = await ask(`/sessions/${ID}${path}?text=door%20nme:tick`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("<mark>nme:tick</mark>");
  }
});

test("the page lists the events that pass, and marks the texts", async () => {
  const page = await (await ask(`/sessions/${ID}?text=${parameter("level:warning door")}`)).text();
  expect(page).toContain('value="level:warning door"');
  expect(page).toContain("<mark>door</mark>_closed");
  expect(page).toMatch(/id="events-matched">1 of </);
  const list = await ask(`/sessions/${ID}/events?text=${parameter("-level:warning OR door_cl")}`);
  expect(await list.text()).toMatch(/tick.*exception.*<mark>door_cl<\/mark>osed.*door_opened/s);
});

test.each([
  ["q=name:f*", ["fps", "frame.time"]],
  ["q=max:>70 OR unit:ms", ["frame.time", "gpu"]],
  ["q=mean:10..45 p95:<59", ["frame.time", "memory"]],
  ['q=tag.device:"gpu 1"', ["gpu"]],
  ["", ["fps", "frame.time", "memory", "gpu"]],
])("series of a session are found by %s", async (query, expected) => {
  const answer = await ask(`/api/sessions/${ID}/metrics?${encodeURI(query)}`);
  const series = (await answer.json()) as { name: string }[];
  expect(series.map(({ name }) => name)).toEqual(expected);
});

test.each([
  ["q=duration:>500ms", ["tests/test_1.py"]],
  ["q=file:test_0 OR is:bad", ["tests/test_0.py", "tests/test_1.py"]],
  ["q=is:bad&text=such", ["tests/test_1.py"]],
  ["q=is:bad&results=passed", []],
])("tests of a session are found by %s", async (query, expected) => {
  const answer = await ask(`/api/sessions/${ID}/tests?${encodeURI(query)}`);
  const { items } = (await answer.json()) as { items: { id: string[] }[] };
  expect(items.map(({ id }) => id[0])).toEqual(expected);
});

test("series and tests are searched on their pages, which explain a query that is not understood", async () => {
  const body = async (path: string) => {
    const answer = await ask(`/sessions/${ID}/${path}`);
    expect(answer.status, path).toBe(200);
    return answer.text();
  };
  const charts = await body("metrics?metric=max:>50");
  expect(charts).toContain("gpu, gauge");
  expect(charts).not.toContain("fps, gauge");
  expect(await body("metrics?metric=maximum:>50")).toContain("There is no field maximum");
  expect(await body("metrics?metric=max:100..")).toContain("<mark>100..</mark>");
  const tests = await body("tests?text=duration:>500ms%20door");
  expect(tests).toContain("test_1.py");
  expect(tests).not.toContain("test_0.py::");
  expect(await body("tests?text=durtion:1s")).toContain("Did you mean duration?");
});

test("metrics of all sessions are found by a query", async () => {
  expect((await ask("/api/reindex", post({ sessions: [ID] }))).status).toBe(200);
  const names = async (q: string) => {
    const answer = await ask(`/api/metrics?q=${parameter(q)}`);
    const { items } = (await answer.json()) as { items: { name: string }[] };
    return items.map(({ name }) => name);
  };
  expect(await names("type:gauge (name:f* OR gpu)")).toEqual(["fps", "frame.time", "gpu"]);
  expect(await names("unit:ms")).toEqual(["frame.time"]);
  expect(await names("-unit:*")).toEqual(["fps", "gpu", "memory"]);
  expect((await ask("/api/metrics?q=points:3")).status).toBe(400);
});

test("exception groups are found by a query, over the API and on their page", async () => {
  expect((await ask("/api/reindex", post({ sessions: [ID] }))).status).toBe(200);
  const types = async (q: string) => {
    const answer = await ask(`/api/exceptions?q=${parameter(q)}`);
    const { items } = (await answer.json()) as { items: { type: string }[] };
    return items.map(({ type }) => type);
  };
  expect(await types("type:Value* message:KEY sessions:1")).toEqual(["ValueError"]);
  expect(await types("type:ValueError -status:open")).toEqual([]);
  const page = async (text: string) => (await ask(`/exceptions?text=${parameter(text)}`)).text();
  expect(await page(`message:key first:${DATE}`)).toContain("ValueError");
  expect(await page("message:door")).toContain("No exceptions match these filters");
  // The page lists open groups, unless the query has a condition on that.
  const all = '<option value="all" selected="">';
  expect(await page("is:muted")).toContain(all);
  expect(await page("message:key")).not.toContain(all);
  const rows = async (q: string) =>
    (await (await ask(`/api/tables/exceptions?q=${parameter(q)}`)).json()) as unknown[];
  expect(await rows("type:ValueError")).toMatchObject([{ type: "ValueError" }]);
  expect(await rows("type:KeyError")).toEqual([]);
  const refused = await ask("/api/exceptions?q=typ:ValueError");
  expect(await refused.json()).toMatchObject({ error: { code: "invalid_query", position: 0 } });
  expect(await page("typ:ValueError")).toContain("Did you mean type?");
  const offered = await (await ask("/suggest/exceptions?text=type:V")).text();
  expect(offered).toContain('value="type:ValueError"');
});

test("tests of a product are found by a query, over the API and on their page", async () => {
  expect((await ask("/api/reindex", post({ sessions: [ID] }))).status).toBe(200);
  const path = `product=game&q=${parameter("failed:>0 file:test_1")}`;
  const found = (await (await ask(`/api/tests?${path}`)).json()) as object;
  expect(found).toMatchObject({
    items: [{ session_id: ID }],
    tests: { items: [{ result: "failed", failed: 1, failed_in: ID }], next: null, session_id: ID },
  });
  const page = async (text: string) =>
    (await ask(`/tests?product=game&text=${parameter(text)}`)).text();
  const html = await page("duration:<500ms");
  expect(html).toContain("tests/test_0.py::test_door</a>");
  expect(html).not.toContain("test_1.py");
  expect(await page("flaky:>0")).toContain("No tests match these filters");
  expect(await page("flakey:>0")).toContain("Did you mean flaky?");
  expect((await ask("/api/tests?product=game&q=flakey:1")).status).toBe(400);
  expect((await ask("/api/tests?limit=x")).status).toBe(400);
  const offered = await (await ask("/suggest/tests?text=last")).text();
  expect(offered).toContain('value="last_failed:"');
  const products = await (await ask("/suggest/tests?text=product:")).text();
  expect(products).toContain('value="product:game"');
});

test("a query for tests may name their product, once", async () => {
  const answer = async (path: string) => await (await ask(path)).json();
  const found = { tests: { items: [{ result: "failed" }] } };
  const query = parameter("file:test_1 product:game");
  expect(await answer(`/api/tests?q=${query}`)).toMatchObject(found);
  expect(await answer(`/api/tests?product=other&q=${query}`)).toMatchObject(found);
  expect(await answer(`/api/tests?q=product:other`)).toMatchObject({
    items: [],
    tests: { items: [] },
  });
  for (const wrong of [
    "product:game,other",
    "-product:game",
    "product:g*",
    "product:game product:x",
    "product:game OR x",
  ])
    expect(await answer(`/api/tests?product=game&q=${parameter(wrong)}`), wrong).toMatchObject({
      error: {
        code: "invalid_query",
        message: expect.stringContaining("Tests are those of one product"),
      },
    });

  const moved = await ask(`/tests?product=other&text=${query}`, { redirect: "manual" });
  expect(moved.headers.get("location")).toBe("/tests?product=game&text=file%3Atest_1");
  const headers = {
    "hx-request": "true",
    "hx-current-url": "http://localhost:8080/tests?product=other",
  };
  const typed = await ask(`/tests?product=other&text=${query}`, { headers });
  expect(typed.headers.get("hx-push-url")).toBe(
    `/tests?product=game&text=${query.replaceAll("%20", "+")}`,
  );
  const html = await typed.text();
  expect(html).toContain("test_1.py");
  expect(html).toMatch(/hx-target="#products".*<option value="game" selected/s);
  expect(await (await ask("/tests?text=product:*")).text()).toContain(
    "Tests are those of one product",
  );
});

async function options(path: string): Promise<string[]> {
  const html = await (await ask(`/sessions/${ID}/suggest/${path}`)).text();
  return [...html.matchAll(/value="([^"]*)"/g)].map(([, value = ""]) =>
    value.replaceAll("&quot;", '"').replaceAll("&gt;", ">"),
  );
}

test("suggestions complete queries for series and tests", async () => {
  expect(await options("metrics?metric=na")).toEqual(["name:"]);
  expect(await options("metrics?metric=-name:f")).toEqual(["-name:fps", "-name:frame.time"]);
  expect(await options("metrics?metric=tag.")).toEqual(["tag.device:"]);
  expect(await options("metrics?metric=tag:")).toEqual(['tag:"device:gpu 1"']);
  expect(await options("metrics?metric=unit:")).toEqual(["unit:ms"]);
  expect(await options("metrics?metric=type:g")).toEqual(["type:gauge"]);
  expect(await options("tests?text=is:b")).toEqual(["is:bad"]);
  expect(await options("tests?text=file:")).toEqual([
    "file:tests/test_0.py",
    "file:tests/test_1.py",
  ]);
});

test("suggestions complete queries for events with what the session recorded", async () => {
  const offered = async (text: string) => {
    const html = await (await ask(`/sessions/${ID}/suggest/events?text=${parameter(text)}`)).text();
    return [...html.matchAll(/value="([^"]*)"/g)].map(([, value = ""]) =>
      value.replaceAll("&quot;", '"').replaceAll("&gt;", ">"),
    );
  };
  expect(await offered("door since")).toEqual(["door since_start:"]);
  expect(await offered("-name:door")).toEqual(["-name:door_closed", "-name:door_opened"]);
  expect(await offered("category:warning,e")).toEqual(["category:warning,error"]);
  expect(await offered("result:")).toContain("result:unexpected_pass");
  expect(await offered("level:>=cr")).toEqual(["level:>=critical"]);
  expect(await offered("exception:")).toEqual(["exception:ValueError"]);
  expect(await offered("data.")).toEqual(['data."a.b"."c d":', "data.door.id:"]);
  expect(await offered("data.door")).toEqual(["data.door.id:"]);
  expect(await offered("tag.")).toEqual(["tag.door:"]);
  expect(await offered("tag:")).toEqual(["tag:door:front"]);
});

/** Pieces of queries, of which most are refused and some are not. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'()"\\:,.*-!<> ='.split(""),
        ..."OR |NOT |name:|product:|status:|level:>=|data.a.b:|tag.x:|at:<|duration:|has:|max:|is:|3|..|x*y|bad".split(
          "|",
        ),
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

test("any text is a query that is answered, or refused", async () => {
  await fc.assert(
    fc.asyncProperty(text, async (written) => {
      for (const path of [
        `/api/sessions/${ID}/events?q=`,
        `/sessions/${ID}/events?text=`,
        `/sessions/${ID}/suggest/events?text=`,
        `/api/sessions/${ID}/metrics?q=`,
        `/sessions/${ID}/metrics?metric=`,
        `/sessions/${ID}/suggest/metrics?metric=`,
        `/api/sessions/${ID}/tests?q=`,
        `/sessions/${ID}/tests?text=`,
        `/sessions/${ID}/suggest/tests?text=`,
        "/api/exceptions?q=",
        "/exceptions?text=",
        "/suggest/exceptions?text=",
        "/api/tests?product=game&q=",
        "/tests?product=game&text=",
        "/suggest/tests?text=",
        "/api/metrics?q=",
        "/sessions?text=",
        "/metrics?text=",
      ]) {
        const answer = await ask(path + parameter(written.toWellFormed()));
        // A page whose field has a condition of the box is at another address.
        const to = answer.headers.get("location");
        const { status } = answer.status === 302 && to !== null ? await ask(to) : answer;
        expect([200, 400], await answer.text()).toContain(status);
        if (!path.startsWith("/api")) expect(status, to ?? "").toBe(200);
      }
    }),
    { numRuns: 60 },
  );
});
