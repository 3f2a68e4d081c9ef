import { expect, test } from "vitest";
import { type Family, metricsText } from "../../../src/core/text/openmetrics.ts";

const FAMILIES: Family[] = [
  {
    name: "app_size_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Size.",
    samples: [{ labels: { of: "a", in: "b" }, value: 1.5 }, { value: 2 }],
  },
  {
    name: "app_rows",
    type: "counter",
    help: "Rows.",
    created_at: 1_500,
    samples: [{ labels: { of: "a" }, value: 3 }],
  },
  { name: "app", type: "info", help: "App.", samples: [{ labels: { version: "1" }, value: 1 }] },
  { name: "app_none", type: "gauge", help: "Nothing.", samples: [] },
];

test("OpenMetrics has units, the start of counters, and an end", () => {
  expect(metricsText(FAMILIES, "openmetrics").split("\n")).toEqual([
    "# TYPE app_size_bytes gauge",
    "# UNIT app_size_bytes bytes",
    "# HELP app_size_bytes Size.",
    'app_size_bytes{of="a",in="b"} 1.5',
    "app_size_bytes 2",
    "# TYPE app_rows counter",
    "# HELP app_rows Rows.",
    'app_rows_total{of="a"} 3',
    'app_rows_created{of="a"} 1.5',
    "# TYPE app info",
    "# HELP app App.",
    'app_info{version="1"} 1',
    "# EOF",
    "",
  ]);
});

test("Prometheus' text format names counters with their suffix, and has no type for information", () => {
  expect(metricsText(FAMILIES, "prometheus").split("\n")).toEqual([
    "# HELP app_size_bytes Size.",
    "# TYPE app_size_bytes gauge",
    'app_size_bytes{of="a",in="b"} 1.5',
    "app_size_bytes 2",
    "# HELP app_rows_total Rows.",
    "# TYPE app_rows_total counter",
    'app_rows_total{of="a"} 3',
    "# HELP app_info App.",
    "# TYPE app_info gauge",
    'app_info{version="1"} 1',
    "",
  ]);
});

test("quotes, backslashes and line ends in labels are escaped", () => {
  const samples = [{ labels: { of: 'a"b\\c\nd\\n{},="' }, value: 1 }];
  const text = metricsText([{ name: "x", type: "gauge", help: "X.", samples }], "prometheus");
  expect(text.split("\n")[2]).toBe(String.raw`x{of="a\"b\\c\nd\\n{},=\""} 1`);
});
