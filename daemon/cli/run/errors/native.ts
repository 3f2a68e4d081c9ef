/** Errors of native programs: C++ exceptions, failed assertions, the checks of glibc, and the reports of sanitizers. */
import {
  fileAndLine,
  linesWhile,
  type PrintedError,
  type Scanner,
  type Source,
} from "./printed-error.ts";

export const native: Scanner = (lines, at) => {
  const line = lines[at] ?? "";
  return (
    sanitizer(lines, at) ??
    terminated(lines, at) ??
    assertion(line, at) ??
    glibc(line, at) ??
    undefinedBehaviour(lines, at)
  );
};

/** "terminate called after throwing an instance of 'std::runtime_error'", then "  what():  message". */
function terminated(lines: readonly string[], at: number): PrintedError | undefined {
  const line = lines[at] ?? "";
  const thrown = "terminate called after throwing an instance of '";
  if (line.startsWith(thrown)) {
    const what = lines[at + 1] ?? "";
    const hasMessage = what.startsWith("  what():  ");
    const more = hasMessage ? linesWhile(lines, at + 2, (text) => /^\s+\S/.test(text)) : [];
    return {
      type: line.slice(thrown.length).replace(/'$/, ""),
      message: hasMessage ? [what.slice(11), ...more].join("\n") : "",
      stack: [],
      end: at + (hasMessage ? 2 : 1) + more.length,
    };
  }
  if (/^terminate called (?:without|recursively)/.test(line))
    return { type: "terminate", message: line.slice(10), stack: [], end: at + 1 };
  const clang =
    /^libc\+\+abi(?:\.dylib)?: terminating (?:due to|with) uncaught exception of type /.exec(
      line,
    )?.[0];
  if (clang === undefined) return undefined;
  // A type has pairs of colons, so that the message is after the first single one.
  const rest = line.slice(clang.length);
  const colon = rest.indexOf(": ");
  const type = colon < 0 ? rest : rest.slice(0, colon);
  return { type, message: colon < 0 ? "" : rest.slice(colon + 2), stack: [], end: at + 1 };
}

/** "cart: cart.c:3: total: Assertion `price > 0' failed." and Apple's "Assertion failed: (price > 0), function total, file cart.c, line 3." */
function assertion(line: string, at: number): PrintedError | undefined {
  const type = "Assertion failed";
  const end = at + 1;
  const marker = line.indexOf(": Assertion `");
  if (marker >= 0 && line.endsWith("' failed.")) {
    const [function_ = "", ...before] = line.slice(0, marker).split(": ").reverse();
    const hasFunction = fileAndLine(function_) === undefined;
    const source = fileAndLine((hasFunction ? before[0] : function_) ?? "");
    const message = line.slice(marker + 13, -9);
    return {
      type,
      message,
      stack: [],
      source: source && { ...source, function: hasFunction ? function_ : undefined },
      end,
    };
  }
  const apple = /^Assertion failed: \((.*)\), function (\S+), file (\S+), line (\d{1,9})\.$/.exec(
    line,
  );
  if (!apple) return undefined;
  const [, message = "", name, file = "", number] = apple;
  return { type, message, stack: [], source: { file, line: Number(number), function: name }, end };
}

const GLIBC =
  /^(?:double free or corruption|free\(\): |malloc\(\): |malloc_consolidate\(\)|realloc\(\): |munmap_chunk\(\): |corrupted size vs|corrupted double-linked list|munmap_chunk|invalid fastbin|Fatal glibc error: )/;

/** "*** stack smashing detected ***: terminated", "free(): invalid pointer" */
function glibc(line: string, at: number): PrintedError | undefined {
  const [, stars] = /^\*\*\* (.{3,200}?) \*\*\*(?:: |$)/.exec(line) ?? [];
  if (stars !== undefined)
    return { type: stars, message: line.split(" ***: ")[1] ?? "", stack: [], end: at + 1 };
  if (!GLIBC.test(line)) return undefined;
  return { type: "Heap corruption", message: line, stack: [], end: at + 1 };
}

/** Lines of a report: three stacks, the memory around the address, and its legend. */
const REPORT_LINES = 500;
const SANITIZER = /^(?:=+\d+=+ ?ERROR|=+\d+=+ ?WARNING|WARNING): (\w{1,20}Sanitizer): /;

/** "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x…", then what was accessed, and the stacks. */
function sanitizer(lines: readonly string[], at: number): PrintedError | undefined {
  const line = lines[at] ?? "";
  const [prefix, tool = ""] = SANITIZER.exec(line) ?? [];
  if (prefix === undefined) return undefined;
  const text = line.slice(prefix.length).replace(/ \(pid=\d{1,12}\)$/, "");
  const next = lines.slice(at + 1, at + 15).findIndex(isNativeFrame);
  const from = next < 0 ? at + 1 : at + 1 + next;
  const stack = linesWhile(lines, from, isNativeFrame);
  const report = lines.slice(at + 1, from).map((each) => each.trim());
  const access = report.find((each) => /^(?:READ|WRITE|Read|Write|Direct leak) of /.test(each));
  const summary = linesWhile(
    lines,
    from,
    (each) => !each.startsWith(`SUMMARY: ${tool}`),
    REPORT_LINES,
  );
  const isComplete = lines[from + summary.length]?.startsWith("SUMMARY: ");
  // The name of the error ends where its addresses begin: "heap-use-after-free on address 0x…".
  const kind = text.split(/ on (?:unknown )?address| \(|: /, 1)[0] ?? text;
  return {
    type: `${tool}: ${kind}`,
    message: access?.replace(/ at 0x[\da-f]{1,16}.*|:$/g, "") ?? text.slice(kind.length).trim(),
    stack,
    source: nativeSource(stack),
    end: isComplete ? from + summary.length + 1 : from + stack.length,
  };
}

const isNativeFrame = (line: string): boolean => /^\s+#\d{1,4} /.test(line);

/** `    #1 0x4f in total /src/cart.c:3:5`. The functions of the sanitizer itself come first. */
function nativeSource(stack: string[]): Source | undefined {
  for (const line of stack) {
    const text = line
      .trim()
      .replace(/ \((?:BuildId: [\da-f]{1,64}|[^()\s]{1,200}\+0x[\da-f]{1,16})\)$/, "");
    const last = text.lastIndexOf(" ");
    const place = placeOf(text.slice(last + 1));
    if (!place || /sanitizer|[\\/]asan_|interceptors/.test(place.file)) continue;
    const name =
      text.slice(0, Math.max(0, last)).split(" in ")[1] ?? / 0x[\da-f]+$/.exec(text)?.[0];
    return { ...place, function: name ?? text.split(" ")[1] };
  }
  return undefined;
}

/** "cart.c:3:5" or "cart.c:3" */
function placeOf(text: string): { file: string; line: number } | undefined {
  const found = fileAndLine(text);
  const outer = found && fileAndLine(found.file);
  return outer ?? found;
}

/** "cart.c:3:5: runtime error: signed integer overflow: …" */
function undefinedBehaviour(lines: readonly string[], at: number): PrintedError | undefined {
  const line = lines[at] ?? "";
  const marker = line.indexOf(": runtime error: ");
  const source = marker < 0 ? undefined : placeOf(line.slice(0, marker));
  if (!source || /\s/.test(source.file)) return undefined;
  const stack = linesWhile(lines, at + 1, isNativeFrame);
  const message = line.slice(marker + 17);
  return { type: "UndefinedBehaviorSanitizer", message, stack, source, end: at + 1 + stack.length };
}
