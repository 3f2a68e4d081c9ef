import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { publish } from "../../src/catalog/publication/publish.ts";
import type { Batch } from "../../src/core/batch.ts";
import { SERVER } from "../../src/core/access/authority.ts";
import { LAST_LINES } from "../../src/pages/limits.ts";
import { sessionOf } from "../../src/session/client.ts";
import { post, server } from "../api/server.ts";
import { publication } from "../catalog/publication.ts";
import { brief, command, game, nameless, record, SPICE } from "./world.ts";

const START = Date.now() - 3_600_000;
const END = START + 140_000;

const ask = server();

type Answer = { status: number; html: string; headers: Headers };

async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await ask(path, { headers, redirect: "manual" });
  return { status: answer.status, html: await answer.text(), headers: answer.headers };
}

type Op = Batch["ops"][number];

/** Of sessions of single tests: their product is in no list that another test counts, whenever they are published. */
const SAMPLE: Op = { op: "start", at: START, product: "sample", version: "1" };

function batch(session: string, ops: Op[]): Batch {
  return { session, lane: `${session}-lane`, first: 1, last: ops.length, ops };
}

/** A form as a browser sends it. */
function submit(path: string, fields: Record<string, string>): Promise<Response> {
  return ask(path, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
}

beforeAll(async () => {
  await record(ask, game({ id: "broken", at: START }));
  await record(ask, game({ id: "well", at: START, ending: "end", version: "1.4.1", seed: 3 }));
  await record(ask, game({ id: "spicy", at: START, spice: SPICE }));
  await record(ask, command({ id: "command", at: START }));
  // A session publishes with a delay, for which a test cannot wait.
  for (const id of ["broken", "well", "spicy", "command"])
    await sessionOf(env, SERVER, id).publish();
});

test("the verdict of a crashed session comes first, with its evidence and its last events", async () => {
  const { status, html } = await get("/sessions/broken");
  expect(status).toBe(200);
  expect(html).toContain("<title>▲ archive-game 1.4.2 crashed · Datacat</title>");
  expect(html).toContain('href="/icon/crashed.svg"');
  expect(html).toMatch(/<h1>Crashed: /);
  expect(html).toContain("SIGKILL");
  expect(html.indexOf("<h1>")).toBeLessThan(html.indexOf('id="timeline"'));
  expect(html).toContain("cannot allocate 512 MiB");
});

test("a verdict names only what is not certain, and shows ages as ages", async () => {
  const { html } = await get("/sessions/broken");
  expect(html).not.toContain(">certain<");
  expect(html).toContain("Last heartbeat 999 ms before the crash (one is due every 5 s)");

  const startedAt = Date.now() - 60_000;
  const running = game({
    id: "alive",
    at: startedAt,
    product: "sample",
    seconds: 60,
    ending: "running",
  });
  await record(ask, running);
  const alive = (await get("/sessions/alive")).html;
  expect(alive).toMatch(/<h1>Running for <span data-elapsed="\d+">[\d.]+ (s|min)<\/span><\/h1>/);
  expect(alive).toMatch(/Last heartbeat \(one is due every 5 s\).*?data-show="age"/);

  await record(ask, [batch("unsure", [SAMPLE, { op: "crash", at: START + 9_000 }])]);
  expect((await get("/sessions/unsure")).html).toContain(">likely<");
});

test("a failed session links to a comparison with the last good one", async () => {
  const offer = "Compare with the last good session";
  expect((await get("/sessions/broken")).html).toContain(
    `href="/compare?ids=broken&amp;with=good">${offer}`,
  );
  expect((await get("/sessions/well")).html).not.toContain(offer);
});

test("a series of one value has one label on its scale", async () => {
  const gauge = (name: string, value: number): Op => ({
    op: "metric",
    at: START + 1_000 + value,
    type: "gauge",
    name,
    value,
  });
  const ops = [gauge("flat", 8), gauge("flat", 8), gauge("steep", 1), gauge("steep", 9)];
  await record(ask, [batch("flat", [SAMPLE, ...ops])]);
  const { html } = await get("/sessions/flat");
  expect(html).toContain('<span data-most="true">8</span><span data-least="true"></span>');
  expect(html).toContain('<span data-most="true">9</span><span data-least="true">1</span>');
});

test("a session with an exit code other than 0 is shown as failed", async () => {
  const ended = (exit_code: number): Op[] => [SAMPLE, { op: "end", at: START + 9_000, exit_code }];
  await record(ask, [batch("exited", ended(1))]);
  const { html: exited } = await get("/sessions/exited");
  expect(exited).toMatch(/<section id="verdict"[^>]* data-failed=""/);
  expect(exited).toMatch(/<title>■ .* failed · Datacat/);
  expect((await get("/sessions/well")).html).not.toContain("data-failed");
});

test("Datacat's own events have texts, the data of others is shown as fields", async () => {
  expect((await get("/sessions/broken/events?text=crashed")).html).toContain(
    '<span class="event-message">killed by SIGKILL</span>',
  );
  await record(ask, [
    batch("worded", [
      SAMPLE,
      { op: "heartbeat", at: START + 1_000, timeout_ms: 5_000 },
      { op: "hang", at: START + 8_000, last_heartbeat_at: START + 1_000, process_state: "blocked" },
      { op: "recovered", at: START + 21_000, duration_ms: 20_000 },
      {
        op: "event",
        at: START + 22_000,
        name: "door",
        data: { number: 21, open: true, to: "attic" },
      },
    ]),
  ]);
  const { html } = await get("/sessions/worded");
  for (const text of [
    "no heartbeat for 7 s, process blocked",
    "after 20 s without a heartbeat",
    "number=21 open=true to=attic",
    "Recovered from a hang: no heartbeat for 20 s",
  ]) {
    expect(html).toContain(text);
  }
});

test("every panel is on the page without script", async () => {
  const { html } = await get("/sessions/broken");
  for (const part of [
    "timeline",
    "metrics",
    "moment",
    "state",
    "exceptions",
    "events",
    "record",
    "view",
  ]) {
    expect(html, part).toContain(`id="${part}"`);
  }
  for (const metric of [
    "cpu",
    "memory",
    "fps",
    "open_files",
    "assets_loaded",
    "frame_time",
    "chunk_load",
  ]) {
    expect(html, metric).toContain(`>${metric}</h3>`);
  }
});

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

test("events are filtered by text, category and name, and paged", async () => {
  const warnings = await get("/sessions/broken/events?category=warning");
  expect(warnings.html).toContain("asset_missing");
  expect(warnings.html).not.toContain("door_opened");
  const all = await get("/sessions/broken/events");
  expect(all.html.match(/class="event"/g)).toHaveLength(50);
  const next = /href="(\/sessions\/broken\?cursor=[^"#]+)#events"/.exec(all.html)?.[1] ?? "";
  const more = await get(next.replace("/sessions/broken", "/sessions/broken/events"));
  expect(more.html).toContain('class="event"');
  expect((await get("/sessions/broken/events?text=zzzzzz")).html).toContain(
    "No events match these filters",
  );
});

test("a chart is an image without script, which pages with script do not fetch", async () => {
  const { html } = await get(`/sessions/broken?from=${START}&to=${START + 60_000}`);
  const pictures = [...html.matchAll(/<noscript><img class="chart-sparkline" src="([^"]+)"/g)];
  expect(pictures).toHaveLength(7);
  const source = pictures[0]?.[1]?.replaceAll("&amp;", "&") ?? "";
  const picture = await get(source);
  expect(picture.headers.get("content-type")).toBe("image/svg+xml");
  expect(picture.html).toMatch(/^<svg xmlns="[^"]+"[^>]*>(<path [^<>]*\/>){2}<\/svg>$/);
  expect((await get("/sessions/broken/charts/99.svg")).status).toBe(404);
  expect((await get("/sessions/broken/metrics", { "hx-request": "true" })).html).not.toContain(
    "<img",
  );
});

test("a frame on another machine has no editor link", async () => {
  for (const [id, file] of [
    ["unc", "\\\\evil.example.org\\share\\a.py"],
    ["slashes", "//evil.example.org/share/a.py"],
  ] as const) {
    const frame = `  File "${file}", line 3, in run`;
    const ops = [
      { op: "start" as const, at: START, product: "frames", version: "1" },
      {
        op: "event" as const,
        at: START,
        name: "exception",
        exception_type: "E",
        stacktrace: [frame],
      },
      { op: "end" as const, at: START },
    ];
    await record(ask, [batch(id, ops)]);
    const { html } = await get(`/sessions/${id}`);
    expect(html).toContain("a.py");
    expect(html).not.toMatch(/vscode:|jetbrains:/);
  }
});

test("exceptions show frames, causes and editor links", async () => {
  const { html } = await get("/sessions/broken");
  expect(html).toContain('href="vscode://file/home/ada/game/world.py:141:1"');
  expect(html).toContain(
    "jetbrains://idea/navigate/reference?path=%2Fhome%2Fada%2Fgame%2Fworld.py%3A141",
  );
  for (const text of [
    "Caused by",
    "unhandled",
    "Member 1 of 1",
    "While handling",
    "2 further exceptions",
    '<th scope="row">errno</th><td>12</td>',
    "3 further attributes",
    "raised in step 41",
    '<span class="source-line" aria-current="true"><span class="source-number">141</span>',
  ])
    expect(html).toContain(text);
});

test("stacks of a hang show the main thread, with the others folded, and each place once", async () => {
  const frames = ['File "/home/ada/game/level.py", line 88, in load_level\n    lock.acquire()'];
  const hung = { op: "stacks", when: "hung" } as const;
  const threads = [
    { name: "MainThread", frames },
    {
      name: "<worker>",
      state: "waiting",
      frames: ['File "/home/ada/game/pool.py", line 3, in work'],
    },
  ];
  const ops: Op[] = [
    SAMPLE,
    { op: "heartbeat", at: START + 1_000, timeout_ms: 5_000 },
    { op: "hang", at: START + 8_000, last_heartbeat_at: START + 1_000 },
    { ...hung, at: START + 8_000, threads },
    { ...hung, at: START + 9_000, threads, left_out: 2, cut: true },
  ];
  await record(ask, [batch("stuck", ops)]);
  const { html } = await get("/sessions/stuck");
  for (const text of [
    "Hung in load_level (level.py:88)",
    "2 samples",
    "lock.acquire()",
    "vscode://file/home/ada/game/level.py:88:1",
    "&lt;worker&gt;, waiting",
    "work (pool.py:3)",
    "the main thread in the same place",
    "2 further threads were not recorded",
  ])
    expect(html).toContain(text);
  const api = async (id: string) =>
    (await ask(`/api/sessions/${id}/stacks`)).json<{ items: { at: number }[] }>();
  const { items } = await api("stuck");
  expect(items.map(({ at }) => at)).toEqual([START + 9_000, START + 8_000]);
  expect((await get("/sessions/stuck/stacks")).html).toContain("load_level");
  expect((await get("/sessions/broken/stacks")).html).toMatch(/id="stacks"[^>]* hidden/);
  expect(await api("broken")).toEqual({ items: [], next: null });
});

test("attachments are listed with what is missing, and a session without any shows nothing of them", async () => {
  const sha256 = "0".repeat(64);
  const attachment = { op: "attachment" as const, at: START + 1_000, sha256 };
  const ops: Op[] = [
    SAMPLE,
    {
      ...attachment,
      id: "l.1",
      name: "save<script>.dat",
      type: "text/html",
      size: 3 * 1024 * 1024,
    },
    { ...attachment, id: "l.2", name: "", size: 1e9 },
    { op: "end", at: START + 2_000 },
  ];
  await record(ask, [batch("attached", ops)]);
  const sent = { method: "PUT", body: new Uint8Array(1024 * 1024) };
  await ask("/api/sessions/attached/attachments/l.1/chunks/0", sent);
  const { html } = await get("/sessions/attached");
  for (const text of [
    "2 files",
    "save&lt;script&gt;.dat",
    "text/html, 3 MiB",
    "Has not arrived: 1 MiB of 3 MiB",
    "Refused: it is larger than an attachment may be",
    "1 of 2 attachments has not arrived",
    "1 of 2 attachments was refused",
    "Attachments over time: 2 in view",
  ])
    expect(html).toContain(text);
  expect(html).not.toContain("<img");
  expect(html).not.toContain("/sessions/attached/attachments/l.1");
  const none = (await get("/sessions/broken")).html;
  expect(none).toMatch(/id="attachments"[^>]* hidden/);
  expect(none).not.toMatch(/moment-image|attachments-row/);
});

test("output looks as in a terminal, and other programs have none", async () => {
  const { html } = await get("/sessions/command");
  expect(html).toContain('<span data-colour="green">✓</span> suite 116 passed');
  expect(html).toContain('data-stream="stderr"');
  expect((await get("/sessions/broken")).html).toMatch(/id="output"[^>]*hidden=""/);
});

test("the last lines of output of a command that failed are below its verdict, those of others are not", async () => {
  const line = (at: number, group: string, message: string): Op => ({
    op: "event",
    at: START + at,
    name: "output",
    group,
    message,
  });
  const printed = Array.from({ length: 100 }, (_, i) => line(i, "stdout", `line ${i}.`));
  const thrown: Op = {
    op: "event",
    at: START + 101,
    name: "exception",
    group: "stderr",
    exception_type: "TypeError",
    exception_msg: "config.queue is undefined",
    handled: false,
  };
  const last = line(101, "stderr", "\u001B[31mTypeError: config.queue is undefined");
  const end: Op = { op: "end", at: START + 102, exit_code: 1 };
  await record(ask, [batch("failing", [SAMPLE, ...printed, last, thrown, end])]);

  const { html } = await get("/sessions/failing");
  expect(html).toContain("<h1>Failed: TypeError: config.queue is undefined</h1>");
  const [, below = ""] = html.split('class="last-output"');
  const verdict = below.slice(0, below.indexOf("</section>"));
  expect(verdict).toContain('href="#output"');
  expect(verdict).toContain('data-stream="stderr"');
  expect(verdict.match(/line \d+\./g)).toHaveLength(LAST_LINES - 1);
  expect(verdict).toContain("line 99.");
  expect(new Set(html.match(/ id="[^"]+"/g)).size).toBe(html.match(/ id="[^"]+"/g)?.length);
  expect((await get("/sessions/command")).html).not.toContain("last-output");
  expect((await get("/sessions/broken")).html).not.toContain("last-output");
});

test("completeness is stated, with its counts", async () => {
  const { html } = await get("/sessions/broken");
  expect(html).toMatch(/([\d,]+) of \1 recorded/);
  expect(html).toContain(": complete.");
});

test("charts have the readings of the requested range only", async () => {
  const { html } = await get(
    `/sessions/broken/charts?ids=0,1,2,3,4,5,6,7&from=${START}&to=${START + 60_000}`,
  );
  const charts = JSON.parse(html);
  expect(charts.length).toBeGreaterThan(5);
  for (const { from, readings } of charts) {
    expect(from).toBeGreaterThanOrEqual(START);
    expect(readings.at(-1)[0]).toBeLessThanOrEqual(60_000);
  }
});

const PAGES = [
  "/",
  "/sessions",
  "/sessions?metric=fps",
  "/sessions/spicy",
  `/sessions/spicy?path=${encodeURIComponent(JSON.stringify(["level", "name"]))}&q=${encodeURIComponent("<script>")}`,
  "/sessions/spicy/delete",
  "/exceptions",
  "/metrics",
  `/metrics?metric=${encodeURIComponent(`cpu${SPICE}`)}`,
  `/compare?ids=spicy&ids=broken&event=${encodeURIComponent(SPICE)}`,
  `/sessions?text=${encodeURIComponent(SPICE)}&product=${encodeURIComponent(SPICE)}&path=${encodeURIComponent(SPICE)}`,
  "/settings",
  "/docs",
  "/docs/api",
];

/** Everything in a page that could run or style something and does not come from a file of ours. */
async function runnable(html: string): Promise<string[]> {
  const found: string[] = [];
  const rewriter = new HTMLRewriter().on("*", {
    element({ tagName, attributes }) {
      let isOwn = false;
      for (const [name = "", value = ""] of attributes) {
        if (/^(on|hx-on|data-hx-on)|^(style|srcdoc)$/.test(name)) found.push(`${tagName} ${name}`);
        if (/^\s*(javascript|data):/i.test(value)) found.push(`${tagName} ${name}=${value}`);
        if (name === "src" && value.startsWith("/")) isOwn = true;
      }
      if (tagName === "script" && !isOwn) found.push("script");
      if (["style", "img", "iframe", "object", "embed", "base"].includes(tagName))
        found.push(tagName);
    },
  });
  await rewriter.transform(new Response(html)).text();
  return found;
}

test.each(PAGES)("nothing that users write becomes markup on %s", async (page) => {
  const { status, html, headers } = await get(page);
  expect(status).toBe(200);
  expect(await runnable(html)).toEqual([]);
  expect(headers.get("content-security-policy")).toContain("script-src 'self'");
  expect(headers.get("content-security-policy")).not.toContain("unsafe");
});

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

test("metrics are compared over the sessions of a query, and one that is not understood is explained", async () => {
  const { html } = await get("/metrics?metric=fps&by=session&text=has:exception");
  expect(html).toContain('value="has:exception"');
  expect(html).toContain("over-time");
  const { html: none } = await get("/metrics?metric=fps&text=has:event%20-has:event");
  expect(none).not.toContain("over-time");
  const { html: wrong } = await get("/metrics?metric=fps&text=is:crashd");
  expect(wrong).toContain("Did you mean crashed?");
  expect(wrong).toContain("<mark>crashd</mark>");
});

test("an exception group can be resolved and opened again", async () => {
  const list = await get("/exceptions?product=archive-game");
  const path = /href="(\/exceptions\/[^"?]+)\?product=archive-game"/.exec(list.html)?.[1] ?? "";
  const group = await get(`${path}?product=archive-game`);
  expect(group.html).toContain('href="/sessions/broken"');
  expect(group.html).toContain("vscode://");
  const decide = (status: string) =>
    submit(path, { product: "archive-game", status, version: "1.4.3" });
  expect((await decide("resolved")).status).toBe(303);
  const resolved = await get(`${path}?product=archive-game`);
  expect(resolved.html).toContain("resolved in 1.4.3");
  expect(resolved.html).toContain('class="group-header" data-group-status="resolved"');
  expect((await get("/exceptions?product=archive-game")).html).not.toContain(path);
  await decide("open");
  expect((await get("/exceptions?product=archive-game")).html).toContain(path);
});

