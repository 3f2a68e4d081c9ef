/**
 * The daemon's log: a bounded file, because its standard streams may be pipes without a reader. A repeated failure is logged once,
 * and once more when the operation works again. Secrets in addresses and messages are redacted.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import { redactText } from "../src/core/secrets/redact.ts";
import { LOG_BYTES } from "./limits.ts";

export class Log {
  readonly #path: string;
  readonly #now: () => number;
  readonly #failing = new Map<string, { since: number; times: number }>();

  constructor(path: string, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
  }

  write(text: string): void {
    const line = `${new Date(this.#now()).toISOString()} ${process.pid} ${redactText(text).replaceAll("\n", "\\n")}\n`;
    try {
      if ((statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) {
        renameSync(this.#path, `${this.#path}.1`);
      }
      appendFileSync(this.#path, line, { mode: 0o600 });
    } catch {
      // A full disk must not stop the daemon, and there is no other place for the message.
    }
  }

  /** Logs a failure of `what`, unless its last attempt failed too. */
  failed(what: string, why: string): void {
    const known = this.#failing.get(what);
    if (known) known.times += 1;
    else {
      this.#failing.set(what, { since: this.#now(), times: 1 });
      this.write(`${what} failed: ${why}`);
    }
  }

  /** Logs that `what` works again, if its last attempt failed. */
  worked(what: string): void {
    const known = this.#failing.get(what);
    if (!known) return;
    this.#failing.delete(what);
    const seconds = ((this.#now() - known.since) / 1000).toFixed(1);
    this.write(`${what} works again after ${known.times} failures in ${seconds} s`);
  }
}

export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // undici wraps the socket's error.
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
