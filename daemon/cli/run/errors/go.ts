/** Go's panics and fatal errors: the message, then the stack of the goroutine that failed, then all others. */
import { fileAndLine, linesWhile, ownSource, type Scanner, type Source } from "./printed-error.ts";

/** Lines of a message: that of joined errors has one for each. */
const MESSAGE_LINES = 30;
/** A panic that was recovered and raised again, as the testing package does. Before Go 1.23 each panic has a line. */
const RECOVERED = / \[recovered(?:, repanicked)?\]$/;
const HEADER = /^(panic|fatal error): |^(SIG[A-Z]{2,10}): /;

export const go: Scanner = (lines, at) => {
  const [prefix, kind, signal] = HEADER.exec(lines[at] ?? "") ?? [];
  if (prefix === undefined) return undefined;
  const next = lines.slice(at + 1, at + MESSAGE_LINES).findIndex(isGoroutine);
  const type = kind ?? signal ?? "";
  const own = (lines[at] ?? "").slice(prefix.length).replace(RECOVERED, "");
  if (next < 0) {
    // GOTRACEBACK=none leaves the stack out, and other programs write "fatal error: " too.
    return { type, message: own, stack: [], end: at + 1, isWeak: true };
  }
  const start = at + 1 + next;
  const more = linesWhile(
    lines,
    at + 1,
    (line) => line !== "" && !isDetail(line) && !line.startsWith("\tpanic: "),
  );
  const message = [own, ...more.slice(0, next)].join("\n");
  const stack = linesWhile(
    lines,
    start + 1,
    (line) => line !== "" && isStackLine(line) && !isGoroutine(line),
  );
  const others = linesWhile(lines, start, isStackLine);
  const source = ownSource(placesOf(stack));
  return { type, message, stack, source, end: start + others.length };
};

const isGoroutine = (line: string): boolean => /^goroutine \d+ /.test(line);
const isDetail = (line: string): boolean => /^\[signal |^PC=|^goroutine /.test(line);
const isStackLine = (line: string): boolean =>
  line === "" ||
  line.startsWith("\t") ||
  isGoroutine(line) ||
  /^(?:created by |\.\.\.additional )|\)$/.test(line);

/** A function, and below it the file: `\t/app/main.go:12 +0x1d`. What is above panic() is Go's own. */
function placesOf(stack: string[]): Source[] {
  const panicked = stack.findLastIndex((line) => line.startsWith("panic("));
  return stack.slice(panicked + 1).flatMap((line, index, own) => {
    const place = line.startsWith("\t")
      ? fileAndLine(line.trim().replace(/ \+0x[\da-f]{1,16}$/, ""))
      : undefined;
    const call = own[index - 1] ?? "";
    if (!place || call.startsWith("created by ")) return [];
    return [{ ...place, function: call.slice(0, Math.max(0, call.lastIndexOf("("))) || undefined }];
  });
}