test("a metric is compared by version, as lines, table and CSV", async () => {
  const { html } = await get("/metrics?metric=fps&by=version");
  expect(html).toContain("archive-game 1.4.1");
  expect(html).toContain('class="plot-line"');
  const csv = await get("/metrics.csv?metric=fps&by=version");
  expect(csv.headers.get("content-type")).toContain("text/csv");
  expect(csv.html.split("\r\n")[0]).toBe(
    "group,sessions,points,mean,min,max,p50,p95,p99,stddev,quantiles_exact",
  );
  expect(csv.html).toContain("archive-game 1.4.2,1,");
});

test("the figures of one group have the digits that distinguish its lowest from its highest", async () => {
  const values = [1_000_000_000_000.5, 1_000_000_000_003.5];
  const ops = values.map((value, i): Op => ({
    op: "metric",
    at: START + i * 1_000,
    type: "gauge",
    name: "position",
    value,
  }));
  await record(ask, [batch("far", [SAMPLE, ...ops])]);
  await sessionOf(env, SERVER, "far").publish();
  const { html } = await get("/metrics?metric=position&by=none");
  const cells = [...html.matchAll(/<td class="number">([^<]*)<\/td>/g)].map(([, text]) => text);
  expect(cells.slice(1, 4)).toEqual([
    "1,000,000,000,002",
    "1,000,000,000,000.5",
    "1,000,000,000,003.5",
  ]);
});

