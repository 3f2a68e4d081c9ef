/**
 * The time that each function takes for recorded text grows with the text's length, whatever the text is. A quadratic function takes 16
 * times as long for four times the text; the CPU time of this thread is compared, which other processes do not change.
 */
import { describe, expect, test } from "vitest";
import { exceptionFields } from "../clients/typescript/encode/exception.ts";
import { jsonOf, plainObject } from "../clients/typescript/encode/values.ts";
import { overridesOf } from "../daemon/cli/run/ci.ts";
import { JunitReader } from "../daemon/cli/import/junit.ts";
import { BadReport } from "../daemon/cli/import/report.ts";
import { TapReader } from "../daemon/cli/import/tap.ts";
import { looseJson } from "../daemon/api/loose-json.ts";
import { OutputRecorder } from "../daemon/cli/run/output.ts";
import { salvage } from "../daemon/lanes/frame.ts";
import { eventRow, matches, searchText } from "../src/core/events/event.ts";
import { fingerprint } from "../src/core/events/fingerprint.ts";
import { framesOf } from "../src/core/stack/frame.ts";
import { templateOf } from "../src/core/events/template.ts";
import { Redactor, redactText } from "../src/core/secrets/redact.ts";
import { redactArguments } from "../src/core/secrets/arguments.ts";
import { nameClass } from "../src/core/secrets/names.ts";
import {
  nameLabel,
  plainJson,
  plainText,
  quotedName,
  styledText,
  withStyles,
} from "../src/core/text/recorded-text.ts";
import { fileNameOf } from "../src/core/attachments/attachments.ts";
import { ciContext, gitContext } from "../src/core/ci/ci.ts";
import { parseJson } from "../src/core/parse.ts";
import { openTermOf, quoted, quotedPath } from "../src/core/query/complete.ts";
import { compareVersions } from "../src/core/query/order.ts";
import { Refusal } from "../src/core/refusal.ts";
import { storeMap } from "../src/core/sourcemaps/blocks.ts";
import { readMapFile } from "../src/core/sourcemaps/map-file.ts";
import { FileMatcher, sourcePath, uploadPath } from "../src/core/sourcemaps/paths.ts";
import { diffLines, printedDiff } from "../src/core/tests/diff.ts";
import { testKey, testName } from "../src/core/tests/id.ts";
import { asking, nameAsked } from "../src/core/text/names.ts";

const LENGTH = 16_000;
/** CPU time that a garbage collection or a compilation may add to one call. */
const SLACK_MS = 40;

/** What a text begins with, what is repeated, and what it ends with. */
const SHAPES: [start: string, repeated: string, end: string][] = [
  ["", "a", ""],
  ["", " ", "x"],
  ["", "\n", "x"],
  ["", " \n", "x"],
  ["", "    x\n", ""],
  ['File "a.py", line 1, in f\n', "    x\n", ""],
  ["", 'File "', ""],
  ['File "', "a", ""],
  ["", "at ", ""],
  ["at ", " (", "\r"],
  ["at ", "(a", ":1"],
  ["at a.b(", ") in ", "\r"],
  ["", ".(", ""],
  ["", "a.(", ")"],
  ["a.b(", "0x", ")"],
  ["a.b(", "{", "!"],
  ["", "@", ""],
  ["", "x@y.z, ", ""],
  ["f@", ":1", "!"],
  ["f@a:", "1", ":"],
  ["", "a.b:", ""],
  ["a.b:1", " ", "x\rx"],
  ["", "/", ""],
  ["", "/a", ""],
  ["", "/ ", "!"],
  ["", "/a b", "\\"],
  ["", "C:/", ""],
  ["", "file://", ""],
  ["", "?", "\r"],
  ["", "#", "\u2028"],
  ["", "-", "."],
  ["a-", "0", "g."],
  ["", "0x0", "g"],
  ["", "1.", ""],
  ["", "a-1", ""],
  ["", "\u001B]", ""],
  ["", "\u001B]\u001B", ""],
  ["", "\u009D", ""],
  ["", "\u001B[", ""],
  ["\u001B[", ";", "!"],
  ["\u001B[", "1;", "!"],
  ["\u001B", " ", "\n"],
  ["", "\u001BP", ""],
  ["\u001B]", "\u0090", ""],
  ["", "\u001B_\u009D", ""],
  ["", "\u202E", ""],
  ["", "\u200B", ""],
  ["", "\u001B[1m", ""],
  ["", '"', ""],
  ['"', '\\"', ""],
  ["", '"\\', ""],
  ["", "NaN", ""],
  ["", "-", ""],
  ["", "=", ""],
  ["--", "token", ""],
  ["", "_", ""],
  ["", "\uD800", ""],
  ["", "\\ud800", ""],
  ["", "\r", ""],
  ["", "00000000 {", ""],
  ["", '{"', ""],
  ["(", "1,", "x"],
  ["", "1:", ""],
  ["", "::", "1"],
  ["'", "\\'", ""],
  ["main.F[", "]", "("],
  ["", "x at ", " line 1"],
  ["", "a.b[[", "("],
  ["[1] ", "[Callstack] ", ""],
  ["a.rb:1:in '", "block (1 levels) in ", "'"],
  ["", "{closure", ""],
  ["a::", "b", "%"],
  ["a", " ", "\u2028x"],
  ["a", "\r", "\nx"],
  ["a", ".", "x"],
  ["", "a/", ""],
  ["", "../a/", ""],
  ["", "# ", "todo"],
  ["", "~", "!"],
];

