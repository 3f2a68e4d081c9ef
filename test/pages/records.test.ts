/** The records of a session's page: events, exceptions, stacks, attachments and output. */
import { beforeAll, expect, test } from "vitest";
import { ask, batch, get, type Op, recordWorld, SAMPLE, START } from "./site.ts";
import { record } from "./world.ts";

beforeAll(recordWorld);

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
