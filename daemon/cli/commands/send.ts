/** `datacat send`: sends lane files that were copied from another machine. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { formatCount } from "../../../src/core/text/format.ts";
import { type Environment, home, homeAt, makePrivate } from "../../home.ts";
import { laneFile, readHeader } from "../../lanes/lane-file.ts";
import { SERVERS } from "../../local-token.ts";
import { SCAN_MS, SEND_TIMEOUT_MS } from "../limits.ts";
import { JSON_OPTION } from "../options.ts";
import { bold, print, printJson, progress } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

export function addSend(program: Command): void {
  program
    .command("send")
    .description("Send lane files that were copied from another machine.")
    .argument("<file...>", "lane files; sending one again changes nothing")
    .option(...JSON_OPTION)
    .action((files: string[], { json }) => sendFiles(process.env, files, json));
}

/** Sends lane files by a temporary daemon with a home of its own. The server ignores records that it already has. */
async function sendFiles(env: Environment, files: string[], json?: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "datacat-send-"));
  try {
    const temporary = homeAt(folder);
    makePrivate(temporary);
    for (const named of files) {
      if (!existsSync(named)) throw new Trouble("not_found", `There is no file ${named}.`);
      const file = realpathSync(named);
      const header = readHeader(file);
      if (!header)
        throw new Trouble("failed", `${file} is no lane file, or its first line is damaged.`);
      copyFileSync(file, join(temporary.lanes, laneFile(header.lane, header.part)));
    }
    const own = home(env, process.platform);
    if (existsSync(own.config)) copyFileSync(own.config, temporary.config);
    const servers = join(own.folder, SERVERS);
    if (existsSync(servers)) cpSync(servers, join(folder, SERVERS), { recursive: true });
    const { runDaemon } = await import("../../main.ts");
    const daemon = await runDaemon({
      env: { ...env, DATACAT_HOME: folder, DATACAT_CONFIG: undefined },
      port: 0,
    });
    if (!daemon) throw new Trouble("failed", `The temporary home ${folder} could not be used.`);
    progress(`sending ${formatCount(files.length, "file")}…`);
    await new Promise((resolve) => setTimeout(resolve, SCAN_MS));
    const done = await daemon.flush(SEND_TIMEOUT_MS);
    await daemon.stop();
    progress("");
    const refused = readdirSync(temporary.rejected);
    if (json)
      printJson({
        files: files.map((file) => basename(file)),
        sent: done,
        refused: refused.length,
      });
    if (!done)
      throw new Trouble(
        "unreachable",
        "The server did not acknowledge everything. Try again later.",
      );
    if (refused.length > 0)
      throw new Trouble("failed", `The server refused ${formatCount(refused.length, "record")}.`);
    if (!json)
      print(
        `${bold("Sent.")} The server has all of ${files.map((file) => basename(file)).join(", ")}.`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
