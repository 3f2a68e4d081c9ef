/** The result of a batch that was not applied. */
import { Refusal } from "../../core/refusal.ts";
import type { BatchResult } from "../../core/batch.ts";

/** `batch` may have any shape. Without a refusal the server failed. */
export function failedResult(
  session: string,
  batch: unknown,
  refusal = new Refusal("unavailable", "The session's storage failed; send the batch again."),
): BatchResult {
  const first = fieldOf(batch, "first");
  const wait = refusal.details["retry_after"];
  return {
    session,
    lane: laneOf(batch),
    // What was applied is not known or not shown; the sender knows what came before this batch.
    applied: typeof first === "number" && first >= 1 ? first - 1 : 0,
    error: {
      code: codeOf(refusal),
      message: refusal.message,
      ...(typeof wait === "number" && { retry_after: wait }),
    },
  };
}

/** A client drops a batch whose code it does not have in its list, so what passes by itself or by the operator has one that every client has. */
function codeOf({ code }: Refusal): string {
  return code === "storage_full" || code === "damaged" ? "unavailable" : code;
}

export function laneOf(batch: unknown): string {
  return textOf(fieldOf(batch, "lane"));
}

export function sessionIdOf(batch: unknown): string {
  return textOf(fieldOf(batch, "session"));
}

function fieldOf(batch: unknown, name: string): unknown {
  return typeof batch === "object" && batch !== null ? Reflect.get(batch, name) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The ops of a batch, which may have any shape. */
export function opsIn(batch: unknown): unknown[] {
  const ops = fieldOf(batch, "ops");
  return Array.isArray(ops) ? ops : [];
}
