/**
 * What could not be sent yet, in the browser's IndexedDB: it survives a reload, and the next page sends it. Two pages that send
 * the same chunk do no harm, since the server counts sequences.
 */
import type { Chunk, Keeper } from "./sender.ts";
import { QUEUE_BYTES } from "../limits.ts";
import { add } from "../session/sink.ts";

const NAME = "datacat";

/** Where there is no IndexedDB (private windows), nothing is kept. */
export const keeper: Keeper = {
  keep(chunk) {
    // One transaction: without room for the new chunk, the old one stays. Never rejects.
    void inStore((store) => {
      store.delete(chunksOf(chunk.lane, chunk.last));
      return store.put(chunk);
    });
  },
  release(lane, upTo) {
    void inStore((store) => store.delete(chunksOf(lane, upTo))); // likewise
  },
};

function chunksOf(lane: string, upTo: number): IDBKeyRange {
  return IDBKeyRange.bound([lane, 0], [lane, upTo]);
}

/** What earlier pages left behind, newest first; beyond the budget only how much it was. */
export async function findLanes(): Promise<Chunk[]> {
  const chunks = (await inStore<Chunk[]>((store) => store.getAll())) ?? [];
  let bytes = 0;
  for (const { entries, lost } of chunks.reverse()) {
    for (const { text } of entries) bytes += text.length;
    if (bytes > QUEUE_BYTES) add(lost, "queue_full", entries.splice(0).length);
  }
  return chunks;
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