test("a counter has a rate, and no mean of its totals", async () => {
  const { html } = await get("/metrics?metric=assets_loaded");
  expect(html).toContain("assets_loaded, rate per session since start");
  expect(html).toContain(">Updates</a></th>");
  expect(html).not.toMatch(/>(Mean|p95|Std dev)</);
  expect(html).not.toContain('id="distribution"');
  // What was chosen for another metric does not make it a mean of totals.
  const asked = await get("/metrics?metric=assets_loaded&aggregate=mean");
  expect(asked.html).toContain("assets_loaded, rate per session");
  const csv = await get("/metrics.csv?metric=assets_loaded");
  expect(csv.html.split("\r\n")[0]).toBe("group,sessions,points,total,rate");

  const compared = await get("/compare?ids=broken&ids=well");
  expect(compared.html).toMatch(
    /total<\/span><\/th><td>\d+<\/td>.*rate<\/span><\/th><td>[\d.]+\/s</,
  );
});

test("a fragment has its title and its address, without defaults", async () => {
  const { html, headers } = await get(
    "/metrics?metric=fps&product=&by=version&aggregate=&axis=elapsed&version=1.4.2",
    { "hx-request": "true" },
  );
  expect(headers.get("hx-push-url")).toBe("/metrics?version=1.4.2&metric=fps");
  expect(html).toContain("<head><title>fps by version 1.4.2 · Datacat</title></head>");
});

