/** `datacat reindex`: rebuilds the server's catalog from its sessions, step by step. */
import type { Command } from "commander";
import type { RebuildStep } from "../../../src/core/answers/reindex.ts";
import { formatCount } from "../../../src/core/text/format.ts";
import { REINDEX_RETRY_MS, REINDEX_TIMEOUT_MS, REINDEX_TRIES } from "../limits.ts";
import { JSON_OPTION, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { print, printJson, progress } from "../terminal.ts";
import { EXIT_CODES, Trouble } from "../trouble.ts";

export function addReindex(program: Command): void {
  program
    .command("reindex")
    .description(
      "Rebuild the server's catalog, which lists and comparisons use, from its sessions.",
    )
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      `
Needs an admin key. Sessions, keys, saved views and decisions do not change. Interrupted, it can be started again. If the catalog
was empty, lists are unavailable until it has finished.`,
    )
    .action(({ json }: { json?: boolean }) =>
      withServer(async (server) => {
        if (!(await reindex(server, json))) process.exitCode = EXIT_CODES.failed;
      }),
    );
}

/** Returns whether every session was indexed. */
async function reindex(server: Server, json?: boolean): Promise<boolean> {
  const failed: RebuildStep["failed"] = [];
  let [done, removed, total] = [0, 0, 0];
  let cursor: string | null | undefined;
  do {
    const step: RebuildStep = await takeStep(server, cursor === undefined ? {} : { cursor });
    total = step.total ?? total;
    done += step.done.length;
    removed += step.removed.length;
    failed.push(...step.failed);
    cursor = step.next;
    progress(`${done} of ${formatCount(total, "session")}`);
  } while (cursor !== null);
  progress("");

  if (json) printJson({ done, removed, failed });
  else {
    print(`${formatCount(done, "session")} indexed.`);
    if (removed > 0) print(`${formatCount(removed, "deleted session")} removed from the catalog.`);
    for (const { id, error } of failed) print(`${id}  ${error}`);
  }
  return failed.length === 0;
}

/** One step; repeated while the server cannot write to its catalog. */
async function takeStep(server: Server, body: object): Promise<RebuildStep> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await server.post<RebuildStep>("/api/reindex", body, REINDEX_TIMEOUT_MS);
    } catch (error) {
      const isOver = attempt === REINDEX_TRIES || !(error instanceof Trouble);
      if (isOver || error.exitCode !== EXIT_CODES.failed) throw error;
      await new Promise((resolve) => setTimeout(resolve, REINDEX_RETRY_MS * 2 ** attempt));
    }
  }
}
