/** Why a command could not be started, with a shell's text and exit code: 127 if it is not found, 126 if it cannot be run. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Environment } from "../../home.ts";
import { MAX_SHEBANG } from "../limits.ts";

/** `type` and `object`: "command not found", "gcd". */
export type NotStarted = { code: 126 | 127; type: string; object: string };

/** Why `program` could not be started, from the error that the system reported. */
export function whyNotStarted(program: string, error: Error, env: Environment): NotStarted {
  const path = find(program, env);
  const object = program === "" ? "''" : program;
  switch (program === "" ? "ENOENT" : codeOf(error)) {
    case "ENOENT":
      return path === undefined
        ? { code: 127, type: program.includes("/") ? "no such file" : "command not found", object }
        : withoutInterpreter(path, object);
    case "ENOTDIR":
      return { code: 127, type: "not a directory", object };
    case "EACCES":
      return forbidden(program, path, object);
    case "ENOEXEC":
      return { code: 126, type: "exec format error", object };
    case "E2BIG":
      return { code: 126, type: "the arguments are too long", object };
    case "ENAMETOOLONG":
      return { code: 126, type: "the name is too long", object: `${object.slice(0, 100)}…` };
    case "ELOOP":
      return { code: 126, type: "too many levels of symbolic links", object };
    default:
      return { code: 126, type: error.message, object };
  }
}

/** Whether the file has neither an interpreter nor a format that this machine runs, so that the system had a shell read it. */
export function isForeignProgram(program: string, env: Environment): boolean {
  if (process.platform !== "linux") return false;
  const path = find(program, env);
  const start = path === undefined ? undefined : startOf(path);
  if (!start || start.subarray(0, 2).toString() === "#!") return false;
  if (start.subarray(0, 4).toString("latin1") === "\u007FELF") return !isOwnElf(start);
  // As bash decides: text has no NUL in its first line.
  const line = start.indexOf("\n");
  return start.subarray(0, line < 0 ? start.length : line).includes(0);
}

/** e_machine of the ELF header (elf(5)), for what Node runs on. A 64-bit processor of Intel also runs 32-bit programs (3). */
const ELF_MACHINES: Record<string, number[]> = {
  x64: [62, 3],
  arm64: [183, 40],
  ia32: [3],
  arm: [40],
};
const ELF_HEADER = 52;

function isOwnElf(start: Buffer): boolean {
  if (start.length < ELF_HEADER) return false;
  const isLittle = start[5] === 1;
  const machine = isLittle ? start.readUInt16LE(18) : start.readUInt16BE(18);
  return ELF_MACHINES[process.arch]?.includes(machine) ?? true;
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}

/** The file exists, but not what it is to be run by. */
function withoutInterpreter(path: string, object: string): NotStarted {
  const first = (startOf(path)?.toString() ?? "").split("\n", 1)[0] ?? "";
  if (!first.startsWith("#!"))
    return { code: 127, type: "the program loader that it names is not installed", object };
  const interpreter = first.slice(2).trimStart().split(/[ \t]/, 1)[0] ?? "";
  if (interpreter.endsWith("\r"))
    return {
      code: 127,
      type: `its interpreter is not found: the first line, ${JSON.stringify(first)}, has a Windows line break`,
      object,
    };
  return { code: 127, type: `its interpreter ${interpreter} is not found`, object };
}

function forbidden(program: string, path: string | undefined, object: string): NotStarted {
  const found = path ?? program;
  try {
    if (statSync(found).isDirectory()) return { code: 126, type: "is a directory", object };
    accessSync(found, constants.X_OK);
    return { code: 126, type: "permission denied", object };
  } catch (error) {
    const isThere = path !== undefined || (error instanceof Error && codeOf(error) !== "ENOENT");
    return {
      code: 126,
      type: isThere ? "permission denied: it is not executable" : "permission denied",
      object,
    };
  }
}

/** The file that the system finds for this name. */
function find(program: string, env: Environment): string | undefined {
  if (program === "") return undefined;
  if (program.includes("/")) return exists(program) ? program : undefined;
  const folders = (env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find(exists);
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

function startOf(path: string): Buffer | undefined {
  try {
    if (!statSync(path).isFile()) return undefined;
    const file = openSync(path, "r");
    try {
      const start = Buffer.alloc(MAX_SHEBANG);
      return start.subarray(0, readSync(file, start));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined; // not readable
  }
}