test("versions are in the table from the newest, in numeric order", async () => {
  const { html } = await get("/metrics?metric=fps&by=version&product=archive-game");
  expect(html.indexOf(">archive-game 1.4.2<")).toBeLessThan(html.indexOf(">archive-game 1.4.1<"));
});

test("a session without the event is named, and not in the plots", async () => {
  const { html } = await get("/compare?ids=broken&ids=well&ids=command&align=event&event=autosave");
  expect(html).toContain("C has no event “autosave”");
  expect(html).toContain("Without C: no event “autosave”.");
  expect(html).not.toMatch(/<path class="plot-line" data-line="2" data-points/);
  const none = await get("/compare?ids=broken&ids=well&align=event&event=nothing");
  expect(none.html).toContain("None of these sessions has an event “nothing”");
});

test("a comparison draws means with a band from least to most, on one axis for all plots", async () => {
  const { html } = await get("/compare?ids=broken&ids=well&align=end");
  expect(html).toContain('class="plot-band"');
  const axes = [...html.matchAll(/<figure[^>]* data-from="([^"]+)" data-to="([^"]+)"/g)].map(
    ([, from, to]) => [Number(from), Number(to)],
  );
  expect(axes).toHaveLength(7);
  expect(new Set(axes.map(String)).size).toBe(1);
  expect(axes[0]).toEqual([-140_000, 0]);
});

