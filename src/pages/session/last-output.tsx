/** The last lines that a program printed before it failed, below its verdict. */
import { EVENT_OUTPUT } from "../../core/vocabulary.ts";
import type { SessionClient } from "../../session/client.ts";
import { LAST_LINES } from "../limits.ts";
import { guarded } from "../ui/panel.tsx";
import { OutputLines } from "./output.tsx";

export function LastOutput({ session }: { session: SessionClient }) {
  return guarded("the last output", async () => {
    const { items, next } = await session.ask("events", {
      name: EVENT_OUTPUT,
      order: "desc",
      limit: LAST_LINES,
    });
    if (items.length === 0) return null;
    return (
      <div class="last-output">
        <header>
          <h2 class="label">Last output</h2>
          {next === null ? null : <a href="#output">Show all output</a>}
        </header>
        <ol class="terminal" tabindex={0} aria-label="Last output, newest line last">
          <OutputLines items={items} isCopy />
        </ol>
      </div>
    );
  });
}
