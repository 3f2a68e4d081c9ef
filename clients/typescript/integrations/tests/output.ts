/** What tests print, kept while they run in case they fail. */
import { plain } from "./failure.ts";
import { OUTPUT_LENGTH, OUTPUTS_KEPT } from "./limits.ts";

export class Outputs {
  readonly #texts = new Map<string, string>();

  /** @param test Any text that is the test's own. */
  add(test: string, text: string): void {
    const all = (this.#texts.get(test) ?? "") + text.slice(-OUTPUT_LENGTH);
    this.#texts.set(test, all.length > 2 * OUTPUT_LENGTH ? all.slice(-OUTPUT_LENGTH) : all);
    if (this.#texts.size <= OUTPUTS_KEPT) return;
    const [oldest] = this.#texts.keys();
    if (oldest !== undefined) this.#texts.delete(oldest);
  }

  /** What it printed last, undefined if it printed nothing. It is not kept any longer. */
  take(test: string): string | undefined {
    const text = this.#texts.get(test);
    this.#texts.delete(test);
    return text && (plain(text).slice(-OUTPUT_LENGTH) || undefined);
  }
}