test("a session is compared with the newest good one of its version, else of its product", async () => {
  const run = async (id: string, version: string, ending: "end" | "crash") => {
    await record(ask, brief({ id, at: START, product: "shop", version, ending }));
    await sessionOf(env, SERVER, id).publish();
  };
  const of = async (id: string) =>
    (await get(`/compare?ids=${id}&with=good`)).headers.get("location");
  await run("bad", "1.1", "crash");
  expect(await of("bad")).toBeNull();
  expect((await get("/compare?ids=bad&with=good")).html).toContain(
    "No recent session of this product ended without an error.",
  );
  await run("older", "1.0", "end");
  expect(await of("bad")).toBe("/compare?ids=bad%2Colder");
  await run("same", "1.1", "end");
  expect(await of("bad")).toBe("/compare?ids=bad%2Csame");
  expect((await get("/compare?ids=unknown&with=good")).status).toBe(404);
});

test("of more than five sessions the first are compared, and the page states it", async () => {
  const { html } = await get("/compare?ids=broken,well,spicy,command,e,f,g");
  expect(html).toContain("The first 5 of 7 are compared");
});

test("a quantile across sessions is a line over time, and the filters are those of the list", async () => {
  const { html } = await get("/metrics?metric=fps&by=none&aggregate=p95");
  expect(html).toContain("fps, p95 since start");
  expect(html).toContain("≈ within 1 %");
  const line = /class="plot-line"[^>]*d="([^"]+)"/.exec(html)?.[1] ?? "";
  expect(line.match(/L[\d.]+ [\d.]+/g)?.length).toBeGreaterThan(5);
  const hurt = await get("/metrics?metric=fps&by=session&path=world.chunks_loaded&value=412");
  expect(hurt.html).toContain('href="/sessions/broken"');
  expect(hurt.html).not.toContain(">well</th>");
  expect(hurt.html).toMatch(/<details class="more-filters" open/);
});

