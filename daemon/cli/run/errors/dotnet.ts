/** Unhandled exceptions of .NET and Mono. */
import {
  fileAndLine,
  linesWhile,
  type PrintedError,
  type Scanner,
  type Source,
  typed,
} from "./printed-error.ts";

const HEADER = /^Unhandled [Ee]xception(?:\.|:) ?/;

export const dotnet: Scanner = (lines, at) => {
  const line = lines[at] ?? "";
  if (line === "Stack overflow.") {
    const stack = linesWhile(lines, at + 1, isFrame);
    return {
      type: "Stack overflow",
      message: "",
      stack,
      source: sourceOf(stack),
      end: at + 1 + stack.length,
    };
  }
  const header = HEADER.exec(line)?.[0];
  if (header === undefined) return undefined;
  // Mono prints the exception in the next line.
  const start = header.length === line.length ? at + 1 : at;
  const exception = typed(start === at ? line.slice(header.length) : (lines[start] ?? ""));
  return exception && withFrames(lines, start + 1, exception);
};

/**
 * Inner exceptions follow the outer one as " ---> Type: message". Then come the frames of the innermost, and after each
 * "--- End of inner exception stack trace ---" those of the exception around it.
 */
function withFrames(
  lines: readonly string[],
  start: number,
  outer: { type: string; message: string },
): PrintedError {
  const chain = [{ ...outer, stack: [] as string[] }];
  let depth = 0;
  let end = start;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? "";
    const text = line.trimStart();
    const inner = text.startsWith("---> ") ? typed(text.slice(5)) : undefined;
    if (inner) depth = chain.push({ ...inner, stack: [] }) - 1;
    else if (text.startsWith("--- End of inner exception")) depth = Math.max(0, depth - 1);
    else if (isFrame(line) || text.startsWith("--- End of stack trace"))
      chain[depth]?.stack.push(line);
    else if (
      line !== "" &&
      !chain[depth]?.stack.length &&
      end < start + 20 &&
      hasFrames(lines, end)
    ) {
      const link = chain[depth];
      if (link) link.message += `\n${line}`;
    } else break;
  }
  const [first = chain[0], ...causes] = chain;
  return {
    type: outer.type,
    message: first?.message ?? "",
    stack: first?.stack ?? [],
    causes: causes.map(({ type, message, stack }) => ({
      exception_type: type,
      exception_msg: message,
      stacktrace: stack,
    })),
    source: sourceOf([...chain].reverse().flatMap(({ stack }) => stack)),
    end,
  };
}

const isFrame = (line: string): boolean => /^\s{2,}at \S/.test(line);
const hasFrames = (lines: readonly string[], at: number): boolean =>
  lines.slice(at + 1, at + 10).some(isFrame);

/** `   at Shop.Cart.Total(Item item) in /src/Cart.cs:line 12` */
function sourceOf(stack: string[]): Source | undefined {
  for (const line of stack) {
    const text = line.trim();
    const where = text.lastIndexOf(" in ");
    const place =
      where < 0 ? undefined : fileAndLine(text.slice(where + 4).replace(/:line (\d{1,9})$/, ":$1"));
    if (place && !place.file.startsWith("<"))
      return { ...place, function: text.slice(3, Math.max(3, text.indexOf("("))) };
  }
  return undefined;
}
