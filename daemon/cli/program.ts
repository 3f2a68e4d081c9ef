/** The `datacat` command: its general help, and its commands, each declared and implemented in a file of `commands/`. */
import { Command } from "commander";
import { VERSION } from "../version.ts";
import { DATACAT } from "./invocation.ts";
import { EXIT_CODES } from "./trouble.ts";

type Add = (program: Command) => void;

/** The groups of the help, in its order. Loading all files takes 0.3 s of CPU time, so a command loads its own only. */
const GROUPS: Record<string, Record<string, () => Promise<Add>>> = {
  "Record:": {
    run: async () => (await import("./commands/run.ts")).addRun,
    import: async () => (await import("./commands/import.ts")).addImport,
  },
  "Inspect sessions:": {
    sessions: async () => (await import("./commands/sessions.ts")).addSessions,
    show: async () => (await import("./commands/show.ts")).addShow,
    why: async () => (await import("./commands/why.ts")).addWhy,
    tail: async () => (await import("./commands/tail.ts")).addTail,
    attachments: async () => (await import("./commands/attachments.ts")).addAttachments,
    export: async () => (await import("./commands/export.ts")).addExport,
  },
  "The server:": {
    sourcemaps: async () => (await import("./commands/sourcemaps.ts")).addSourceMaps,
    reindex: async () => (await import("./commands/reindex.ts")).addReindex,
  },
  "This machine:": {
    doctor: async () => (await import("./commands/doctor.ts")).addDoctor,
    login: async () => (await import("./commands/login.ts")).addLogin,
    daemon: async () => (await import("./commands/daemon.ts")).addDaemon,
    queue: async () => (await import("./commands/queue.ts")).addQueue,
    send: async () => (await import("./commands/send.ts")).addSend,
    redact: async () => (await import("./commands/redact.ts")).addRedact,
  },
};

/** The command that `args` names or, for the help, every command. */
export async function programFor(args: string[]): Promise<Command> {
  const program = new Command(DATACAT)
    .description("Datacat records what programs do, up to the last millisecond before a crash.")
    .version(VERSION)
    .enablePositionalOptions()
    .showHelpAfterError(`(For help: ${DATACAT} --help)`)
    .addHelpText(
      "after",
      `
Examples:
  ${DATACAT} run -- npm test             Record a command.
  ${DATACAT} import results.xml          Record a report of tests.
  ${DATACAT} sessions --status crashed   List sessions that crashed.
  ${DATACAT} why last                    Explain the newest session's status.
  ${DATACAT} tail -f last                Print its events as they arrive.

Exit codes:
  0  success
  ${EXIT_CODES.failed}  failure, \`doctor\` or \`queue verify\` found a problem, or \`sourcemaps upload\` found no map or sent not all
  ${EXIT_CODES.usage}  invalid command line
  ${EXIT_CODES.unreachable}  the server or the daemon does not answer
  ${EXIT_CODES.not_found}  no such session, lane or file, or the beginning of the id is not unique
  ${EXIT_CODES.not_allowed}  the API key is missing, wrong, or of the wrong kind
  \`run\` exits with the command's own code; with 127 or 126 if the command is not found or may not be run

Environment: DATACAT_URL, DATACAT_KEY, DATACAT_HOME, DATACAT_PRODUCT, DATACAT_VERSION,
  DATACAT_LINK, NO_COLOR`,
    );
  const [named = ""] = args;
  if (named === "--version" || named === "-V") return program;
  const isKnown = Object.values(GROUPS).some((commands) => Object.hasOwn(commands, named));
  for (const [group, commands] of Object.entries(GROUPS)) {
    program.commandsGroup(group);
    for (const [name, load] of Object.entries(commands)) {
      if (!isKnown || name === named) (await load())(program);
    }
  }
  return program;
}