test("products, versions and statuses have their number of sessions", async () => {
  const { html } = await get("/sessions?product=archive-game");
  expect(html).toContain(">archive-game (2)</option>");
  expect(html).toContain(">1.4.2 (1)</option>");
  expect(html).toContain('<small id="count-crashed">1</small>');
  const fragment = await get("/sessions?product=npm%20run%20check", { "hx-request": "true" });
  expect(fragment.html).toMatch(/<hx-partial hx-target="#count-crashed"[^>]*>0</);
});

test("two sessions are compared with only their differences", async () => {
  const { html } = await get("/compare?ids=broken&ids=well&align=end");
  expect(html).toContain("world.allocating.mib");
  expect(html).not.toContain("renderer.backend");
  expect((await get("/compare?ids=broken&ids=nothing")).html).toContain("No session has these ids");
});

test("home compares a version with the one before, and marks only a significant regression", async () => {
  const run = (version: string, n: number, ending: "end" | "crash") =>
    record(ask, brief({ id: `v${version}-${n}`, at: START, product: "editor", version, ending }));
  // 1.10 follows 1.9, not 1.1.
  for (let n = 0; n < 8; n++) await run("1.9", n, n < 1 ? "crash" : "end");
  for (let n = 0; n < 8; n++) await run("1.10", n, n < 2 ? "crash" : "end");
  for (const version of ["1.9", "1.10"])
    for (let n = 0; n < 8; n++) await sessionOf(env, SERVER, `v${version}-${n}`).publish();
  const chance = await get("/");
  expect(chance.html).toMatch(/<\/span> 12\.5 pts vs 1\.9<\/small>/);
  expect(chance.html).not.toContain("crashes more than");
  // A product's first version stands on the line of its name.
  expect(chance.html).toMatch(/>npm run check<\/a><\/th><th scope="row">/);

  for (let n = 8; n < 16; n++) {
    await run("1.10", n, "crash");
    await sessionOf(env, SERVER, `v1.10-${n}`).publish();
  }
  expect((await get("/")).html).toContain(
    "editor 1.10 crashes more than 1.9: 62.5 % vs 12.5 % of sessions.",
  );
});

