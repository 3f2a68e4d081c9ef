/** Starts the `datacat` command. Its commands are in `commands/`, collected by `program.ts`. */
import { CommanderError } from "commander";
import { programFor } from "./program.ts";
import { EXIT_CODES, Trouble } from "./trouble.ts";

const program = await programFor(process.argv.slice(2));
for (const command of [
  program,
  ...program.commands,
  ...program.commands.flatMap((one) => one.commands),
]) {
  command.exitOverride();
}
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed the message. Exit code 0 is `--help` or `--version`.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  } else if (error instanceof Trouble) {
    process.stderr.write(`datacat: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(
      `datacat: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = EXIT_CODES.failed;
  }
}
