/** Records the reports of one run as a session: a lane like that of a program, with the times of the reports. */
import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { type CiContext, versionOf } from "../../../src/core/ci/ci.ts";
import { newId } from "../../../src/core/id.ts";
import { redactOp } from "../../../src/core/secrets/redact.ts";
import { framesOf } from "../../../src/core/stack/frame.ts";
import { withNamesCut } from "../../../src/core/text/cut-names.ts";
import { tagsIn } from "../../../src/core/text/tag.ts";
import type { TestFact } from "../../../src/core/tests/fact.ts";
import { MAX_TEST_ID_PARTS, MAX_TEST_PART_LENGTH } from "../../../src/core/tests/limits.ts";
import type { Event, JsonObject, Op } from "../../../src/core/wire.ts";
import { type Environment, openHome, openSpare } from "../../home.ts";
import { LaneWriter } from "../../lanes/lane-file.ts";
import { listLanes } from "../../lanes/listing.ts";
import { VERSION } from "../../version.ts";
import { thisMachine, thisProcess } from "../../watch/machine.ts";
import { readCi } from "../run/ci.ts";
import { typed } from "../run/errors/printed-error.ts";
import { FAILURE_LINES, OPS_PER_WRITE, PLACE_LINES, TEXT_LENGTH } from "./limits.ts";
import type { ReadFile } from "./read.ts";
import type { Attempt, ReportedTest } from "./report.ts";

export type ImportOptions = { product?: string; versionLabel?: string; tag: string[] };
export type Counts = { [name: string]: number };
type Recorded = {
  session: string;
  counts: Counts;
  tests: number;
  /** Its lane is on disk already: the same files were imported, and not sent yet. */
  isKnown: boolean;
};

/** The product of reports without one. */
const PRODUCT = "tests";

/** `name`: of the folder that was imported, or of the current one. Throws an error of the file system if no lane can be written. */
export async function recordReports(
  files: (ReadFile & { path: string })[],
  name: string,
  options: ImportOptions,
  env: Environment,
): Promise<Recorded> {
  const ci = await readCi(env, process.cwd());
  const product = options.product ?? env["DATACAT_PRODUCT"] ?? (name || PRODUCT);
  const version =
    options.versionLabel || env["DATACAT_VERSION"] || (ci && versionOf(ci)) || undefined;
  const { ops, counts, startAt } = opsOf(files, {
    name,
    product,
    version,
    ci,
    tags: [...tagsIn(env["DATACAT_TAGS"]), ...options.tag],
  });

  const random = hashOf(files, product, ci);
  const session = newId(startAt, random.subarray(0, 10));
  const lane = newId(startAt, random.subarray(10, 20));
  const { lanes } = openHome(env, process.platform);
  const tests = files.reduce((sum, { report }) => sum + report.tests.length, 0);
  if (listLanes(lanes).has(lane)) return { session, counts, tests, isKnown: true };
  const header = {
    lane,
    session,
    server: env["DATACAT_URL"] ?? "",
    at: startAt,
    writer: {
      program: "datacat",
      arguments: ["import", ...files.slice(0, 20).map(({ path }) => basename(path))],
      client: `datacat-import ${VERSION}`,
      ...thisProcess(),
      ...thisMachine(),
    },
  };
  const writer = LaneWriter.create(lanes, header, { spare: () => openSpare(env)?.lanes });
  for (let i = 0; i < ops.length; i += OPS_PER_WRITE)
    if (!writer.append(...ops.slice(i, i + OPS_PER_WRITE)))
      throw new Error("The records could not be written: the disk may be full.");
  writer.close();
  return { session, counts, tests, isKnown: false };
}

/**
 * What identifies a run: its files, the product, and the job. Files without times differ from run to run in nothing but when they were
 * written.
 */
