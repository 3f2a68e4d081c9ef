/**
 * What a program in direct mode could not send before it went down. It has no time left for a request, so a process of its own makes
 * it, which nobody waits for. The words are in its environment, which, other than its arguments, only this user may read.
 */
import { spawn } from "node:child_process";
import { TIMEOUT_MS } from "../direct/limits.ts";
import { isGranted } from "./permission.ts";
import { runtimeFor } from "./runtime.ts";

const SCRIPT = `const { LAST_WORDS, LAST_WORDS_URL, LAST_WORDS_KEY } = process.env;
fetch(LAST_WORDS_URL + "/api/ingest", {
  method: "POST",
  body: LAST_WORDS,
  headers: LAST_WORDS_KEY ? { authorization: "Bearer " + LAST_WORDS_KEY } : {},
  signal: AbortSignal.timeout(${TIMEOUT_MS}),
});`;

export function sendLastWords(url: string, key: string | undefined, words: string): void {
  if (!isGranted({ name: "run" }) || !isGranted({ name: "read" }) || !isGranted({ name: "env" }))
    return;
  const runtime = runtimeFor(process.env);
  if (runtime === undefined) return;
  try {
    const saying = spawn(runtime.program, [...runtime.evaluate, SCRIPT], {
      detached: true,
      stdio: "ignore",
      windowsHide: true,
      env: {
        ...process.env,
        DATACAT_DISABLED: "1", // what is loaded into every Node must not record this one
        LAST_WORDS: words,
        LAST_WORDS_URL: url,
        LAST_WORDS_KEY: key,
      },
    });
    saying.on("error", () => {});
    saying.unref();
  } catch {
    // more words than an environment may hold, or no more processes allowed
  }
}
