/** The fields that a query for sessions may name, and what kind of values each has. */
import { STATUS_LABELS } from "../vocabulary.ts";
import { type FieldInfo, type Prefix, type QueryList, queryList } from "./list.ts";

/** What `has:` may ask for. */
const HAS = [
  "event",
  "exception",
  "metric",
  "state",
  "tag",
  "hang",
  "heartbeat",
  "exit_code",
  "signal",
  "test",
  "attachment",
] as const;

const STATUS = { kind: "choice", labels: STATUS_LABELS } as const;

/** `kinds`: the statuses that sessions are searched by (catalog/search/filter.ts). */
function fieldsOf(kinds: readonly string[]): FieldInfo[] {
  return [
    { name: "id", kind: "text", about: "Id of the session" },
    { name: "product", kind: "text", about: "Product" },
    { name: "version", kind: "version", about: "Version; < and > compare version numbers" },
    { name: "status", ...STATUS, choices: kinds, about: "Status or outcome" },
    { name: "is", ...STATUS, choices: kinds, about: "The same as status" },
    { name: "has", kind: "choice", about: "What was recorded at all", choices: HAS },
    { name: "machine", kind: "text", about: "Host name or machine id" },
    { name: "os", kind: "text", about: "Operating system, as linux x86_64" },
    { name: "language", kind: "text", about: "Language and its version, as python 3.13.0" },
    { name: "browser", kind: "text", about: "Browser of a recorded page" },
    { name: "verdict", kind: "contained", about: "Text in the verdict" },
    { name: "signal", kind: "text", about: "Signal at the end, as SIGKILL" },
    { name: "tag", kind: "text", about: "Tag; tag.branch:main is the tag branch:main" },
    { name: "event", kind: "text", about: "Name of an event that was recorded" },
    { name: "exception", kind: "text", about: "Type or fingerprint of an exception" },
    {
      name: "metric",
      kind: "text",
      about: "Name of a metric; metric.fps.mean compares its figures",
    },
    { name: "test", kind: "text", about: "Name of a test, or the last part of it" },
    { name: "attachment", kind: "text", about: "Name of an attachment" },
    { name: "exit_code", kind: "number", about: "Exit code" },
    { name: "started", kind: "time", about: "Start: a date, or <7d for the last seven days" },
    { name: "ended", kind: "time", about: "End or crash" },
    { name: "seen", kind: "time", about: "Last contact" },
    { name: "ran", kind: "duration", about: "How long it ran, as >5m" },
    { name: "stored", kind: "size", about: "Stored bytes, as >10MB" },
    { name: "events", kind: "number", about: "Number of events" },
    { name: "exceptions", kind: "number", about: "Number of exceptions" },
    { name: "states", kind: "number", about: "Number of changes of the state" },
    { name: "tests", kind: "number", about: "Number of tests" },
    { name: "failed_tests", kind: "number", about: "Number of tests that did not pass" },
    { name: "points", kind: "number", about: "Number of points of all metrics" },
    { name: "series", kind: "number", about: "Number of series" },
    { name: "attachments", kind: "number", about: "Number of attachments that were not refused" },
  ];
}

/** What stands before a path, a name or a key. */
const PREFIXES: readonly Prefix[] = [
  { name: "state", about: "Value of a state path now, or the last one: state.level:>3" },
  { name: "ever", about: "Any value that a state path had: ever.window.active:menu" },
  { name: "at_end", about: "Value of a state path when the session ended: at_end.level:3" },
  { name: "metric", about: "Figure of a metric: metric.fps.mean:<30" },
  { name: "tag", about: "Value of a tag key:value : tag.branch:main" },
];

/** What a query for sessions may name. `kinds` as of fieldsOf. */
export function sessionList(kinds: readonly string[]): QueryList {
  return queryList(fieldsOf(kinds), PREFIXES);
}

/** Figures of a series that a query can compare: columns of the catalog's metrics. */
export const FIGURES = [
  "mean",
  "min",
  "max",
  "first",
  "last",
  "count",
  "sum",
  "increase",
  "p50",
  "p95",
  "p99",
];

/** A figure of a metric, as `fps.mean`. Names of metrics may have dots, so the figure is what follows the last one. */
export function figureNamed(text: string): { metric: string; statistic: string } | undefined {
  const dot = text.lastIndexOf(".");
  const statistic = text.slice(dot + 1);
  return dot > 0 && FIGURES.includes(statistic)
    ? { metric: text.slice(0, dot), statistic }
    : undefined;
}
