/**
 * What could not be sent yet, in the browser's IndexedDB: it survives a reload, and the next page sends it. Two pages that send
 * the same chunk do no harm, since the server counts sequences.
 */
import type { Chunk, Keeper } from "./direct.ts";
import { QUEUE_BYTES } from "./limits.ts";

/** A chunk with whose session it is and which server it is for. */
type Stored = Chunk & { session: string; url: string };

/** One lane that an earlier page left behind. */
export type Found = Stored & { lost: number };

const NAME = "datacat";

/** Keeps one session's chunks. Where there is no IndexedDB (private windows), nothing is kept. */
export function keeperFor(session: string, url: string): Keeper {
  return {
    keep(chunk) {
      // One transaction: without room for the new chunk, the old one stays. Never rejects.
      void inStore((store) => {
        store.delete(chunksOf(chunk.lane, chunk.last));
        return store.put({ ...chunk, session, url });
      });
    },
    release(lane, upTo) {
      void inStore((store) => store.delete(chunksOf(lane, upTo))); // likewise
    },
  };
}

function chunksOf(lane: string, upTo: number): IDBKeyRange {
  return IDBKeyRange.bound([lane, 0], [lane, upTo]);
}

/** What earlier pages left behind, newest first; beyond the budget only how much it was. */
export async function findLanes(): Promise<Found[]> {
  const chunks = (await inStore<Stored[]>((store) => store.getAll())) ?? [];
  let bytes = 0;
  return chunks.reverse().map((chunk) => {
    for (const { text } of chunk.entries) bytes += text.length;
    const isOver = bytes > QUEUE_BYTES;
    return isOver ? { ...chunk, entries: [], lost: chunk.entries.length } : { ...chunk, lost: 0 };
  });
}

async function inStore<Result>(
  work: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result | undefined> {
  try {
    const transaction = (await (database ??= openDatabase())).transaction(NAME, "readwrite");
    const request = work(transaction.objectStore(NAME));
    transaction.commit(); // by itself it would wait for this page, which may be about to go
    return await answerOf(request);
  } catch {
    return undefined; // no room, no permission, or no such thing
  }
}

let database: Promise<IDBDatabase> | undefined;

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(NAME, { keyPath: ["lane", "last"] });
  };
  return answerOf(request);
}

function answerOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = reject;
  });
}
