/**
 * On one machine, bounds how many session objects are in memory. workerd evicts an object 10 s after its last request, and each takes
 * 330 KB until then, most of it SQLite's: at 200 new sessions a second that would be 2,000 objects. Cloudflare evicts by need, so a
 * deployed Worker has no evictor.
 *
 * An eviction waits until the object has no request, and changes nothing but the time of the next one.
 */
import type { Env } from "../env.ts";
import { EVICTED_AT_ONCE, MAX_RESIDENT } from "./limits.ts";

/** The objects in memory, by their own ids, the least recently used first. They all run in this isolate. */
const resident = new Set<string>();
/** Those whose session is over and published, so that no request is expected. */
const finished = new Set<string>();

/** When an object gets a request. */
export function noteRequest({ EVICTOR }: Env, objectId: string): void {
  if (!EVICTOR) return;
  finished.delete(objectId);
  resident.delete(objectId);
  resident.add(objectId);
  if (resident.size >= MAX_RESIDENT + EVICTED_AT_ONCE) evict(EVICTOR, resident);
}

/** When an object takes an import, which is in its memory: it is not evicted until its next request. */
export function noteImport({ EVICTOR }: Env, objectId: string): void {
  if (!EVICTOR) return;
  finished.delete(objectId);
  resident.delete(objectId);
}

/** When an object has nothing left to do. */
export function noteFinish({ EVICTOR }: Env, objectId: string): void {
  if (!EVICTOR) return;
  resident.delete(objectId);
  finished.add(objectId);
  if (finished.size >= EVICTED_AT_ONCE) evict(EVICTOR, finished);
}

/** The first EVICTED_AT_ONCE of them. Not awaited: the evictor waits until each is idle, and one of them may be calling. */
function evict(evictor: NonNullable<Env["EVICTOR"]>, objects: Set<string>): void {
  const ids = [...objects].slice(0, EVICTED_AT_ONCE);
  for (const id of ids) objects.delete(id);
  evictor.evict(ids).catch(() => undefined); // then workerd evicts them
}
