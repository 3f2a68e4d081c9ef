/**
 * The alarm of a session object. When it is set is kept in memory, since setting it is a billed row: it is read once after the object woke up,
 * and set only to an earlier time.
 */
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { Publisher } from "./publisher.ts";
import { isOver, nextAlarm } from "./schedule.ts";

export class Alarm {
  readonly #storage: DurableObjectStorage;
  readonly #publisher: Publisher;
  readonly #onFinished: () => void;
  /** When it is set; undefined: not known since the object woke up. */
  #at: number | null | undefined;

  /** `onFinished` is called when the session is over and nothing is left to publish. */
  constructor(storage: DurableObjectStorage, publisher: Publisher, onFinished: () => void) {
    this.#storage = storage;
    this.#publisher = publisher;
    this.#onFinished = onFinished;
  }

  /** Whether it was read or set since the object woke up. */
  get isKnown(): boolean {
    return this.#at !== undefined;
  }

  /** None is set: it is running, or the object is new or was erased. */
  noteNone(): void {
    this.#at = null;
  }

  async read(): Promise<void> {
    if (this.#at !== undefined) return;
    this.#at = await this.#storage.getAlarm();
    // An alarm that was set before the object slept may be for a publication. Without one, a publication may have been interrupted.
    this.#publisher.expect(this.#at ?? Date.now());
  }

  /** Sets it for the next change of the verdict or the next publication. */
  async set(index: SessionIndex, schedule = this.#publisher.schedule): Promise<void> {
    await this.read();
    const { observations } = index;
    if (this.#at === null && isOver(observations) && this.#publisher.schedule.rowAt === null)
      this.#onFinished();
    const at = nextAlarm({ alarmAt: this.#at ?? null, schedule, observations }, Date.now());
    if (at === null) return;
    this.#at = at;
    index.rowsWritten++;
    this.#publisher.countRow();
    await this.#storage.setAlarm(at);
  }
}
