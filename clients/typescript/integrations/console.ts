/** Records what a program prints with `console` as events. The output stays the same. */
import type { Session } from "../session/session.ts";

const CATEGORIES = {
  debug: "debug",
  log: "info",
  info: "info",
  warn: "warning",
  error: "error",
} as const;
type Method = keyof typeof CATEGORIES;

export type ConsoleOptions = {
  /** The console methods to record. Default: all five. */
  methods?: readonly Method[] | undefined;
  /** The group of the events. Default: `console`. */
  group?: string | undefined;
  /** The console to record. Default: the global one. */
  console?: Pick<Console, Method> | undefined;
};

/**
 * Records console calls as events named `console`; errors among the values become exceptions.
 * @returns A function that stops it. The end of the session stops it, too.
 */
export function captureConsole(session: Session, options: ConsoleOptions = {}): () => void {
  const target = options.console ?? console;
  const methods = options.methods ?? (Object.keys(CATEGORIES) as Method[]); // its own keys
  const restore = methods.map((method) =>
    wrap(target, method, session, options.group ?? "console"),
  );
  const stop = () => {
    for (const each of restore) each();
  };
  session.onEnd(stop);
  return stop;
}

function wrap(
  target: Pick<Console, Method>,
  method: Method,
  session: Session,
  group: string,
): () => void {
  const original = target[method];
  let isRecording = false;

  function recorded(...values: unknown[]): void {
    original.apply(target, values);
    // Reading a value may print itself.
    if (isRecording) return;
    isRecording = true;
    const thrown = values.find(isError);
    const event = { category: CATEGORIES[method], group, message: values.map(textOf).join(" ") };
    if (thrown === undefined) session.logEvent("console", event);
    else session.logException(thrown, { ...event, name: "console", handled: true });
    isRecording = false;
  }
  target[method] = recorded;
  return () => {
    // If other code has wrapped the method since, its wrapper stays.
    if (target[method] === recorded) target[method] = original;
    isRecording = true;
  };
}

/** Also of another realm, such as a frame or `node:vm`. */
function isError(value: unknown): boolean {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
  } catch {
    return false; // a proxy that throws
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    if (isError(value) || typeof value === "bigint") return String(value);
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value; // a cycle, a bigint inside, or a getter that throws
  }
}
