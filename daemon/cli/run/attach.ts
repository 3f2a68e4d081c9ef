/**
 * `datacat run --attach GLOB`: the files that a command changed, from the names that match. Only regular files in the working folder; no
 * link is followed, so that none leads out of it.
 */
import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { isAbsolute, join, matchesGlob } from "node:path";
import { CHANGE_STEP_MS, MAX_WALKED } from "../limits.ts";

/** `name`: the path from the working folder, with slashes. */
export type ChangedFile = { name: string; bytes: number; changedAt: number };

/** Why a pattern is not accepted. */
export function problemWith(glob: string): string | undefined {
  const parts = glob.split(/[/\\]/);
  if (glob === "") return "it is empty";
  if (isAbsolute(glob) || parts.includes(".."))
    return "it leads out of the working folder; give a path that begins in it, as logs/*.txt";
  return undefined;
}

/** The files that match and were changed since a time, the newest first. `isCut`: there are too many files to look at. */
export function changedFiles(
  globs: string[],
  folder: string,
  since: number,
): { files: ChangedFile[]; isCut: boolean } {
  const files = new Map<string, ChangedFile>();
  let walked = 0;
  for (const glob of globs.map((each) => each.replace(/^(?:\.\/)+/, ""))) {
    for (const name of walk(folder, fixedPart(glob), depthOf(glob), () => ++walked <= MAX_WALKED)) {
      if (!matchesGlob(name, glob)) continue;
      const status = lstatSync(join(folder, name), { throwIfNoEntry: false });
      // The time of a file is rounded down.
      if (!status?.isFile() || status.mtimeMs < since - CHANGE_STEP_MS) continue;
      files.set(name, { name, bytes: status.size, changedAt: status.mtimeMs });
    }
  }
  const newest = [...files.values()].sort((a, b) => b.changedAt - a.changedAt);
  return { files: newest, isCut: walked > MAX_WALKED };
}

/** The folders before the first part with a wildcard: only what is in them can match. */
function fixedPart(glob: string): string {
  const parts = glob.split("/").slice(0, -1);
  const wild = parts.findIndex((part) => /[*?[\]{}()!+@]/.test(part));
  return parts.slice(0, wild === -1 ? parts.length : wild).join("/");
}

/** How many folders deep the files are; infinite with `**`, or with a slash in braces. */
function depthOf(glob: string): number {
  return /\*\*|\{/.test(glob) ? Infinity : glob.split("/").length - 1;
}

function* walk(
  root: string,
  below: string,
  depth: number,
  mayLook: () => boolean,
): Generator<string> {
  if (!isInside(root, below)) return;
  const folders = [below];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesOf(join(root, folder))) {
      if (!mayLook()) return;
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) yield name;
      // A link is no directory here.
      else if (entry.isDirectory() && name.split("/").length <= depth) folders.push(name);
    }
  }
}

/** Whether no part of a path below the folder is a link. */
function isInside(root: string, below: string): boolean {
  const parts = below === "" ? [] : below.split("/");
  return parts.every((_, index) => {
    const path = join(root, ...parts.slice(0, index + 1));
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // another user's, or removed meanwhile
  }
}