function hashOf(files: ReadFile[], product: string, ci: CiContext | undefined): Buffer {
  const hash = createHash("sha256");
  const { provider, commit, job, run_number: run, run_attempt: attempt } = ci ?? {};
  const service =
    provider === undefined || provider === "git" ? [] : [provider, commit, job, run, attempt];
  const contents = files.map(({ sha256, modifiedAt, report }) =>
    report.hasTimes ? sha256 : `${sha256} ${Math.floor(modifiedAt / 1000)}`,
  );
  return hash.update(JSON.stringify([product, service, contents.toSorted()])).digest();
}

type Context = {
  name: string;
  product: string;
  version: string | undefined;
  ci: CiContext | undefined;
  tags: string[];
};

type Dated = { at: number; durationMs: number; runner: string; test: ReportedTest };

/** The ops of a session, in the order of their times. */
export function opsOf(
  files: ReadFile[],
  { name, product, version, ci, tags }: Context,
): { ops: Op[]; counts: Counts; startAt: number } {
  const dated = files.flatMap(({ report, modifiedAt }) => {
    // A report without times was written when its tests had ended.
    const since = report.hasTimes ? 0 : Math.max(0, Math.round(modifiedAt - report.durationMs));
    return report.tests.map((test): Dated => {
      const durationMs = test.attempts.reduce((sum, attempt) => sum + (attempt.durationMs ?? 0), 0);
      return { at: Math.round(since + test.at), durationMs, runner: report.runner, test };
    });
  });
  const times = dated.flatMap(({ at, durationMs }) => [at, at + durationMs]);
  const modifiedAt = Math.max(0, ...files.map((file) => Math.round(file.modifiedAt)));
  const startAt = Math.floor(times.reduce((a, b) => Math.min(a, b), times[0] ?? modifiedAt));
  const endAt = Math.ceil(times.reduce((a, b) => Math.max(a, b), startAt));

  const runners = [...new Set(files.map(({ report }) => report.runner))].join(", ");
  const properties: JsonObject = {};
  for (const { report } of files)
    for (const [key, value] of report.properties) properties[key] ??= value;
  const hostname = files.map(({ report }) => report.hostname).find(Boolean);
  const counts: Counts = {};
  const events = dated
    .flatMap(({ at, runner, test }) => eventsOf(test, at, runner, counts))
    .toSorted((a, b) => a.at - b.at);
  const outputs = files.flatMap(({ report }) =>
    report.outputs.map(({ suite, text }): Event => ({
      op: "event",
      at: endAt,
      name: "suite_output",
      group: (suite || report.runner).slice(0, TEXT_LENGTH / 4),
      message: text,
    })),
  );
  const ops: Op[] = [
    ...withNamesCut({
      op: "start",
      at: startAt,
      product,
      version,
      tags: ["import", ...tags],
      state: {
        tests: {
          runner: runners,
          root: name,
          planned: dated.filter(({ test }) => test.kind !== "suite").length,
        },
        files: files.length,
        ...(hostname && { hostname: hostname.slice(0, TEXT_LENGTH) }),
        ...(Object.keys(properties).length > 0 && { properties }),
        ...(ci && { ci }),
      },
    }),
    ...events,
    ...outputs,
    { op: "state", at: endAt, patch: { tests: { counts } } },
    { op: "end", at: endAt },
  ];
  return { ops: ops.map((op) => redactOp(op)), counts, startAt };
}

const PLURALS: { [result: string]: string } = {
  error: "errors",
  expected_failure: "expected_failures",
  unexpected_pass: "unexpected_passes",
};

