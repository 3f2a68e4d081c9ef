/** An error as a runtime prints it, and what the scanners of all runtimes use. */
import type { Cause } from "../../../../src/core/wire.ts";

export type PrintedError = {
  type: string;
  message: string;
  /** The frames as they were printed. */
  stack: string[];
  causes?: Cause[];
  source?: Source;
  /** The index after its last line. */
  end: number;
  /** It only reports that something else failed, so that any other error explains more. */
  isWeak?: boolean;
  /** It did not end the program: an exception of a thread or of a destructor. */
  isHarmless?: boolean;
};

export type Source = { file: string; line?: number; function?: string };

/** Reads the error that starts at `lines[at]`, if one does. It looks at a bounded number of lines unless there is one. */
export type Scanner = (lines: readonly string[], at: number) => PrintedError | undefined;

/** An error as the cause of another. */
export function asCause({ type, message, stack }: PrintedError): Cause {
  return { exception_type: type, exception_msg: message, stacktrace: stack };
}

/** The lines from `at` on for which `accepts` is true, at most so many. */
export function linesWhile(
  lines: readonly string[],
  at: number,
  accepts: (line: string) => boolean,
  most = Infinity,
): string[] {
  const last = Math.min(lines.length, at + most);
  let end = at;
  while (end < last && accepts(lines[end] ?? "")) end++;
  return lines.slice(at, end);
}

/** "app.Missing: no such door" as type and message; undefined if it does not start with the name of a type. */
export function typed(text: string): { type: string; message: string } | undefined {
  const [name = ""] = /^[\p{L}_$][\p{L}\p{N}_$.:\\]*/u.exec(text) ?? [];
  const type = name.replace(/:+$/, "");
  const rest = text.slice(type.length);
  if (type === "") return undefined;
  if (rest === "" || rest === ":") return { type, message: "" };
  if (rest.startsWith(": ")) return { type, message: rest.slice(2).trim() };
  return undefined;
}

/** Folders in which the libraries and the runtime of a language are. */
const LIBRARIES =
  /node_modules[\\/]|^internal\/|site-packages|dist-packages|[\\/]lib[\\/]python\d|[\\/]go[\\/]src[\\/]runtime[\\/]|[\\/]src[\\/]runtime[\\/]|[\\/]pkg[\\/]mod[\\/]|^\/rustc\/|[\\/]\.cargo[\\/]registry|[\\/]gems[\\/]|[\\/]vendor[\\/]/;

/** Files that no one can open: they are within the executable of the runtime. */
const BUILT_IN = /^(?:node:|ext:|<frozen )/;

/** The first place of the program itself; the first of all if every one is a library's. */
export function ownSource(sources: (Source | undefined)[]): Source | undefined {
  const known = sources.filter((source) => source !== undefined && !BUILT_IN.test(source.file));
  return known.find((source) => source && !LIBRARIES.test(source.file)) ?? known[0];
}

/** "file.rb:12" as file and line; undefined if the text has no line at its end. */
export function fileAndLine(text: string): { file: string; line: number } | undefined {
  const colon = text.lastIndexOf(":");
  const line = text.slice(colon + 1);
  if (colon < 1 || !/^\d{1,9}$/.test(line)) return undefined;
  return { file: text.slice(0, colon), line: Number(line) };
}