/** What only the scanners of secrets distinguish. */
const SECRET_SHAPES: typeof SHAPES = [
  ...[
    ...'://|x://a:b/|u:p@|a:|a=|=|password=\\|password=[|token="|token=\'1|token: a |max_tokens="1|&key=#'.split(
      "|",
    ),
    ..."authorization: Bearer |cookie: a|'cookie: a|-u a |-u \"a -u 'b |--pass |-p|sshpass -p |mysql -p".split(
      "|",
    ),
    ..."eyJ|eyJ.|-eyJ|AKIA|-AKIA|AIza-|ghp_|github_pat_|ya29.|SG.|sk-ant-|Bearer |basic a|%3D|%3A%2F%2F".split(
      "|",
    ),
    ..."-----BEGIN |-----BEGIN PRIVATE KEY-----|1|4111 |4111-1111 |1.|[redacted]|[redacted|token=[redacted] ".split(
      "|",
    ),
  ].map((repeated): [string, string, string] => ["", repeated, ""]),
  ["-----BEGIN PRIVATE KEY-----", "a", ""],
  ["token=", "1", ""],
  ["token=[", "[", ""],
  ["a://u:", "p", ""],
  ["AKIAIOSFODNN7EXAMPLE ", "A1b2C3d4E5f6G7h8I9j0A1b2C3d4E5f6G7h8I9j0 ", ""],
];

/** Its JSON is at most six times as long as the text, and so within MAX_EVENT_BYTES. */
const exception = (text: string) => ({
  op: "event" as const,
  at: 0,
  name: "exception",
  exception_type: "Error",
  exception_msg: text.slice(0, text.length / 4),
  stacktrace: [text.slice(0, text.length / 4)],
});
const row = (text: string) => ({ ...exception(text), seq: 1, category: "error" });

const FUNCTIONS: Record<string, (text: string) => unknown> = {
  "the fingerprint of a stack": (text) =>
    fingerprint({ exception_type: "Error", stacktrace: [text] }),
  "the fingerprint of many frames": (text) =>
    fingerprint({ exception_type: "Error", stacktrace: text.match(/.{1,40}/gs) ?? [] }),
  "the template of a message": templateOf,
  "the fingerprint of a message": (text) =>
    fingerprint({ exception_type: "Error", exception_msg: text }),
  "an event as it is stored": (text) => eventRow(exception(text), 1),
  "the text that a search examines": (text) => searchText(row(text)),
  "a search": (text) => matches(row(text), { text: `${text.slice(0, 20)}?` }),
  "the keys of secrets": (text) => nameClass(text),
  "redaction of a text": (text) => redactText(text),
  "redaction of values": (text) =>
    new Redactor().value({ [text]: text, token: text, list: [text] }),
  "redaction of arguments": (text) => redactArguments([text, "--password", text, `a=${text}`]),
  "frames of a page": (text) => framesOf([text]),
  "many frames of a page": (text) => framesOf(text.match(/.{1,40}/gs) ?? []),
  "output with its colours": (text) => styledText(text),
  "output without its colours": (text) => plainText(text),
  "text for a terminal": (text) => withStyles(text),
  "the label of a name": (text) => [nameLabel(text), quotedName(text)],
  "a name in an address": (text) => nameAsked(asking(text)),
  "JSON for people": (text) => plainJson({ [text]: text }),
  "JSON of a request": (text) => [parseJson(JSON.stringify(text), "It"), parsed(text)],
  "JSON of 1.x's clients": (text) => looseJson(text),
  "a line of a command's output": (text) => record([text]),
  "a command's output in small pieces": (text) => record(text.match(/.{1,40}/gs) ?? []),
  "a damaged line of a lane": (text) => {
    const bytes = Buffer.from(text);
    return salvage(bytes, 0, bytes.length);
  },
  "an exception of the TypeScript client": (text) =>
    exceptionFields({ name: "Error", message: text, stack: `Error: ${text}\n    at f (a.js:1:2)` }),
  "a stack of the TypeScript client": (text) => exceptionFields({ stack: text }),
  "a frame of the TypeScript client": (text) => exceptionFields({ stack: `at ${text}` }),
  "a report in TAP": tapOf,
  "a report in XML": junitOf,
  "a source map": sourceMapOf,
  "a path of a source map": (text) => [
    new FileMatcher([uploadPath(text), "app.js"]).find(`/a/${text}`),
    sourcePath(text, text),
    sourcePath(`webpack://${text}`, "a.js"),
  ],
  "the difference of two texts": (text) => [diffLines(text, `x\n${text}y`), printedDiff(text)],
  "the name of a test": (text) => [testName({ id: [text, text] }), testKey([text])],
  "what is written last of a query": (text) => [openTermOf(text), openTermOf(`a:"${text}`)],
  "a value in a query": (text) => [quoted(text), quotedPath(text)],
  "the order of two versions": (text) => compareVersions(text, `${text}1`),
  "a name of a downloaded file": (text) => fileNameOf(text, "lane.1"),
  "what a run belongs to": (text) => [
    ciContext({ CI: "true", GITHUB_ACTIONS: "true", GITHUB_REF: text, GITHUB_SHA: text }, {}),
    ciContext({ GITLAB_CI: "true", CI_JOB_URL: text, CI_JOB_NAME: text }, {}),
    gitContext(text, text),
  ],
  "settings of a repository": (text) => overridesOf(`local\0filter.${text}\0`.repeat(2)),
  "a value of the TypeScript client": (text) => jsonOf(plainObject({ [text]: text }, "data", [])),
};

