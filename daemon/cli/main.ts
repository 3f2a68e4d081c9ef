/** The `datacat` command. What there is to command is in program.ts. */
import { CommanderError } from "commander";
import { program } from "./program.ts";
import { EXIT_CODES, Trouble } from "./trouble.ts";

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
    // It has said what was wrong already; help that was asked for is not wrong.
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
