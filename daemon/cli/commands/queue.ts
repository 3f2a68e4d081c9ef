/** `datacat queue`: the records on this disk that the server has not acknowledged. */
import { existsSync, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { formatBytes, formatCount } from "../../../src/core/text/format.ts";
import { type Environment, type Home, homesOf, isOwnHome } from "../../home.ts";
import { loadCheckpoint } from "../../lanes/checkpoint.ts";
import { laneFile, readLane } from "../../lanes/lane-file.ts";
import { attachmentId, listFolder, listLanes } from "../../lanes/listing.ts";
import { DATACAT } from "../invocation.ts";
import { ALWAYS_JSON_OPTION, JSON_OPTION } from "../options.ts";
import { dim, print, printJson, printTable, progress, styled } from "../terminal.ts";
import { EXIT_CODES, Trouble } from "../trouble.ts";

export function addQueue(program: Command): void {
  const { env } = process;
  const queue = program
    .command("queue")
    .description("Inspect what is recorded on this disk and not yet acknowledged by the server.");

  queue
    .command("list", { isDefault: true })
    .description("List the lanes.")
    .option(...JSON_OPTION)
    .action(({ json }) => listQueue(env, json));

  queue
    .command("dump")
    .description("Print a lane's records, one JSON object per line.")
    .argument("<lane>", "a lane's id or its beginning, or a lane file")
    .option(...ALWAYS_JSON_OPTION)
    .action((lane: string) => dumpLane(env, lane));

  queue
    .command("verify")
    .description("Check every record of every lane.")
    .option(...JSON_OPTION)
    .action(async ({ json }) => {
      if (!(await verifyQueue(env, json))) process.exitCode = EXIT_CODES.failed;
    });
}

/** One lane, over all its parts. */
type LaneReport = {
  lane: string;
  session: string;
  program: string;
  parts: number;
  bytes: number;
  records: number;
  acknowledged: number;
  damaged: number;
  torn: boolean;
  /** Attachments whose content is still to be sent. */
  attachments: number;
  attachment_bytes: number;
  /** The folder that it is in: the home's, or the last resort's. */
  folder: string;
  /** Sequences that no record has. */
  missing: number;
};

export async function readLanes(env: Environment): Promise<LaneReport[]> {
  const homes = homesWithLanes(env);
  // The daemon of one home also reads the lanes of the other.
  const known = new Map(homes.flatMap(({ checkpoint }) => [...loadCheckpoint(checkpoint)]));
  const reports: LaneReport[] = [];
  for (const { lanes: folder } of homes) {
    const found = listFolder(folder);
    for (const [lane, parts] of found.lanes) {
      progress(`reading ${lane}…`);
      const report = await readParts(lane, folder, parts);
      const content = contentOf(folder, lane, found.attachments.get(lane) ?? []);
      reports.push({ ...report, ...content, acknowledged: known.get(lane)?.seq ?? 0 });
    }
  }
  progress("");
  return reports;
}

function contentOf(folder: string, lane: string, numbers: number[]) {
  const sizes = numbers.map((number) => {
    const path = join(folder, `${attachmentId(lane, number)}.attachment`);
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  });
  return { attachments: numbers.length, attachment_bytes: sizes.reduce((a, b) => a + b, 0) };
}

/** The user's home and the last resort, as far as they exist and are the user's own. */
function homesWithLanes(env: Environment): Home[] {
  const [wanted, ...others] = homesOf(env, process.platform);
  return [
    ...(wanted && existsSync(wanted.lanes) ? [wanted] : []),
    ...others.filter((other) => isOwnHome(other)),
  ];
}

async function readParts(lane: string, folder: string, parts: number[]): Promise<LaneReport> {
  const files = parts.map((part) => join(folder, laneFile(lane, part)));
  const report: LaneReport = {
    lane,
    folder,
    session: "",
    program: "",
    parts: files.length,
    bytes: 0,
    records: 0,
    acknowledged: 0,
    damaged: 0,
    torn: false,
    attachments: 0,
    attachment_bytes: 0,
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

async function listQueue(env: Environment, json?: boolean): Promise<void> {
  const reports = await readLanes(env);
  const refused = rejectedIn(env);
  const rejected = refused.reduce((sum, { files }) => sum + files, 0);
  if (json) return printJson({ lanes: reports, rejected });
  if (reports.length === 0) print("The queue is empty: the server has everything.");
  else {
    const hasAttachments = reports.some(({ attachments }) => attachments > 0);
    const hasOthers = new Set(reports.map(({ folder }) => folder)).size > 1;
    printTable(
      [
        "lane",
        "session",
        "program",
        "records",
        "acknowledged",
        "size",
        ...(hasAttachments ? ["attachments"] : []),
        ...(hasOthers ? ["folder"] : []),
      ],
      reports.map((one) => [
        one.lane,
        one.session,
        one.program,
        String(one.records),
        String(one.acknowledged),
        formatBytes(one.bytes),
        ...(hasAttachments ? [attachmentsText(one)] : []),
        ...(hasOthers ? [one.folder] : []),
      ]),
    );
  }
  for (const { folder, files } of refused)
    print(`The server refused ${formatCount(files, "record")}, now in ${folder}.`);
}

function attachmentsText({ attachments, attachment_bytes }: LaneReport): string {
  return attachments === 0 ? "" : `${attachments}, ${formatBytes(attachment_bytes)}`;
}

/** The folders with what the server refused, and how many files each has. */
export function rejectedIn(env: Environment): { folder: string; files: number }[] {
  return homesWithLanes(env).flatMap(({ rejected: folder }) => {
    const files = existsSync(folder) ? readdirSync(folder).length : 0;
    return files > 0 ? [{ folder, files }] : [];
  });
}

/** Prints a lane's records and damaged places, one JSON object per line. */
async function dumpLane(env: Environment, which: string): Promise<void> {
  for (const file of filesOf(env, which)) {
    for await (const entry of readLane(file)) {
      if (entry.kind === "header") printJson({ header: entry.header }, 0);
      else if (entry.kind === "record") printJson({ seq: entry.seq, ...entry.op }, 0);
      else printJson({ [entry.kind]: { bytes: entry.bytes, offset: entry.offset } }, 0);
    }
  }
}

/** A lane file, or all parts of the lane whose id begins with `which`. */
function filesOf(env: Environment, which: string): string[] {
  if (existsSync(which)) return [which];
  const homes = homesWithLanes(env);
  const found = homes.flatMap(({ lanes: folder }) =>
    [...listLanes(folder)]
      .filter(([lane]) => lane.startsWith(which))
      .map(([lane, parts]) => ({ folder, lane, parts })),
  );
  const [only] = found;
  if (!only || found.length > 1) {
    const problem = only ? `${found.length} lanes begin with` : "There is no file or lane";
    throw new Trouble("not_found", `${problem} ${which}. For a list: ${DATACAT} queue list`);
  }
  const { folder, lane, parts } = only;
  return parts.map((part) => join(folder, laneFile(lane, part)));
}

/** Reads every lane completely. Returns whether all are intact. */
async function verifyQueue(env: Environment, json?: boolean): Promise<boolean> {
  const reports = await readLanes(env);
  const isIntact = (one: LaneReport) => one.damaged === 0 && one.missing === 0;
  const isGood = reports.every(isIntact);
  if (json) {
    printJson({ whole: isGood, lanes: reports });
    return isGood;
  }
  for (const one of reports) {
    const result = isIntact(one) ? styled("green", "intact") : styled("red", "damaged");
    const details = [
      formatCount(one.records, "record"),
      one.damaged > 0 && formatCount(one.damaged, "damaged place"),
      one.missing > 0 && `${formatCount(one.missing, "record")} missing`,
      one.torn && "last line incomplete",
    ];
    print(`${result}  ${one.lane}  ${details.filter(Boolean).join(", ")}`);
  }
  print(dim(`${formatCount(reports.length, "lane")}, ${reports.filter(isIntact).length} intact`));
  return isGood;
}