test("a version whose sessions failed without a crash is no good one", async () => {
  const failed = { status: "ended", is_open: false, failed: true } as const;
  for (const id of ["red-1", "red-2"])
    await publish(env.CATALOG, publication(id, { session: { ...failed, product: "red" } }));
  const { html } = await get("/");
  const row = html.split("<tr>").find((each) => each.includes('href="/sessions?product=red"'));
  const rates = [...(row ?? "").matchAll(/data-level="(\w+)" title="([^"]+)"/g)];
  expect(rates.map(([, level, title]) => [level, title])).toEqual([
    ["good", "2 of 2 sessions did not crash"],
    ["poor", "0 of 2 sessions neither crashed nor failed"],
    ["good", "2 of 2 sessions never hung"],
  ]);
  expect(row).toContain("status=crashed%2Cfailed");
  const listed = (await get("/sessions?product=red&status=crashed,failed")).html;
  expect(listed).toContain('href="/sessions/red-1"');
});

test("sessions without contact are listed apart from running ones", async () => {
  expect((await get("/")).html).not.toContain(">Lost contact</h3>");
  await publish(env.CATALOG, publication("asleep", { session: { status: "suspended" } }));
  await publish(env.CATALOG, publication("awake", { session: { status: "active" } }));
  const { html } = await get("/");
  const [, running = "", silent = ""] = html.split(/id="running-title"|>Lost contact<\/h3>/);
  expect(running).toContain('href="/sessions/awake"');
  expect(running).not.toContain('href="/sessions/asleep"');
  expect(silent).toContain('href="/sessions/asleep"');
});

test("settings show today's usage, and the free limits", async () => {
  const { html } = await get("/settings");
  const [objects = 0, catalog = 0] = [...html.matchAll(/<meter [^>]*value="(\d+)"/g)].map(
    ([, value]) => Number(value),
  );
  expect(objects).toBeGreaterThan(4);
  expect(catalog).toBeGreaterThan(40);
  expect(html).toContain("of 100,000, ");
  expect(html).toContain("of 5 GB, ");
});

test("a missing or deleted session and an unknown address have a page that states it", async () => {
  expect(await get("/sessions/unknown")).toMatchObject({
    status: 404,
    html: expect.stringContaining("Session not found"),
  });
  expect((await get("/sessions/..%2f")).status).toBe(404);
  expect(await get("/nowhere")).toMatchObject({
    status: 404,
    html: expect.stringContaining("no page at this address"),
  });
  const fragment = await get("/sessions/unknown/events", { "hx-request": "true" });
  expect(fragment.html).not.toContain("<html");

  await record(ask, command({ id: "short-lived", at: START, lines: 3 }));
  const deleted = await submit("/sessions/short-lived/delete", {});
  expect(await deleted.text()).toContain("Session deleted");
  expect(await get("/sessions/short-lived")).toMatchObject({
    status: 410,
    html: expect.stringContaining("deleted"),
  });
});

test("theme and zone are kept in cookies, and the redirect leads only to own pages", async () => {
  const choose = (fields: Record<string, string>) => submit("/preferences", fields);
  const answer = await choose({ theme: "dark", back: "/sessions" });
  expect(answer.headers.get("location")).toBe("/sessions");
  expect(answer.headers.get("set-cookie")).toContain("theme=dark");
  expect((await get("/", { cookie: "theme=dark; zone=utc" })).html).toContain(
    'data-theme="dark" data-zone="utc"',
  );
  for (const back of ["//evil.example", "/\\evil.example", "https://evil.example"]) {
    expect((await choose({ theme: "dark", back })).headers.get("location")).toBe("/");
  }
});

test("a locked server shows how to unlock it, and nothing else", async () => {
  const locked = server({});
  const answer = await locked("/sessions/broken");
  expect(answer.status).toBe(403);
  const html = await answer.text();
  expect(html).toContain("npx wrangler secret put ADMIN_SECRET");
  expect(html).not.toContain("MemoryError");
});

