import { expect, test } from "vitest";
import { exportTable, type TableQuery } from "../../../src/core/exports/tables.ts";
import { Event, type Op } from "../../../src/core/wire.ts";
import { MemorySession, NOON } from "./memory.ts";

const COMMA = { separator: ",", decimal: "." } as const;
const metric = (at: number, name: string, value: number, more: object = {}): Op => ({
  op: "metric",
  at: NOON + at,
  type: "gauge",
  name,
  value,
  ...more,
});

function tableOf(session: MemorySession, query: Partial<TableQuery> & Pick<TableQuery, "table">) {
  return [...exportTable(session.source(), { ...COMMA, ...query })].join("");
}
const linesOf = (...args: Parameters<typeof tableOf>) => tableOf(...args).split("\r\n");

test("every field of an event has a column", () => {
  const [header = ""] = linesOf(new MemorySession(), { table: "events" });
  const columns = header.split(",");
  for (const field of ["seq", "recorded_at", ...Object.keys(Event.entries)])
    if (field !== "op") expect(columns).toContain(field);
});

test("events are rows with their times, texts and values", () => {
  const session = new MemorySession().apply([
    {
      op: "event",
      at: NOON + 1,
      name: "door",
      labels: ["a", "b"],
      message: 'It is "no", twice',
      data: { room: 5 },
    },
    {
      op: "event",
      at: NOON + 2,
      name: "exception",
      exception_type: "KeyError",
      exception_msg: "=SUM(A1)",
      stacktrace: ["File a.py\n", "File b.py\n"],
      handled: false,
    },
  ]);
  const text = tableOf(session, { table: "events" });
  expect(text).toContain(
    `2026-01-05 12:00:00.001,${NOON + 1},,1,door,info,,"a, b","It is ""no"", twice",,,,`,
  );
  expect(text).toContain(`"{""room"":5}"`);
  expect(text).toContain("KeyError,'=SUM(A1),false,");
  expect(text).toContain('"File a.py\nFile b.py"');
});

test("events and points outside of the range are left out", () => {
  const session = new MemorySession();
  for (const at of [1, 2, 3])
    session
      .apply([{ op: "event", at: NOON + at, name: `event-${at}` }, metric(at, "fps", at)])
      .seal();
  const range = { from: NOON + 2, to: NOON + 2 };
  expect(linesOf(session, { table: "events", ...range })).toHaveLength(3);
  expect(linesOf(session, { table: "metrics", ...range })[1]).toContain(",fps,,gauge,,2,");
});

test("a row of the long table has a point with its series", () => {
  const session = new MemorySession().apply([
    metric(1, "fps", 59.5, { unit: "1/s", tags: ["scene", "a"] }),
    { op: "metric", at: NOON + 2, type: "counter", name: "frames", delta: 3 },
    { op: "metric", at: NOON + 3, type: "counter", name: "frames", delta: 4 },
    { op: "metric", at: NOON + 4, type: "timer", name: "load", value: 0.5, count: 2 },
    { op: "metric", at: NOON + 5, type: "histogram", name: "size", value: 3, buckets: [1, 5] },
  ]);
  expect(linesOf(session, { table: "metrics" })).toEqual([
    "time_utc,at,recorded_at,metric,tags,type,unit,value,count,sum,min,max,buckets",
    `2026-01-05 12:00:00.001,${NOON + 1},,fps,"a, scene",gauge,1/s,59.5,,,,,`,
    `2026-01-05 12:00:00.002,${NOON + 2},,frames,,counter,,3,,,,,`,
    `2026-01-05 12:00:00.003,${NOON + 3},,frames,,counter,,7,,,,,`,
    `2026-01-05 12:00:00.004,${NOON + 4},,load,,timer,,0.5,2,,,,`,
    `2026-01-05 12:00:00.005,${NOON + 5},,size,,histogram,,3,1,3,3,3,"{""5"":1}"`,
    "",
  ]);
});

test("a wide table has a row for each time and a column for each series", () => {
  const session = new MemorySession().apply([
    metric(1, "fps", 60),
    metric(1, "heap", 5, { unit: "MB" }),
    metric(2, "fps", 59),
    metric(2, "fps", 58),
    metric(2, "heap", 6, { unit: "MB" }),
    metric(3, "fps", 57, { tags: ["b", "a"] }),
    metric(3, "fps", 1, { type: "timer" }),
  ]);
  expect(linesOf(session, { table: "metrics_wide" })).toEqual([
    'time_utc,at,fps #0,heap (MB),"fps [a, b]",fps #3',
    `2026-01-05 12:00:00.001,${NOON + 1},60,5,,`,
    `2026-01-05 12:00:00.002,${NOON + 2},59,6,,`,
    `2026-01-05 12:00:00.002,${NOON + 2},58,,,`,
    `2026-01-05 12:00:00.003,${NOON + 3},,,57,1`,
    "",
  ]);
});

test("a wide table by steps has the last value of each series in each step", () => {
  const session = new MemorySession()
    .apply([metric(1, "fps", 60), metric(900, "fps", 50), metric(950, "heap", 1)])
    .seal()
    .apply([metric(500, "fps", 55), metric(2_100, "heap", 2)]);
  expect(linesOf(session, { table: "metrics_wide", stepMs: 1_000 })).toEqual([
    "time_utc,at,fps,heap",
    `2026-01-05 12:00:00.000,${NOON},50,1`,
    `2026-01-05 12:00:02.000,${NOON + 2_000},,2`,
    "",
  ]);
});

test("only the named metrics are columns", () => {
  const session = new MemorySession().apply([metric(1, "fps", 60), metric(1, "heap", 5)]);
  const [header, ...rows] = linesOf(session, { table: "metrics_wide", metrics: ["heap"] });
  expect(header).toBe("time_utc,at,heap");
  expect(rows).toEqual([`2026-01-05 12:00:00.001,${NOON + 1},5`, ""]);
});

test("a spreadsheet with a decimal comma gets one in numbers and in times, and a mark for UTF-8", () => {
  const session = new MemorySession().apply([metric(1, "fps; -1", -59.5)]);
  const text = tableOf(session, {
    table: "metrics_wide",
    separator: ";",
    decimal: ",",
    bom: true,
  });
  expect(text).toBe(
    `\uFEFFtime_utc;at;"fps;' -1"\r\n"2026-01-05 12:00:00,001";${NOON + 1};-59,5\r\n`,
  );
});

test("a session without points has a header alone", () => {
  expect(tableOf(new MemorySession(), { table: "metrics_wide" })).toBe("time_utc,at\r\n");
});
