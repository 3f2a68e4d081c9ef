/** The files that the arguments of `datacat import` name: files, folders (searched for reports) and globs. */
import { type Dirent, lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { Trouble } from "../trouble.ts";
import { MAX_FILES, MAX_FOLDER_DEPTH } from "./limits.ts";

/** Files of one run. `isNamed`: the user named the file itself, so one that is no report is an error. */
export type Group = { folder: string | undefined; files: { path: string; isNamed: boolean }[] };

const REPORT = /\.(xml|tap)$/i;
/** Folders that hold other people's files, or no reports. */
const LEFT_OUT = new Set([".git", "node_modules", ".venv", "venv"]);

/** One group for each folder, and one for all other arguments together. */
export function groupsOf(names: readonly string[]): Group[] {
  const single: Group = { folder: undefined, files: [] };
  const groups: Group[] = [];
  for (const name of names) {
    const found = statusOf(name);
    if (found?.isDirectory()) {
      const files = reportsIn(name, 0, []).map((path) => ({ path, isNamed: false }));
      if (files.length === 0)
        throw new Trouble(
          "not_found",
          `The folder ${name} has no files that end with .xml or .tap.`,
        );
      groups.push({ folder: name, files });
    } else if (found) single.files.push({ path: name, isNamed: true });
    else {
      const matches = matchesOf(name);
      if (matches.length === 0) throw new Trouble("not_found", `There is no file ${name}.`);
      single.files.push(...matches.map((path) => ({ path, isNamed: matches.length === 1 })));
    }
  }
  return single.files.length > 0 ? [single, ...groups] : groups;
}

/** Links are not followed. */
function reportsIn(folder: string, depth: number, found: string[]): string[] {
  if (depth > MAX_FOLDER_DEPTH) return found;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (found.length >= MAX_FILES)
      throw new Trouble(
        "failed",
        `${folder} has more than ${MAX_FILES} files. Name fewer of them.`,
      );
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) reportsIn(path, depth + 1, found);
    else if (entry.isFile() && REPORT.test(entry.name)) found.push(path);
  }
  return found.toSorted();
}

/** The files that a glob with `*`, `?` and `**` names. Node's own is not in every version that the command runs with. */
function matchesOf(glob: string): string[] {
  const parts = glob.replaceAll("\\", "/").split("/");
  const found = new Set<string>();
  const visit = (folder: string, index: number, depth: number): void => {
    const part = parts[index];
    if (part === undefined || depth > MAX_FOLDER_DEPTH || found.size >= MAX_FILES) return;
    if (part === "**") visit(folder, index + 1, depth);
    const name = part === "**" ? /^/ : expressionOf(part);
    const isLast = index === parts.length - 1;
    for (const entry of name ? entriesOf(folder) : []) {
      const path = join(folder, entry.name);
      if (!name?.test(entry.name)) continue;
      if (isLast && entry.isFile()) found.add(path);
      const next = part === "**" ? index : index + 1;
      if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) visit(path, next, depth + 1);
    }
    if (name) return;
    const path = part === "" && index === 0 ? "/" : join(folder, part);
    if (isLast && statusOf(path)?.isFile()) found.add(path);
    else if (!isLast) visit(path, index + 1, depth + 1);
  };
  visit("", 0, 0);
  return [...found].toSorted();
}

function expressionOf(part: string): RegExp | undefined {
  if (!/[*?]/.test(part)) return undefined;
  const escaped = part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*+/g, ".*").replaceAll("?", ".")}$`, "s");
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder || ".", { withFileTypes: true });
  } catch {
    return []; // it does not exist, or may not be read
  }
}

function statusOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false }) && statSync(path, { throwIfNoEntry: false });
}