test("a deployed server asks for its secret, and then shows the requested page", async () => {
  const origin = "https://datacat.example.org";
  const deployed = server({ ADMIN_SECRET: "correct horse battery staple" }, origin);
  const away = await deployed("/sessions/broken?t=5", { redirect: "manual" });
  expect(away.headers.get("location")).toBe(
    `/login?back=${encodeURIComponent("/sessions/broken?t=5")}`,
  );
  const fragment = await deployed("/sessions/broken/events", { headers: { "hx-request": "true" } });
  expect(fragment.status).toBe(401);

  const signIn = (secret: string) =>
    deployed("/login", {
      method: "POST",
      body: new URLSearchParams({ secret, back: "/sessions/broken?t=5" }),
      headers: { origin },
      redirect: "manual",
    });
  expect((await signIn("wrong")).status).toBe(403);
  const in_ = await signIn("correct horse battery staple");
  expect(in_.headers.get("location")).toBe("/sessions/broken?t=5");
  const cookie = in_.headers.get("set-cookie")?.split(";")[0] ?? "";
  const page = await deployed("/sessions/broken", { headers: { cookie } });
  expect(page.status).toBe(200);
  const foreign = await deployed("/logout", {
    method: "POST",
    headers: { cookie, origin: "https://evil.example" },
  });
  expect(foreign.status).toBe(403);
});

test("a watching page receives changes; pages of other origins do not", async () => {
  const socket = await ask("/sessions/broken/live", {
    headers: { upgrade: "websocket", origin: "http://localhost:8080" },
  });
  expect(socket.status).toBe(101);
  const message = new Promise<string>((resolve) => {
    socket.webSocket?.addEventListener("message", ({ data }) => {
      if (String(data).includes("event")) resolve(String(data));
    });
  });
  socket.webSocket?.accept();
  await ask(
    "/api/ingest",
    post({
      batches: [
        {
          session: "broken",
          lane: "late",
          first: 1,
          last: 1,
          ops: [{ op: "event", at: END, name: "late" }],
        },
      ],
    }),
  );
  expect(JSON.parse(await message)).toMatchObject({ kinds: expect.arrayContaining(["event"]) });
  socket.webSocket?.close();

  const foreign = await ask("/sessions/broken/live", {
    headers: { upgrade: "websocket", origin: "https://evil.example" },
  });
  expect(foreign.status).toBe(403);
});

test("below the verdict of a crash stands how it differs from the last good runs", async () => {
  const product = "what-changed";
  const at = START - 86_400_000;
  const one = (id: string, minute: number, parts: Op[], version = "1.0"): Batch =>
    batch(id, [
      {
        op: "start",
        at: at + minute * 60_000,
        product,
        version,
        state: { renderer: version === "1.0" ? "gl" : "<b>vulkan" },
      },
      ...parts,
    ]);
  const end = (minute: number): Op => ({
    op: "end",
    at: at + minute * 60_000 + 9_000,
    exit_code: 0,
  });
  const good = ["good-1", "good-2", "good-3", "good-4", "good-5"];
  for (const [minute, id] of good.entries()) await record(ask, [one(id, minute, [end(minute)])]);
  const crash: Op = { op: "crash", at: at + 609_000, reason: "killed", signal: "SIGKILL" };
  await record(ask, [one("changed", 10, [crash], "1.1")]);
  for (const id of [...good, "changed"]) await sessionOf(env, SERVER, id).publish();

  // The page itself does not wait for it.
  const page = (await get("/sessions/changed")).html;
  expect(page).toMatch(/id="changed"[^>]*hx-get="\/sessions\/changed\/changes" hx-trigger="load, /);
  expect(page).not.toContain("good runs before");
  expect((await get("/sessions/good-1")).html).toMatch(/id="changed"[^>]*hidden/);

  const { html } = await get("/sessions/changed/changes", { "hx-request": "true" });
  expect(html).toContain("against the last 5 good runs before it");
  expect(html).toMatch(/<strong>Version 1.1<\/strong> <span>in none of 5 good runs/);
  expect(html).toContain("State renderer = “&lt;b&gt;vulkan”");
  expect(html).toContain("cannot be less likely than 1 in 6");
  const early = await get("/sessions/good-1/changes", { "hx-request": "true" });
  expect(early.html).not.toContain("good run");

  const answer = (await ask("/api/sessions/changed/changes")) as Response;
  expect(await answer.json()).toMatchObject({
    others: { sessions: 5 },
    items: [{ text: "Version 1.1: in none of 5 good runs", p: 1 / 6 }, {}],
  });
  const filtered = await get(`/sessions?product=${product}&status=succeeded`);
  expect(filtered.html).toContain(`href="/distinctions?product=${product}&amp;status=succeeded"`);
  const few = (await get(`/distinctions?product=${product}&status=succeeded`)).html;
  expect(few).toContain("There are 5 of these and 1 of the others; 4 of each are needed.");
  const all = (await ask(`/api/distinctions?product=${product}&status=crashed`)) as Response;
  expect(await all.json()).toMatchObject({
    items: [],
    these: { sessions: 1 },
    others: { sessions: 5 },
  });
});
