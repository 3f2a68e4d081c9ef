/**
 * Requests to one session object that arrive while it writes, or in the same turn of the event loop. They are applied together, so that
 * they cost one row and one sync of the file: single posts of 1.x's clients would else cost as much as whole batches.
 */
import { refusalOf } from "../../core/refusal.ts";

type Waiting<Item> = {
  item: Item;
  resolve: () => void;
  reject: (error: unknown) => void;
};

export class Turn<Item> {
  readonly #apply: (items: Item[]) => void;
  readonly #stored: () => Promise<unknown>;
  #waiting = new Map<string, Waiting<Item>[]>();
  #isRunning = false;

  /** `apply` applies all items or, if it throws, none. `stored` resolves when what was applied is on the disk. */
  constructor(
    apply: (items: Item[]) => void,
    stored: () => Promise<unknown> = () => Promise.resolve(),
  ) {
    this.#apply = apply;
    this.#stored = stored;
  }

  /** Resolves when the item is applied, together with those of the same `kind` only. Rejects with what `apply` throws for it. */
  add(kind: string, item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(kind) ?? [];
      waiting.push({ item, resolve, reject });
      this.#waiting.set(kind, waiting);
      if (!this.#isRunning) void this.#run(); // never rejects
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await new Promise((resolve) => setTimeout(resolve, 0));
    while (this.#waiting.size > 0) {
      const kinds = this.#waiting;
      this.#waiting = new Map();
      for (const waiting of kinds.values()) this.#applyAll(waiting);
      // An answer leaves only when its write is on the disk, so a request that came after the write loses no time by waiting for it.
      await this.#stored().catch(() => undefined); // the platform fails the answers, too
    }
    this.#isRunning = false;
  }

  #applyAll(waiting: Waiting<Item>[]): void {
    if (this.#isApplied(waiting)) return;
    for (const { item, resolve, reject } of waiting) {
      try {
        this.#apply([item]);
        resolve();
      } catch (error) {
        reject(error);
      }
    }
  }

  /** False if one of them is refused, which must not affect the others. */
  #isApplied(waiting: Waiting<Item>[]): boolean {
    if (waiting.length === 1) return false;
    try {
      this.#apply(waiting.map(({ item }) => item));
    } catch (error) {
      if (refusalOf(error)) return false;
      for (const { reject } of waiting) reject(error);
      return true;
    }
    for (const { resolve } of waiting) resolve();
    return true;
  }
}
