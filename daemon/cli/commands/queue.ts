/** `datacat queue` and `datacat send`: the lanes on this machine's disk, looked at and sent by hand. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { formatBytes } from "../../../src/core/format.ts";
import { loadCheckpoint } from "../../lanes/checkpoint.ts";
import { type Environment, home, homeAt, makePrivate } from "../../home.ts";
import { laneFile, listLanes, readHeader, readLane } from "../../lanes/lane-file.ts";
import { bold, dim, print, printJson, printTable, progress, styled } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

/** One lane, over all its parts. */
export type LaneReport = {
  lane: string;
  session: string;
  program: string;
  parts: number;
  bytes: number;
  records: number;
  acknowledged: number;
  damaged: number;
  torn: boolean;
  /** Sequences that no record has. */
  missing: number;
};

export async function readLanes(env: Environment): Promise<LaneReport[]> {
  const { lanes: folder, checkpoint } = home(env, process.platform);
  if (!existsSync(folder)) return [];
  const known = loadCheckpoint(checkpoint);
  const reports: LaneReport[] = [];
  for (const [lane, parts] of listLanes(folder)) {
    progress(`reading ${lane}…`);
    const files = parts.map((part) => join(folder, laneFile(lane, part)));
    reports.push({ ...(await readFiles(lane, files)), acknowledged: known.get(lane)?.seq ?? 0 });
  }
  progress("");
  return reports;
}

async function readFiles(lane: string, files: string[]): Promise<LaneReport> {
  const report: LaneReport = {
    lane,
    session: "",
    program: "",
    parts: files.length,
    bytes: 0,
    records: 0,
    acknowledged: 0,
    damaged: 0,
    torn: false,
    missing: 0,
  };
  let next: number | undefined;
  for (const file of files) {
    report.bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    for await (const entry of readLane(file)) {
      if (entry.kind === "header") {
        report.session = entry.header.session;
        report.program = entry.header.writer.program ?? "";
        next ??= entry.header.first;
      } else if (entry.kind === "damaged") report.damaged += 1;
      else if (entry.kind === "torn") report.torn = true;
      else {
        report.records += 1;
        report.missing += Math.max(0, entry.seq - (next ?? entry.seq));
        next = entry.seq + 1;
      }
    }
  }
  return report;
}

export async function listQueue(env: Environment, json?: boolean): Promise<void> {
  const { rejected } = home(env, process.platform);
  const reports = await readLanes(env);
  const rejectedFiles = existsSync(rejected) ? readdirSync(rejected).length : 0;
  if (json) return printJson({ lanes: reports, rejected: rejectedFiles });
  if (reports.length === 0) print("The queue is empty: the server has everything.");
  else {
    printTable(
      ["lane", "session", "program", "records", "acknowledged", "size"],
      reports.map((one) => [
        one.lane,
        one.session,
        one.program,
        String(one.records),
        String(one.acknowledged),
        formatBytes(one.bytes),
      ]),
    );
  }
  if (rejectedFiles > 0)
    print(`The server refused ${rejectedFiles} records. They are in ${rejected}.`);
}

/** Prints what a lane holds, one JSON object a line; damaged places too. */
export async function dumpLane(env: Environment, which: string): Promise<void> {
  for (const file of filesOf(env, which)) {
    for await (const entry of readLane(file)) {
      if (entry.kind === "header") printJson({ header: entry.header }, 0);
      else if (entry.kind === "record") printJson({ seq: entry.seq, ...entry.op }, 0);
      else printJson({ [entry.kind]: { bytes: entry.bytes, offset: entry.offset } }, 0);
    }
  }
}

/** A lane file, or all parts of the lane whose id begins so. */
function filesOf(env: Environment, which: string): string[] {
  if (existsSync(which)) return [which];
  const { lanes } = home(env, process.platform);
  const all = existsSync(lanes) ? [...listLanes(lanes)] : [];
  const found = all.filter(([lane]) => lane.startsWith(which));
  const [only] = found;
  if (!only || found.length > 1) {
    const problem = only ? `${found.length} lanes begin with` : "There is no file or lane";
    throw new Trouble("not_found", `${problem} ${which} in ${lanes}. See: datacat queue list`);
  }
  const [lane, parts] = only;
  return parts.map((part) => join(lanes, laneFile(lane, part)));
}

/** Reads every lane from end to end; answers whether all of it is whole. */
export async function verifyQueue(env: Environment, json?: boolean): Promise<boolean> {
  const reports = await readLanes(env);
  const isWhole = (one: LaneReport) => one.damaged === 0 && one.missing === 0;
  const good = reports.every(isWhole);
  if (json) {
    printJson({ whole: good, lanes: reports });
    return good;
  }
  for (const one of reports) {
    const verdict = isWhole(one) ? styled("green", "whole") : styled("red", "damaged");
    const details = [
      `${one.records} records`,
      one.damaged > 0 && `${one.damaged} damaged places`,
      one.missing > 0 && `${one.missing} records missing`,
      one.torn && "last line still being written, or cut off",
    ];
    print(`${verdict}  ${one.lane}  ${details.filter(Boolean).join(", ")}`);
  }
  print(dim(`${reports.length} lanes, ${reports.filter(isWhole).length} whole`));
  return good;
}

/**
 * Sends lane files that came from elsewhere, by a daemon of their own in a home of their own. Sending what the server already has
 * does no harm, so the same files may be sent again.
 */
export async function sendFiles(env: Environment, files: string[], json?: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "datacat-send-"));
  try {
    const temporary = homeAt(folder);
    makePrivate(temporary);
    for (const file of files) {
      if (!existsSync(file)) throw new Trouble("not_found", `There is no file ${file}.`);
      const header = readHeader(file);
      if (!header)
        throw new Trouble("failed", `${file} is not a lane, or its first line is damaged.`);
      copyFileSync(file, join(temporary.lanes, laneFile(header.lane, header.part)));
    }
    const settings = home(env, process.platform).config;
    if (existsSync(settings)) copyFileSync(settings, temporary.config);
    const { runDaemon } = await import("../../main.ts");
    const daemon = await runDaemon({ env: { ...env, DATACAT_HOME: folder }, folder, port: 0 });
    if (!daemon) throw new Trouble("failed", `The temporary home ${folder} could not be used.`);
    progress(`sending ${files.length} files…`);
    await new Promise((resolve) => setTimeout(resolve, ADOPT_MS));
    const done = await daemon.flush(SEND_TIMEOUT_MS);
    await daemon.stop();
    progress("");
    const refused = readdirSync(temporary.rejected);
    if (json)
      printJson({
        files: files.map((file) => basename(file)),
        sent: done,
        refused: refused.length,
      });
    if (!done)
      throw new Trouble("unreachable", "The server did not take everything; try again later.");
    if (refused.length > 0)
      throw new Trouble("failed", `The server refused ${refused.length} records.`);
    if (!json)
      print(
        `${bold("Sent.")} The server has all of ${files.map((file) => basename(file)).join(", ")}.`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A daemon looks at its folder at least this often. */
const ADOPT_MS = 500;
const SEND_TIMEOUT_MS = 10 * 60_000;
