/** The commands with their options and help. What they do is in the files that they name. */
import { Command } from "commander";
import { VERSION } from "./version.ts";

export const program = new Command("datacat")
  .description("A flight recorder for programs.")
  .version(VERSION)
  .enablePositionalOptions()
  .showHelpAfterError("(datacat --help shows what there is)");

program
  .command("run")
  .description("run a command and record it: output, CPU, memory, how it ended")
  .argument("<command...>", "the command and its arguments")
  .option(
    "--product <name>",
    "the product it is recorded as (DATACAT_PRODUCT; else the command's name)",
  )
  .option("--version-label <version>", "its version (DATACAT_VERSION; else what git describes)")
  .option(
    "--tag <tag>",
    "a tag for the session; may be repeated",
    (tag, tags: string[]) => [...tags, tag],
    [],
  )
  .option("--no-output", "leave its output alone, and do not record it")
  .passThroughOptions()
  .action(async (command: string[], options) => {
    const { run } = await import("./run.ts");
    await run(command, options, process.env);
  });

const daemon = program.command("daemon").description("the program that sends what was recorded");

daemon
  .command("run", { hidden: true })
  .description("be the daemon, in the foreground")
  .action(async () => {
    await import("../launch/datacat-daemon.ts");
  });
