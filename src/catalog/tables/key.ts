/**
 * Keys of sessions in the catalog: integers in the order of their starts, which JavaScript has exactly. A key is the start in
 * milliseconds since 2020 and one of 2,048 slots. A session takes the slot that its id names, or the next free one; when all of a
 * millisecond are taken, one of the next millisecond that has room.
 */
import { hash } from "../../core/hash.ts";
import { UNSET_CLOCK_BEFORE } from "../../core/limits.ts";

const SLOTS = 2_048;

/** The first key of sessions that started then, or a little earlier when there were very many. */
export function firstKey(createdAt: number): number {
  return (createdAt - UNSET_CLOCK_BEFORE) * SLOTS;
}

/** The keys from the first to the last one are of this millisecond. */
export function keysOf(createdAt: number): { first: number; last: number } {
  const first = firstKey(createdAt);
  return { first, last: first + SLOTS - 1 };
}

/** A free key of this millisecond; undefined if all are taken. */
export function freeKey(
  id: string,
  createdAt: number,
  isTaken: (key: number) => boolean,
): number | undefined {
  const first = firstKey(createdAt);
  const slot = Number.parseInt(hash(id).slice(-8), 16) % SLOTS;
  for (let step = 0; step < SLOTS; step++) {
    const key = first + ((slot + step) % SLOTS);
    if (!isTaken(key)) return key;
  }
  return undefined;
}
