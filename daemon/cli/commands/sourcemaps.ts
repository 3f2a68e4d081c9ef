/** `datacat sourcemaps`: uploads the source maps of a build, lists and deletes those that the server has. */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Command } from "commander";
import { formatBytes, formatCount } from "../../../src/core/text/format.ts";
import { MAX_BODY_BYTES } from "../../../src/core/limits.ts";
import { asking } from "../../../src/core/text/names.ts";
import { refusalOf } from "../../../src/core/refusal.ts";
import { storeMap } from "../../../src/core/sourcemaps/blocks.ts";
import { readMapFile } from "../../../src/core/sourcemaps/map-file.ts";
import { uploadPath } from "../../../src/core/sourcemaps/paths.ts";
import { DATACAT } from "../invocation.ts";
import { UPLOAD_TIMEOUT_MS } from "../limits.ts";
import { JSON_OPTION, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { findMaps, type Search } from "../../sourcemaps/find.ts";
import { moment, print, printJson, printTable, progress } from "../terminal.ts";
import { EXIT_CODES, Trouble } from "../trouble.ts";

const PATH = "/api/sourcemaps";
const PRODUCT = ["--product <name>", "the product of the program's sessions"] as const;
const VERSION = ["--version <version>", "the version of the program's sessions"] as const;

type Release = { product: string; version: string };
type UploadOptions = Release & { prefix: string; dryRun?: boolean; json?: boolean };

export function addSourceMaps(program: Command): void {
  const maps = program
    .command("sourcemaps")
    .description("Upload source maps, so that stacks of minified JavaScript name their sources.");

  maps
    .command("upload")
    .description("Upload the source maps of a build that the server does not have yet.")
    .argument("<folder>", "the build, e.g. dist; node_modules and links in it are left out")
    .requiredOption(...PRODUCT)
    .requiredOption(...VERSION)
    .option("--prefix <path>", "Put this folder in front of each file's path.", "")
    .option("--dry-run", "Check the maps and print what would be sent.")
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      `\nExample:\n  ${DATACAT} sourcemaps upload dist --product game --version 1.4.2\n\nThe key in DATACAT_KEY may be one of kind upload.`,
    )
    .action(async (folder: string, options: UploadOptions) => {
      const hasFailed = await withServer((server) => upload(server, folder, options));
      if (hasFailed) process.exitCode = EXIT_CODES.failed;
    });

  maps
    .command("list")
    .description("List the versions that have source maps or, of one version, their files.")
    .option(...PRODUCT)
    .option(...VERSION)
    .option(...JSON_OPTION)
    .action((options: Partial<Release> & { json?: boolean }) =>
      withServer((server) => list(server, options)),
    );

  maps
    .command("delete")
    .description("Delete all source maps of a version, or that of one file.")
    .requiredOption(...PRODUCT)
    .requiredOption(...VERSION)
    .option("--file <path>", "Delete only the map of this file.")
    .option(...JSON_OPTION)
    .action((options: Release & { file?: string; json?: boolean }) =>
      withServer(async (server) => {
        const { json, ...asked } = options;
        const removed = await server.delete<{ files: number }>(PATH, queryOf(asked));
        if (json) printJson(removed);
        else print(`${formatCount(removed.files, "source map")} deleted.`);
      }),
    );
}