function eventsOf(test: ReportedTest, startAt: number, runner: string, counts: Counts): Event[] {
  let at = startAt;
  const last = test.attempts.at(-1);
  if (last) {
    // A file or a hook that failed is an error, as the server counts it.
    const name = test.kind === "suite" ? "errors" : (PLURALS[last.result] ?? last.result);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return test.attempts.map((attempt, index) => {
    at += attempt.durationMs ?? 0;
    return eventOf(test, attempt, index + 1, Math.round(at), runner);
  });
}

function eventOf(
  { id, kind }: ReportedTest,
  attempt: Attempt,
  number: number,
  at: number,
  runner: string,
): Event {
  const { result, phase, durationMs, reason, output, diff } = attempt;
  const fact: TestFact = {
    id: id.slice(0, MAX_TEST_ID_PARTS).map(ownPart),
    result,
    ...(number > 1 && { attempt: number }),
    ...(durationMs !== undefined && { duration_ms: durationMs }),
    ...(phase !== undefined && { phase }),
    ...(reason !== undefined && { reason }),
    ...(output !== undefined && { output }),
    ...(diff !== undefined && { diff }),
    ...(kind !== undefined && { kind }),
  };
  const hasFailed = result === "failed" || result === "error";
  return {
    op: "event",
    at,
    name: "test",
    category: hasFailed ? "error" : "info",
    group: runner.slice(0, TEXT_LENGTH / 4),
    ...(hasFailed && exceptionOf(attempt)),
    test: fact,
  };
}

/** A part of an id within its limit; one that is cut ends with a checksum, so that different parts stay different. */
function ownPart(part: string): string {
  if (part.length <= MAX_TEST_PART_LENGTH) return part;
  const checksum = createHash("sha256").update(part).digest("hex").slice(0, 8);
  return `${part.slice(0, MAX_TEST_PART_LENGTH - 10)}~${checksum}`;
}

/** The message and the exception of a failure, with the place of its innermost own frame. */
function exceptionOf({ failure }: Attempt): Partial<Event> {
  if (!failure) return {};
  const lines = failure.text.split("\n").slice(0, FAILURE_LINES);
  // pytest marks the lines of the exception; the last one has its type.
  const marked = lines.findLast((line) => line.startsWith("E  "))?.slice(1);
  const first = (marked ?? lines.find((line) => line.trim() !== ""))?.trim();
  const isGeneric = /^(failed|failure|error|test failed|collection failure)?\.?$/i.test(
    failure.message?.trim().slice(0, 20) ?? "",
  );
  const message = (isGeneric ? first : failure.message?.trim()) ?? failure.message ?? first;
  const found = typed((message ?? "").slice(0, TEXT_LENGTH));
  const own =
    found && (found.message !== "" || /(Error|Exception)$/.test(found.type)) ? found : undefined;
  const isTyped = failure.type !== undefined && /^[A-Za-z_$][\w.$:\\]{0,199}$/.test(failure.type);
  const type = isTyped && !/^failure$/i.test(failure.type ?? "") ? failure.type : own?.type;
  const frames = framesOf(lines).filter(({ isOwn, place }) => isOwn && place?.file !== undefined);
  const python = frames.at(-1)?.place?.language === "python"; // which prints the innermost frame last
  const place = (python ? frames.at(-1) : frames[0])?.place;
  const printed = place ? undefined : printedPlace(lines);
  const file = place?.file ?? printed?.file ?? failure.file;
  const line = place ? place.line : (printed?.line ?? failure.line);
  return {
    message: message?.split("\n", 1)[0]?.slice(0, TEXT_LENGTH),
    ...(type !== undefined && {
      exception_type: type,
      exception_msg: own?.type === type ? own?.message : message,
    }),
    ...(failure.text.trim() !== "" && { stacktrace: lines }),
    ...(file !== undefined && { source_file: file }),
    ...(line !== undefined && { source_line: line }),
    ...(place?.name && { source_function: place.name }),
    handled: true,
  };
}

/** `merge_test.go:12: got 1`: a message that begins with its place. */
function printedPlace(lines: readonly string[]): { file: string; line: number } | undefined {
  for (const text of lines.slice(0, PLACE_LINES)) {
    const [, file, line] =
      /^\s*([\w./\\-]{1,200}\.\w{1,8}):(\d{1,9}): /.exec(text.slice(0, 300)) ?? [];
    if (file !== undefined) return { file, line: Number(line) };
  }
  return undefined;
}

/** The name of a folder, also of `.`. */
export function nameOf(folder: string): string {
  return basename(resolve(folder));
}
