/** What a program prints by `console`, recorded as events beside being printed. */
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
  /** Which of the console's methods. All five unless said otherwise. */
  methods?: readonly Method[] | undefined;
  /** The events' group; `console` unless said otherwise. */
  group?: string | undefined;
  /** The console to listen to; the global one unless said otherwise. */
  console?: Pick<Console, Method> | undefined;
};

/** Records console calls as events named `console` until the answer is called, or the session ends. What is printed stays the same. */
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
    // Reading a value may itself print.
    if (isRecording) return;
    isRecording = true;
    const thrown = values.find((value) => value instanceof Error);
    const said = { category: CATEGORIES[method], group, message: values.map(textOf).join(" ") };
    if (thrown === undefined) session.logEvent("console", said);
    else session.logException(thrown, { ...said, name: "console", handled: true });
    isRecording = false;
  }
  target[method] = recorded;
  return () => {
    // Someone may have wrapped it again meanwhile; taking that away would be wrong.
    if (target[method] === recorded) target[method] = original;
    isRecording = true;
  };
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    if (value instanceof Error || typeof value === "bigint") return value.toString();
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value; // a cycle, a bigint within, a getter that throws
  }
}
