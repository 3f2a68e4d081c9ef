/** Rust's panics: the place, the message, and the frames if RUST_BACKTRACE asks for them. */
import { fileAndLine, linesWhile, type PrintedError, type Scanner } from "./printed-error.ts";

export const rust: Scanner = (lines, at) => {
  const line = lines[at] ?? "";
  if (!line.startsWith("thread '")) return undefined;
  const close = line.indexOf("'", 8);
  const rest = line.slice(close + 1).replace(/^ \(\d{1,12}\)/, "");
  if (rest.startsWith(" has overflowed its stack"))
    return {
      type: "stack overflow",
      message: `thread ${line.slice(7, close + 1)}`,
      stack: [],
      end: at + 1,
    };
  if (!rest.startsWith(" panicked at ")) return undefined;
  return panic(lines, at, rest.slice(13));
};

function panic(lines: readonly string[], at: number, where: string): PrintedError {
  const isOld = where.startsWith("'");
  const message = isOld ? [] : linesWhile(lines, at + 1, (line) => !isEnd(line));
  let end = at + 1 + message.length;
  const close = where.lastIndexOf("', ");
  const place = isOld ? where.slice(close + 3) : where.replace(/:$/, "");
  const column = fileAndLine(place);
  const source = column && fileAndLine(column.file);
  if (isOld) message.push(where.slice(1, close));
  let stack: string[] = [];
  if (lines[end] === "stack backtrace:") {
    stack = linesWhile(lines, end + 1, (line) => /^\s+(?:\d+: |at )/.test(line));
    end += 1 + stack.length;
  }
  const name = source && functionAt(stack, source);
  return {
    type: "panic",
    message: message.join("\n"),
    stack,
    source: source && { ...source, function: name },
    end,
  };
}

const isEnd = (line: string): boolean =>
  line === "" ||
  line.startsWith("note: ") ||
  line === "stack backtrace:" ||
  line.startsWith("thread '");

/** The function is printed in the line before its place. */
function functionAt(
  stack: string[],
  { file, line }: { file: string; line: number },
): string | undefined {
  const index = stack.findIndex((frame) => frame.includes(`${file}:${line}`));
  return index < 1 ? undefined : stack[index - 1]?.replace(/^\s*\d+: /, "");
}
