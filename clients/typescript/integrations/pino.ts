/**
 * Records pino's log lines as events: as a transport (`transport: { target: "@datacat/client/pino", options: { … } }`), which runs in
 * pino's own thread, or as a destination in this thread (`pino(destination(session))`).
 */
import { Writable } from "node:stream";
import { open } from "../node.ts";
import type { Session } from "../session/session.ts";
import type { OpenOptions } from "../settings.ts";

/** Pino's levels: below each number, the category. */
const LEVELS: readonly [number, string][] = [
  [30, "debug"],
  [40, "info"],
  [50, "warning"],
  [60, "error"],
  [Infinity, "critical"],
];
/** Recorded elsewhere in the event, or in the lane's header. */
const KNOWN_KEYS = new Set(["level", "time", "msg", "name", "err", "pid", "hostname"]);

type Line = { [key: string]: unknown };
type Thrown = {
  type?: string;
  message?: string;
  stack?: string;
  cause?: unknown;
  aggregateErrors?: Thrown[];
};

/**
 * Pino's transport.
 * @param options Those of `open`. With `session: session.id` it records into the program's session, else into one of its own.
 */
export default function transport(options: OpenOptions = {}): Writable {
  const session = open(options);
  return streamTo(session, () => session.end());
}

/** A destination for pino in this thread: `pino(destination(session))`. The session stays open when pino ends. */
export function destination(session: Session): Writable {
  return streamTo(session, () => {});
}

function streamTo(session: Session, atEnd: () => void): Writable {
  let rest = "";
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) recordLine(session, line);
      done();
    },
    final(done) {
      atEnd();
      void session.flush().then(() => done()); // never rejects
    },
  });
}

function recordLine(session: Session, text: string): void {
  const line = parse(text);
  if (line === undefined) {
    if (text !== "") session.logEvent("log", { message: text });
    return;
  }
  const data = Object.fromEntries(Object.entries(line).filter(([key]) => !KNOWN_KEYS.has(key)));
  const event = {
    category: categoryOf(line["level"]),
    group: typeof line["name"] === "string" ? line["name"] : "pino",
    message: typeof line["msg"] === "string" ? line["msg"] : undefined,
    at: typeof line["time"] === "number" ? line["time"] : undefined,
    data,
  };
  const thrown = line["err"];
  if (typeof thrown !== "object" || thrown === null) return session.logEvent("log", event);
  session.logException(errorOf(thrown), { ...event, name: "log", handled: true });
}

function parse(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Line) : undefined; // an object: any key may be read
  } catch {
    return undefined; // no JSON: another formatter's text
  }
}

/** A custom level belongs to the standard level below it, as in pino. */
function categoryOf(level: unknown): string {
  if (typeof level !== "number") return typeof level === "string" ? level : "info";
  return LEVELS.find(([above]) => level < above)?.[1] ?? "info";
}

/** The error that pino's serializer wrote, with its type as name. */
function errorOf({ type, cause, aggregateErrors, ...rest }: Thrown): object {
  // Of an object that is no error, pino writes the class "Object".
  const name = type === undefined || type === "Object" ? "Error" : type;
  const isNested = typeof cause === "object" && cause !== null;
  return {
    ...rest,
    name,
    cause: isNested ? errorOf(cause as Thrown) : cause, // as: pino's serializer wrote it, too
    errors: Array.isArray(aggregateErrors) ? aggregateErrors.map(errorOf) : undefined,
  };
}
