/** `datacat run`: records a command. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { DATACAT } from "../invocation.ts";
import { LINK_CHOICES } from "../link.ts";
import { collect, collectTag } from "../options.ts";
import { problemWith } from "../run/attach.ts";

export function addRun(program: Command): void {
  program
    .command("run")
    .description("Run a command and record its output, CPU, memory and how it ended.")
    .argument("<command...>", "the command and its arguments")
    .option(
      "--product <name>",
      "Record it under this product (default: DATACAT_PRODUCT, else the command's name).",
    )
    .option(
      "--version-label <version>",
      "Record it as this version (default: DATACAT_VERSION, else the git commit).",
    )
    .option(
      "--tag <tag>",
      "Add a tag to the session, key=value or a key; may be repeated (also: DATACAT_TAGS).",
      collectTag,
      [],
    )
    .addOption(
      new Option(
        "--link <when>",
        "Print the session's address at the end: always, after a failure, or never (default: DATACAT_LINK, else always).",
      ).choices(LINK_CHOICES),
    )
    .option(
      "--attach <glob>",
      "Attach the files that match and that the command changed; may be repeated.",
      collectGlob,
      [],
    )
    .option("--no-output", "Leave the command's output unchanged and do not record it.")
    .passThroughOptions()
    .addHelpText(
      "after",
      `
The command gets the same input, signals and exit code as without ${"`run`"}. Four differences:
  - It writes to a pipe instead of the terminal, so that its output can be recorded. On a terminal FORCE_COLOR asks it to keep its
    colours, unless NO_COLOR is set. For editors and other programs that draw on the screen use --no-output.
  - Lines that it writes to standard output and standard error at the same time may appear in another order.
  - Processes that it leaves in the background lose their output half a second after it ends.
  - After it, one line on standard error has the address of the session.
The last error that it prints before it fails becomes the exception of its session: the stack traces of Python, Node, Deno, Bun, Go,
Rust, Java, .NET, Ruby, PHP, Perl, Lua and Elixir, of C++ and sanitizers, and the messages of shells and make. CPU, memory and processes
are recorded on every system; threads, open files, disk and network (of the whole machine) on Linux only, and graphics cards where
nvidia-smi is installed.
--attach looks for names below the working folder ("logs/*.txt", "**/*.dmp"; quote it for the shell), follows no links, and takes the newest
files first: at most 10 MiB each, 50 MiB and 200 of them together. One line on standard error names them.
To continue when the terminal closes: ${DATACAT} run -- nohup <command>

A Datacat client inside the command records to the same session (DATACAT_SESSION).

Examples:
  ${DATACAT} run -- npm run check
  ${DATACAT} run --product nightly --tag branch=main --tag linux -- make -j4
  ${DATACAT} run --attach 'screenshots/**/*.png' --attach core -- ./game
  ${DATACAT} run --no-output -- vim notes.txt`,
    )
    .action(async (command: string[], options) => {
      const { run } = await import("../run/run.ts");
      await run(command, options, process.env);
    });
}

function collectGlob(glob: string, before: string[]): string[] {
  const problem = problemWith(glob);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return collect(glob, before);
}
