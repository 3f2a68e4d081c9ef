/**
 * Copies of unsent queues in the browser's IndexedDB: they survive a reload, and the next page sends them. Two pages may send the
 * same copy, since the server applies each sequence once.
 */
import { add } from "../session/sink.ts";
import { QUEUE_BYTES } from "./limits.ts";
import type { Queue } from "./queue.ts";
import type { Keeper } from "./sender.ts";

const NAME = "datacat";

/** Without IndexedDB (private windows) nothing is kept. */
export const keeper: Keeper = {
  keep(queue) {
    // In one transaction, so that the old copy stays if there is no room for the new one. Never rejects.
    void inStore((store) => {
      store.delete(copiesOf(queue.lane, queue.last));
      return store.put(queue);
    });
  },
  release(lane, upTo) {
    void inStore((store) => store.delete(copiesOf(lane, upTo))); // never rejects
  },
};

function copiesOf(lane: string, upTo: number): IDBKeyRange {
  return IDBKeyRange.bound([lane, 0], [lane, upTo]);
}

/** The queues of earlier pages, newest first. Ops above `QUEUE_BYTES` in total are dropped and counted. */
export async function findQueues(): Promise<Queue[]> {
  const queues = (await inStore<Queue[]>((store) => store.getAll())) ?? [];
  let bytes = 0;
  for (const queue of queues.reverse())
    if ((bytes += queue.bytes) > QUEUE_BYTES) {
      add(queue.lost, "queue_full", queue.entries.splice(0).length);
      queue.batch = undefined;
    }
  return queues;
}

async function inStore<Result>(
  work: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result | undefined> {
  try {
    const transaction = (await (database ??= openDatabase())).transaction(NAME, "readwrite");
    const request = work(transaction.objectStore(NAME));
    transaction.commit(); // at once: the page may be unloading
    return await answerOf(request);
  } catch {
    return undefined; // no room, no permission, or no IndexedDB
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
