import { randomBytes } from "node:crypto";
import { newId as idOf } from "../src/core/id.ts";

/** An id that sorts by the time it was made. */
export function newId(now: number): string {
  return idOf(now, randomBytes(10));
}