/** Whether a map was refused, or there was none. */
async function upload(server: Server, folder: string, options: UploadOptions): Promise<boolean> {
  const { product, version, prefix, dryRun = false, json } = options;
  const release = { product, version };
  checkFolder(folder);
  const known = dryRun ? new Map<string, string>() : await knownMaps(server, release);
  const search: Search = { without: [], leftOut: [] };
  const sent: { file: string; bytes: number; compressed: number }[] = [];
  const refused: { file: string; why: string }[] = [];
  let unchanged = 0;

  for (const { file: own, map } of findMaps(folder, search)) {
    const file = uploadPath(`${prefix}/${own}`);
    progress(`${file}…`);
    if (known.get(file) === createHash("sha256").update(map).digest("hex")) {
      unchanged++;
      continue;
    }
    const body = gzipSync(map);
    const why =
      body.length > MAX_BODY_BYTES
        ? `it has ${formatBytes(body.length)} compressed, and ${formatBytes(MAX_BODY_BYTES)} are allowed`
        : dryRun
          ? problemOf(map, file)
          : await server.put(PATH, queryOf({ ...release, file }), body, UPLOAD_TIMEOUT_MS);
    if (why === undefined) sent.push({ file, bytes: map.length, compressed: body.length });
    else refused.push({ file, why });
  }
  progress("");

  const { without, leftOut } = search;
  const count = sent.length + unchanged + refused.length;
  if (json) {
    printJson({ sent, unchanged, refused, without, left_out: leftOut, dry_run: dryRun });
    return refused.length > 0 || count === 0;
  }
  if (dryRun) for (const { file, bytes } of sent) print(`${file}  ${formatBytes(bytes)}`);
  for (const { file, why } of refused) print(`Refused: ${file}: ${why}`);
  for (const text of leftOut) print(`Left out: ${text}`);
  if (count === 0)
    print(`${folder} has no source maps. Build with them, as .map files or inside the .js files.`);
  else print(summaryOf());
  return refused.length > 0 || count === 0;

  function summaryOf(): string {
    const compressed = sent.reduce((sum, each) => sum + each.compressed, 0);
    return [
      `${formatCount(sent.length, "source map")} ${dryRun ? "would be sent" : "uploaded"} for ${product} ${version} (${formatBytes(compressed)})`,
      unchanged > 0 && `${unchanged} already there`,
      refused.length > 0 && `${refused.length} refused`,
      without.length > 0 && `${formatCount(without.length, "file")} without a map`,
    ]
      .filter(Boolean)
      .join(", ");
  }
}

function checkFolder(folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Trouble("not_found", `There is no folder ${folder}.`);
}

/** Hashes of the maps that the server has. */
async function knownMaps(server: Server, release: Release): Promise<Map<string, string>> {
  const { items } = await server.get<{ items: { file: string; sha256: string }[] }>(
    PATH,
    queryOf(release),
  );
  return new Map(items.map(({ file, sha256 }) => [file, sha256]));
}

/** Why the server would refuse a map. */
function problemOf(map: Buffer, file: string): string | undefined {
  try {
    storeMap(readMapFile(map), file, () => {});
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return refusal.message;
  }
}

type Version = Release & { files: number; bytes: number; uploaded_at: number; uploaded_by: string };
type File = { file: string; bytes: number; sha256: string; uploaded_at: number };

async function list(
  server: Server,
  { json, ...asked }: Partial<Release> & { json?: boolean },
): Promise<void> {
  if (asked.version !== undefined && asked.product === undefined)
    throw new Trouble("usage", "A version is of a product: give --product as well.");
  const answer = await server.get<{ items: Version[] | File[] }>(PATH, queryOf(asked));
  if (json) return printJson(answer.items);
  if (answer.items.length === 0) return print("No source maps.");
  if (asked.version !== undefined)
    return printTable(
      ["file", "map", "sha256", "uploaded"],
      (answer.items as File[]).map(({ file, bytes, sha256, uploaded_at: at }) => [
        file,
        formatBytes(bytes),
        sha256.slice(0, 12),
        moment(at),
      ]),
    );
  printTable(
    ["product", "version", "files", "stored", "uploaded", "by"],
    (answer.items as Version[]).map((row) => [
      row.product,
      row.version,
      String(row.files),
      formatBytes(row.bytes),
      moment(row.uploaded_at),
      row.uploaded_by,
    ]),
  );
}

function queryOf(asked: { product?: string; version?: string; file?: string }) {
  const { product, version, file } = asked;
  return {
    ...(product !== undefined && { product: asking(product) }),
    ...(version !== undefined && { version: asking(version) }),
    ...(file !== undefined && { file }),
  };
}
