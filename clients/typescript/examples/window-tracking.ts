/** Which windows are open and which has the focus, as state: afterwards anyone sees what the user was looking at, at any moment. */
import { setTimeout as sleep } from "node:timers/promises";
import { open, type Session } from "@datacat/client";

class Windows {
  readonly #session: Session;
  #focused: string | undefined;
  #focusedAt = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  open(id: string, title: string): void {
    this.#session.updateState({ windows: { [id]: { title, minimized: false } } });
    this.#session.logEvent("window_opened", { group: "windows", data: { id, title } });
    this.focus(id);
  }

  focus(id: string): void {
    this.#leave();
    this.#focused = id;
    this.#focusedAt = performance.now();
    this.#session.updateState({ focused: id });
  }

  close(id: string): void {
    if (this.#focused === id) this.#leave();
    // null deletes.
    this.#session.updateState({ windows: { [id]: null }, focused: null });
    this.#session.logEvent("window_closed", { group: "windows", data: { id } });
  }

  /** How long a window had the focus. */
  #leave(): void {
    if (this.#focused === undefined) return;
    const seconds = (performance.now() - this.#focusedAt) / 1_000;
    this.#session.histogram("focus_seconds", seconds, { unit: "s", tags: [this.#focused] });
    this.#focused = undefined;
  }
}

const session = open({ product: "window-example", version: "1.0.0", state: { windows: {} } });
const windows = new Windows(session);

windows.open("main", "Untitled - Editor");
await sleep(20);
windows.open("search", "Find and replace");
await sleep(20);
windows.focus("main");
session.updateState({ windows: { main: { title: "Letter.txt - Editor" } } });
windows.close("search");
windows.focus("main");

session.end();
console.log(session.id);
