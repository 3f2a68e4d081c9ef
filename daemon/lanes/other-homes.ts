/**
 * The user's other homes, whose lanes this daemon reads too: a program begins its lane in the last resort while its home has no room or
 * can't be written, and in its home when it can. As each home has one daemon, this one takes the lock of each, while there are lanes.
 */
import { type Home, isOwnHome } from "../home.ts";
import { Lock } from "../lock.ts";
import { type Log, reason } from "../log.ts";
import { listLanes } from "./listing.ts";

type OtherHomesOptions = {
  homes: Home[];
  /** This daemon's. */
  id: string;
  log: Log;
};

export class OtherHomes {
  readonly #options: OtherHomesOptions;
  readonly #held = new Map<Home, Lock>();

  constructor(options: OtherHomesOptions) {
    this.#options = options;
  }

  /** The folders of lanes that this daemon reads besides its own. */
  get folders(): string[] {
    return [...this.#held.keys()].map(({ lanes }) => lanes);
  }

  /** Takes the homes that have lanes and no daemon, and leaves those whose lanes are all sent. */
  async refresh(): Promise<void> {
    for (const home of this.#options.homes) {
      try {
        await this.#refresh(home);
      } catch (error) {
        // It can't be written, so its lanes could not be removed once they are sent.
        this.#options.log.failed(`taking the lanes in ${home.lanes}`, reason(error));
      }
    }
  }

  release(): void {
    for (const lock of this.#held.values()) lock.release();
    this.#held.clear();
  }

  async #refresh(home: Home): Promise<void> {
    const { id, log } = this.#options;
    const hasLanes = isOwnHome(home) && listLanes(home.lanes).size > 0;
    const lock = this.#held.get(home);
    if (lock !== undefined) {
      if (hasLanes && lock.isHeld()) return;
      this.#held.delete(home);
      lock.release();
      return;
    }
    if (!hasLanes) return;
    const taken = await Lock.take(home.lock, id);
    if (!taken) return;
    this.#held.set(home, taken);
    log.write(`reads the lanes in ${home.lanes} too`);
  }
}