/** TAP with the text at each place that is read. */
function tapOf(text: string): unknown {
  const reader = new TapReader("a.tap");
  const yaml = `  ---\n  a:${text}\n  stack: |\n    ${text}\n  location: ${text}\n  ...\n`;
  for (const line of ["ok 1", "not ok 1 -", "1..1", "1..2 #", "Bail out!", "#", "    ", ""])
    reader.write(`${line}${text}\nnot ok 1\n${yaml}`);
  return reader.named(reader.end());
}

/** The same in XML, whose reader refuses most of it. */
function junitOf(text: string): void {
  const shapes = [
    `<testcase name="${text}" classname="${text}"><failure message="${text}">${text}</failure>`,
    `<testcase><system-out><![CDATA[${text}]]>${text}`,
    `<!--${text}-->${text}`,
    text,
  ];
  for (const shape of shapes) {
    const reader = new JunitReader("/folder");
    try {
      reader.write(`<testsuite name="a" file="a.py">${shape}`);
      reader.end();
    } catch (error) {
      if (!(error instanceof BadReport)) throw error;
    }
  }
}

function sourceMapOf(text: string): unknown {
  const names = [text, text];
  const map = { version: 3, sourceRoot: text, sources: names, sourcesContent: names, names };
  return [text, "A".repeat(text.length)].map((mappings) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...map, mappings }));
    try {
      return storeMap(readMapFile(bytes), text, () => {});
    } catch (error) {
      return error instanceof Refusal;
    }
  });
}

/** Text that is hardly ever JSON. */
function parsed(text: string): unknown {
  try {
    return parseJson(text, "It");
  } catch {
    return undefined;
  }
}

function record(pieces: string[]): void {
  const recorder = new OutputRecorder(() => {}, 0);
  for (const piece of pieces) recorder.take("stdout", Buffer.from(piece), 0);
  recorder.finish(0);
}

describe("time grows with the length of the text", () => {
  test.each(Object.entries(FUNCTIONS))("%s", (name, work) => {
    for (const shape of name.startsWith("redaction") ? [...SHAPES, ...SECRET_SHAPES] : SHAPES) {
      const long = textOf(shape, 4 * LENGTH);
      if (cpuMs(work, long) < SLACK_MS) continue; // whatever a shorter text takes
      const limit = 12 * shorterOfTwo(work, textOf(shape, LENGTH)) + SLACK_MS;
      expect(shorterOfTwo(work, long), JSON.stringify(shape)).toBeLessThan(limit);
    }
  });
});

describe("time grows with the number of exceptions that led to one", () => {
  const error = new Error("first");
  test.each<[string, (count: number) => unknown]>([
    ["a group of many members", (count) => new AggregateError(Array(count).fill(error), "all")],
    [
      "a group of members of their own",
      (count) => new AggregateError(Array.from({ length: count }, (_, n) => new Error(String(n)))),
    ],
    ["a list that is no error's", (count) => ({ message: "x", errors: Array(count).fill({}) })],
    [
      "a chain of causes",
      (count) => {
        let last: unknown = error;
        for (let n = 0; n < count; n++) last = new Error("next", { cause: last });
        return last;
      },
    ],
    [
      "groups of groups",
      (count) => {
        let last = new AggregateError([error]);
        for (let n = 0; n < 20; n++) last = new AggregateError(Array(count / 20).fill(last));
        return last;
      },
    ],
    ["many own properties", (count) => Object.fromEntries(Array(count).entries())],
  ])("%s", (_, make) => {
    const [short, long] = [make(5_000), make(20_000)];
    const work = (thrown: unknown) => exceptionFields(thrown);
    if (cpuMs(work, long) < SLACK_MS) return;
    const limit = 12 * Math.min(cpuMs(work, short), cpuMs(work, short)) + SLACK_MS;
    expect(Math.min(cpuMs(work, long), cpuMs(work, long))).toBeLessThan(limit);
  });
});

function textOf([start, repeated, end]: [string, string, string], length: number): string {
  return start + repeated.repeat(Math.ceil(length / repeated.length)) + end;
}

function shorterOfTwo(work: (text: string) => unknown, text: string): number {
  return Math.min(cpuMs(work, text), cpuMs(work, text));
}

function cpuMs<Value>(work: (value: Value) => unknown, value: Value): number {
  const before = process.threadCpuUsage();
  work(value);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
