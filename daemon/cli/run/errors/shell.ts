/** Errors of shells and of make. */
import { fileAndLine, type PrintedError, type Scanner, type Source } from "./printed-error.ts";

export const shell: Scanner = (lines, at) => {
  const line = lines[at] ?? "";
  return bash(line, at) ?? zsh(line, at) ?? dash(line, at) ?? make(line, at);
};

/** "build.sh: line 3: gcd: command not found", also with the text and the pid of a job that a signal ended. */
function bash(line: string, at: number): PrintedError | undefined {
  const [found, number] = /: line (\d{1,9}): /.exec(line) ?? [];
  const marker = found === undefined ? -1 : line.indexOf(found);
  if (found === undefined || marker < 1 || /\s{2}/.test(line.slice(0, marker))) return undefined;
  const file = line.slice(0, marker).replace(/^(?:bash|sh): (?=\S)/, "");
  const rest = line.slice(marker + found.length);
  const signal = /^ {0,8}\d{1,12} ([A-Z][\w ]{3,40}?) {2,}/.exec(rest);
  const source = isShell(file) ? undefined : { file, line: Number(number) };
  if (signal)
    return {
      type: signal[1] ?? "",
      message: rest.slice(signal[0].length).trim(),
      stack: [],
      source,
      end: at + 1,
    };
  if (rest.startsWith("warning: ")) return undefined;
  // Bash repeats the line of a syntax error.
  if (rest.startsWith("`"))
    return { type: "syntax error", message: rest, stack: [], source, end: at + 1, isWeak: true };
  return reported(rest, at, source);
}

/** "zsh:1: command not found: gcd", "build.zsh:3: command not found: gcd" */
function zsh(line: string, at: number): PrintedError | undefined {
  const what = ": command not found: ";
  const marker = line.indexOf(what);
  const place = marker < 0 ? undefined : fileAndLine(line.slice(0, marker));
  if (!place && line.slice(0, marker) !== "zsh") return undefined;
  const source = place && !isShell(place.file) ? place : undefined;
  return {
    type: "command not found",
    message: line.slice(marker + what.length),
    stack: [],
    source,
    end: at + 1,
  };
}

/** "build.sh: 3: gcd: not found", "sh: 1: gcd: not found", busybox's "sh: gcd: not found" */
function dash(line: string, at: number): PrintedError | undefined {
  const [file = "", number = "", ...rest] = line.split(": ");
  if (/^\d{1,9}$/.test(number) && rest.length > 0 && /^\S+$/.test(file)) {
    const source = isShell(file) ? undefined : { file, line: Number(number) };
    return reported(rest.join(": "), at, source);
  }
  const isNotFound = rest.length === 1 && /^(?:command )?not found$/.test(rest[0] ?? "");
  return isShell(file) && isNotFound ? reported(`${number}: not found`, at, undefined) : undefined;
}

/** "gcd: command not found": the last part is the error, what is before it the object. */
function reported(text: string, at: number, source: Source | undefined): PrintedError {
  const syntax = /^(?:[Ss]yntax error)(?:: | )/.exec(text)?.[0];
  const colon = text.lastIndexOf(": ");
  const type = syntax ? "syntax error" : colon < 0 ? text : text.slice(colon + 2);
  const message = syntax ? text.slice(syntax.length) : colon < 0 ? "" : text.slice(0, colon);
  return {
    type: type === "not found" ? "command not found" : type,
    message,
    stack: [],
    source,
    end: at + 1,
  };
}

const isShell = (file: string): boolean => /^(?:-c|-?(?:\S*\/)?(?:ba|da|z|k|a)?sh)$/.test(file);

/** "make: *** [Makefile:3: all] Error 2" only repeats that the command before it failed. */
function make(line: string, at: number): PrintedError | undefined {
  const [prefix] = /^g?make(?:\[\d{1,4}\])?: \*\*\* /.exec(line) ?? [];
  if (prefix === undefined) return undefined;
  const text = line.slice(prefix.length);
  const target = /^\[(.{1,500})\] (.{1,80})$/.exec(text);
  if (!target)
    return { type: "make", message: text.replace(/ {1,2}Stop\.$/, ""), stack: [], end: at + 1 };
  const [, where = "", what = ""] = target;
  const colon = where.lastIndexOf(": ");
  const source = colon < 0 ? undefined : fileAndLine(where.slice(0, colon));
  const message = `${what} in target ${where.slice(colon < 0 ? 0 : colon + 2)}`;
  return { type: "make", message, stack: [], source, isWeak: true, end: at + 1 };
}
