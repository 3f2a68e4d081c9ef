/** The page of a session: its verdict, its panels, and what differs from good runs. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { SERVER } from "../../src/core/access/authority.ts";
import type { Batch } from "../../src/core/batch.ts";
import { LAST_LINES } from "../../src/pages/limits.ts";
import { sessionOf } from "../../src/session/client.ts";
import { post } from "../api/server.ts";
import { ask, batch, END, get, type Op, recordWorld, SAMPLE, START, submit } from "./site.ts";
import { command, game, record } from "./world.ts";

beforeAll(recordWorld);

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

test("a session with an exit code other than 0 is shown as failed", async () => {
  const ended = (exit_code: number): Op[] => [SAMPLE, { op: "end", at: START + 9_000, exit_code }];
  await record(ask, [batch("exited", ended(1))]);
  const { html: exited } = await get("/sessions/exited");
  expect(exited).toMatch(/<section id="verdict"[^>]* data-failed=""/);
  expect(exited).toMatch(/<title>■ .* failed · Datacat/);
  expect((await get("/sessions/well")).html).not.toContain("data-failed");
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
