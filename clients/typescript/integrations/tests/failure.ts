/** A failed test's errors, as runners describe them after they came from another process, as one exception and a difference. */
import { inspect, stripVTControlCharacters } from "node:util";
import type { TestFact } from "../../encode/test-fact.ts";
import { DIFF_LENGTH, ERRORS_KEPT, LINE_LENGTH } from "./limits.ts";

type Failure = {
  /** The first error, with the others as its members. */
  thrown: object;
  /** The first line of its message. */
  line: string;
  diff: TestFact["diff"];
};

type Described = { [key: string]: unknown };

/** Undefined without errors. Never throws: an error of the same process may be any value. */
export function failureOf(errors: readonly unknown[]): Failure | undefined {
  try {
    return described(errors);
  } catch {
    const line = "an error that cannot be read";
    return { thrown: { name: "thrown value", message: line }, line, diff: undefined };
  }
}

function described(errors: readonly unknown[]): Failure | undefined {
  const [first, ...others] = errors.slice(0, ERRORS_KEPT).map((error) => cleaned(error, 0));
  if (first === undefined) return undefined;
  const members = Array.isArray(first["errors"]) ? (first["errors"] as object[]) : []; // as: from cleaned()
  const thrown =
    others.length === 0
      ? first
      : { ...first, message: first["message"], errors: [...members, ...others] };
  const message = String(first["message"]);
  return { thrown, line: firstLine(message), diff: differenceOf(errors[0], message) };
}

/** The first line that is not empty, without colours. */
export function firstLine(text: string): string {
  const line = plain(text.slice(0, DIFF_LENGTH))
    .split("\n")
    .find((each) => each.trim() !== "");
  return (line ?? "").trim().slice(0, LINE_LENGTH);
}

/** Without the escape sequences of colours. */
export function plain(text: string): string {
  return stripVTControlCharacters(text);
}

/** What runners add to an error for their own use. */
const OF_RUNNERS = new Set(
  "name message stack cause errors diff expected actual showDiff diffOptions operator generatedMessage constructor stacks stackStr codeFrame frame ok toString toJSON nameStr matcherResult snippet location failureType VITEST_TEST_NAME VITEST_TEST_PATH VITEST_AFTER_ENV_TEARDOWN".split(
    " ",
  ),
);
/** Causes within causes that are followed: a longer chain is a cycle or a mistake. */
const DEEPEST = 16;

/** An object of type, message, stack, causes and plain properties, from which the client reads an exception. */
function cleaned(error: unknown, depth: number): Described {
  if (typeof error !== "object" || error === null) return describeValue(error);
  const source = error as Described;
  const { message, stack, cause, errors } = source;
  const own = Object.fromEntries(
    Object.entries(source).filter(([key]) => !OF_RUNNERS.has(key) && !/^\d/.test(key)),
  );
  const isDeep = depth >= DEEPEST;
  return {
    ...own,
    name: nameOf(source),
    message: typeof message === "string" ? plain(message) : inspect(own),
    stack: typeof stack === "string" ? plain(stack) : undefined,
    cause: cause === undefined || cause === null || isDeep ? undefined : cleaned(cause, depth + 1),
    errors:
      Array.isArray(errors) && !isDeep
        ? errors.slice(0, ERRORS_KEPT).map((each: unknown) => cleaned(each, depth + 1))
        : undefined,
  };
}

function describeValue(value: unknown): Described {
  return { name: value === null ? "null" : typeof value, message: plain(String(value)) };
}

/** The error's class. Runners copy errors to another process, where what was thrown without being an error has neither class nor stack. */
function nameOf({ name, message, stack, constructor }: Described): string {
  if (typeof name === "string" && name !== "" && name !== "Error" && name !== "undefined")
    return name;
  // Vitest writes a class as "Function<CLASS>".
  const className =
    typeof constructor === "string" ? /^Function<(\w+)>$/.exec(constructor)?.[1] : undefined;
  if (className !== undefined && className !== "Object") return className;
  if (typeof stack === "string" && stack.includes("\n")) return "Error";
  if (name === "Error") return name;
  return message === "undefined" || message === "null" ? message : "thrown value";
}

/** What was expected and what was there, from the error's own properties or from its message in the format of Jest's matchers. */
function differenceOf(error: unknown, message: string): TestFact["diff"] {
  if (typeof error === "object" && error !== null) {
    const { expected, actual, diff, matcherResult, cause } = error as Described;
    // Vitest 2 writes "undefined" on both sides of an error that compares nothing.
    const isCompared = expected !== undefined || actual !== undefined;
    if (isCompared && expected !== actual) return sides(expected, actual);
    if (typeof diff === "string" && diff !== "") return { text: cut(plain(diff)) };
    const matched = matcherResult as Described | undefined;
    if (typeof matched?.["expected"] === "string" && typeof matched["actual"] === "string")
      return sides(matched["expected"], matched["actual"]);
    if (typeof cause === "object" && cause !== null && "expected" in cause && "actual" in cause)
      return sides(cause.expected, cause.actual);
  }
  const start = message.search(/^- Expected/m);
  if (start >= 0) return { text: cut(message.slice(start)) };
  const [, expected] = /^Expected[a-z ]*: (.*)$/m.exec(message) ?? [];
  const [, received] = /^Received[a-z ]*: (.*)$/m.exec(message) ?? [];
  return expected === undefined || received === undefined ? undefined : sides(expected, received);
}

function sides(expected: unknown, actual: unknown): TestFact["diff"] {
  return { expected: cut(asText(expected)), actual: cut(asText(actual)) };
}

function asText(value: unknown): string {
  return typeof value === "string" ? plain(value) : inspect(value, { depth: 6, sorted: true });
}

function cut(text: string): string {
  return text.length <= DIFF_LENGTH
    ? text
    : `${text.slice(0, DIFF_LENGTH)}… ${text.length - DIFF_LENGTH} characters`;
}
