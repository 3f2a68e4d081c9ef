/** An exception as text, for `why` and `show`: its type, message, attributes, notes and innermost frames, and the tree of what led to it. */
import type { EventRow } from "../../../src/core/answers/events.ts";
import {
  exceptionTree,
  isInHeadline,
  relationLabel,
  type ThrownException,
} from "../../../src/core/events/exception-tree.ts";
import { formatCount } from "../../../src/core/text/format.ts";
import { plainText } from "../../../src/core/text/recorded-text.ts";
import { asResolved } from "../../../src/core/sourcemaps/resolved.ts";
import { placeText } from "../../../src/core/stack/frame.ts";
import { whereOf } from "../../../src/core/stack/where.ts";
import { EVENT_NOT_STARTED, EVENT_OUTPUT, OUTPUT_STREAMS } from "../../../src/core/vocabulary.ts";
import { STACK_LINES } from "../limits.ts";
import { bold, dim, print } from "../terminal.ts";

/** The section of the last exception, `when` it was. That a command was not started is all that there is, and the headline states it. */
export function printLastException(exception: EventRow, when: string): void {
  if (exception.name === EVENT_NOT_STARTED) return;
  print(`\n${bold("Last exception")}  ${when}`);
  printException(exception);
}

function printException(exception: EventRow): void {
  const { root, leftOut } = exceptionTree(asResolved(exception));
  if (exception.message && !isInHeadline(exception.message, root)) print(exception.message);
  printThrown(root, "", "");
  const place = whereOf(exception);
  if (place) {
    const source = place.source === undefined ? "" : `: ${place.source}`;
    print(`Where: ${plainText(`${placeText(place)}${source}`)}`);
  }
  if (leftOut > 0) print(dim(`${formatCount(leftOut, "further exception")} not recorded or shown`));
  if (exception.handled === false) print("It was not caught.");
}

/** Whether an event is a line of output by which the program printed the exception, or the exception itself: both stand above. */
export function isPrinted({ name, message = "", seq }: EventRow, exception: EventRow): boolean {
  if (seq === exception.seq) return true;
  if (name !== EVENT_OUTPUT || !OUTPUT_STREAMS.includes(exception.group ?? "")) return false;
  const lines = [exception, ...(exception.causes ?? [])].flatMap(
    ({ exception_type, exception_msg, stacktrace = [] }) => [
      ...stacktrace,
      `${exception_type}: ${exception_msg}`,
    ],
  );
  const printed = lines.flatMap((text) => text.split("\n").map((line) => line.trim()));
  return ["Traceback (most recent call last):", ...printed].includes(message.trim());
}

function printThrown(thrown: ThrownException, label: string, margin: string): void {
  const { exception_type = "exception", exception_msg = "", attributes = {}, notes = [] } = thrown;
  const { stacktrace = [], causes, members } = thrown;
  print(`${margin}${label}${exception_type}: ${exception_msg}`);
  for (const [name, value] of Object.entries(attributes))
    print(dim(`${margin}  ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`));
  for (const note of notes) print(`${margin}  ${note}`);
  // Python prints the innermost frame last, others print it first.
  const isPython = stacktrace.some((line) => /^\s*File "/.test(line));
  const innermost = isPython ? stacktrace.slice(-STACK_LINES) : stacktrace.slice(0, STACK_LINES);
  for (const frame of innermost) print(dim(`${margin}  ${frame.trimEnd()}`));
  for (const [index, member] of members.entries())
    printThrown(member, `${relationLabel(member, index, members.length)}: `, `${margin}  `);
  for (const [index, cause] of causes.entries())
    printThrown(cause, `${relationLabel(cause, index, causes.length)}: `, margin);
}
