import { newId as idOf } from "../../src/core/id.ts";

/** An id that sorts by the time it was made. */
export function newId(now = Date.now()): string {
  return idOf(now, crypto.getRandomValues(new Uint8Array(10)));
}

/** Whether the server accepts this as a session's id (src/core/wire-fields.ts). */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(text);
}
