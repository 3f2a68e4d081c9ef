/** The tests of a session, read from its log when they are first asked for, and then only from segments that are new. */
import { CACHED_TESTS } from "./limits.ts";
import type { EventRow } from "../answers/events.ts";
import type { TestAccount, TestItem } from "../answers/tests.ts";
import { testKey } from "../tests/id.ts";
import { TestTable } from "../tests/table.ts";
import type { Segments } from "../segments/segments.ts";

export class Tests {
  readonly #store: Segments;
  /** Of the sealed segments up to `#read`. */
  #sealed = new TestTable();
  #read = 0;
  #current: { revision: number; table: TestTable } | undefined;

  constructor(store: Segments) {
    this.#store = store;
  }

  /** `revision`: of the session, with which the table changes. */
  table(revision: number): TestTable {
    if (this.#current?.revision === revision) return this.#current.table;
    const infos = this.#store.list();
    for (const info of infos) {
      if (info.id <= this.#read || !info.summary) continue;
      // Only the oldest segments without a gap, since a later one may be damaged for now.
      if (info.id !== this.#read + 1) break;
      this.#add(this.#sealed, info);
      this.#read = info.id;
    }
    const table = this.#sealed.copy();
    for (const info of infos) if (info.id > this.#read) this.#add(table, info);
    if (table.size <= CACHED_TESTS) this.#current = { revision, table };
    else {
      // Its memory is for other sessions of this process.
      this.#sealed = new TestTable();
      this.#read = 0;
    }
    return table;
  }

  #add(table: TestTable, info: Parameters<Segments["open"]>[0]): void {
    for (const row of this.#store.open(info)?.reader.tests() ?? []) table.add(row);
  }
}

/** Every event of these tests of a table, from the segments that have rows of them. */
export function accountsOf(store: Segments, table: TestTable, items: TestItem[]): TestAccount[] {
  const accounts = new Map(items.map((item) => [item.key, { item, events: [] as EventRow[] }]));
  const spans = items.flatMap(({ key }) => table.span(key) ?? []);
  for (const info of store.list()) {
    if (!spans.some(({ first, last }) => first <= info.lastSeq && info.firstSeq <= last)) continue;
    const reader = store.open(info)?.reader;
    const found = new Map<number, TestAccount>();
    for (const { id, seq } of reader?.tests() ?? []) {
      const account = accounts.get(testKey(id));
      if (account) found.set(seq, account);
    }
    if (!reader || found.size === 0) continue;
    for (const event of reader.events()) if (event.test) found.get(event.seq)?.events.push(event);
  }
  return [...accounts.values()];
}
