/** A moment of a session, as a person writes it. */
import { InvalidArgumentError } from "commander";
import type { Summary } from "../../../src/core/answers/summary.ts";

const UNITS: { [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Epoch milliseconds, a date in ISO 8601, or a time before the session's end, such as -5s. */
export function momentOption(text: string): (summary: Summary) => number {
  const [, amount, unit = ""] = /^-(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  if (amount !== undefined) return ({ last_at }) => last_at - Number(amount) * (UNITS[unit] ?? 1);
  const at = /^\d{9,16}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(at))
    throw new InvalidArgumentError(
      "It must be a date such as 2026-11-23T14:03:22Z, epoch milliseconds, or a time before the end such as -5s.",
    );
  return () => at;
}
