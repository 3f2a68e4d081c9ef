/**
 * Requests to one session object that arrive in the same turn of the event loop. They are applied together, so that they cost one row and
 * one sync of the file: single posts of 1.x's clients would else cost as much as whole batches.
 */
import { refusalOf } from "../core/refusal.ts";

type Waiting<Item> = {
  item: Item;
  resolve: () => void;
  reject: (error: unknown) => void;
};

export class Turn<Item> {
  readonly #apply: (items: Item[]) => void;
  readonly #waiting = new Map<string, Waiting<Item>[]>();

  /** `apply` applies all items or, if it throws, none. */
  constructor(apply: (items: Item[]) => void) {
    this.#apply = apply;
  }

  /** Resolves when the item is applied, together with those of the same `kind` only. Rejects with what `apply` throws for it. */
  add(kind: string, item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(kind) ?? [];
      waiting.push({ item, resolve, reject });
      this.#waiting.set(kind, waiting);
      if (waiting.length === 1) setTimeout(() => this.#applyAll(kind), 0);
    });
  }

  #applyAll(kind: string): void {
    const waiting = this.#waiting.get(kind) ?? [];
    this.#waiting.delete(kind);
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
