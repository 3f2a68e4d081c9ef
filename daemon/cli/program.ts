/** The commands with their options and help. What they do is in the files that they name, loaded only when asked for. */
import { Command, InvalidArgumentError } from "commander";
import type { Server } from "./server.ts";
import { EXIT_CODES } from "./trouble.ts";
import { VERSION } from "../version.ts";

const JSON_OPTION = ["--json", "as JSON, for programs"] as const;
const ID = "the session's id, as much of its beginning as is unique, or `last`";
const env = process.env;

export const program = new Command("datacat")
  .description("A flight recorder for programs: what they were doing, up to the last millisecond.")
  .version(VERSION)
  .enablePositionalOptions()
  .showHelpAfterError("(datacat --help shows what there is)")
  .addHelpText(
    "after",
    `
Examples:
  datacat run -- npm test          record a command
  datacat sessions --status crashed
  datacat why last                 what became of the newest session
  datacat tail -f last             its events as they come

Exit codes:
  0  it worked
  ${EXIT_CODES.failed}  it did not, or \`doctor\` or \`queue verify\` found something
  ${EXIT_CODES.usage}  the command line does not make sense
  ${EXIT_CODES.unreachable}  the server or the daemon does not answer
  ${EXIT_CODES.not_found}  no such session, lane or file, or more than one of that abbreviation
  ${EXIT_CODES.not_allowed}  the API key is missing, wrong, or of the wrong kind
  \`run\` exits as the command did; with 127 or 126 if there is no such command or it may not be run

Environment: DATACAT_URL, DATACAT_KEY, DATACAT_HOME, DATACAT_PRODUCT, DATACAT_VERSION, NO_COLOR`,
  );

program.commandsGroup("Recording:");

program
  .command("run")
  .description("run a command and record it: output, CPU, memory, how it ended")
  .argument("<command...>", "the command and its arguments")
  .option("--product <name>", "what it is recorded as (DATACAT_PRODUCT; else the command's name)")
  .option("--version-label <version>", "its version (DATACAT_VERSION; else what git describes)")
  .option("--tag <tag>", "a tag for the session; may be repeated", collect, [])
  .option("--no-output", "leave its output alone, and do not record it")
  .passThroughOptions()
  .addHelpText(
    "after",
    `
The command gets its input, output, signals and exit code as if it stood alone. Three things it could notice:
  - It writes to a pipe rather than to the terminal, because its output is recorded on the way. On a terminal it is asked to
    keep its colours (FORCE_COLOR, unless NO_COLOR is set). For editors and other programs that draw on the screen: --no-output.
  - Lines that it prints to standard output and standard error at the same moment may change places.
  - What it leaves running in the background loses its output half a second after it ends.
To go on when the terminal closes: datacat run -- nohup <command>

Its own calls to a Datacat client go to the same session (DATACAT_SESSION).

Examples:
  datacat run -- npm run check
  datacat run --product nightly --tag linux -- make -j4
  datacat run --no-output -- vim notes.txt`,
  )
  .action(async (command: string[], options) => {
    const { run } = await import("./run/run.ts");
    await run(command, options, env);
  });

program.commandsGroup("Looking:");

program
  .command("sessions")
  .description("list sessions, newest first")
  .option("--product <name>")
  .option("--version-label <version>")
  .option(
    "--status <status>",
    "active, suspended, hung, crashed, ended, ever_hung…; several with commas",
  )
  .option("--text <words>", "words in id, product, version, host, headline or tags")
  .option("-n, --limit <count>", "at most so many", whole, 20)
  .option(...JSON_OPTION)
  .action(async (options) => {
    const { listSessions } = await import("./commands/sessions.ts");
    const { versionLabel, ...rest } = options;
    await withServer((server) => listSessions(server, { ...rest, label: versionLabel }));
  });

program
  .command("show")
  .description("a session: verdict, state, metrics, events")
  .argument("<id>", ID)
  .option(...JSON_OPTION)
  .action(async (id: string, { json }) => {
    const { showSession } = await import("./commands/sessions.ts");
    await withServer(async (server) => showSession(server, await server.findSession(id), json));
  });

program
  .command("why")
  .description("what became of a session, with evidence, and what it was doing last")
  .argument("<id>", ID)
  .option("-n, --count <count>", "how many state changes and events before the end", whole, 10)
  .option(...JSON_OPTION)
  .addHelpText("after", "\nExamples:\n  datacat why last\n  datacat why 0198f3c1 -n 50")
  .action(async (id: string, options) => {
    const { explainSession } = await import("./commands/why.ts");
    await withServer(async (server) =>
      explainSession(server, await server.findSession(id), options),
    );
  });

program
  .command("tail")
  .description("a session's last events")
  .argument("<id>", ID)
  .option("-n, --lines <count>", "so many", whole, 20)
  .option("-f, --follow", "and those that come, until it ends")
  .option(...JSON_OPTION)
  .action(async (id: string, options) => {
    const { tail } = await import("./commands/tail.ts");
    await withServer(async (server) => tail(server, await server.findSession(id), options));
  });

program
  .command("export")
  .description("everything of a session, one JSON object a line")
  .argument("<id>", ID)
  .option("-o, --output <file>", "to a file rather than to standard output")
  .option("--json", "is what it is anyway")
  .action(async (id: string, { output }) => {
    const { exportSession } = await import("./commands/sessions.ts");
    await withServer(async (server) => exportSession(server, await server.findSession(id), output));
  });

program.commandsGroup("This machine:");

program
  .command("doctor")
  .description("look for what is wrong: settings, disk, daemon, server, key, clock, queue")
  .option(...JSON_OPTION)
  .action(async ({ json }) => {
    const { examine } = await import("./commands/doctor.ts");
    if (!(await examine(env, json))) process.exitCode = EXIT_CODES.failed;
  });

program
  .command("login")
  .description("set the server and the API key that this machine uses")
  .argument("[url]", "the server's address")
  .option("--key <key>", "the key; better piped in or typed, because others can see arguments")
  .option(...JSON_OPTION)
  .addHelpText(
    "after",
    "\nExamples:\n  datacat login https://datacat.example.com\n  datacat login <key.txt",
  )
  .action(async (url: string | undefined, options) => {
    const { login } = await import("./commands/login.ts");
    await login(env, url, options);
  });

const daemon = program
  .command("daemon")
  .description("the program that sends what was recorded; it starts by itself when needed");

daemon
  .command("start")
  .description("start it now")
  .option(...JSON_OPTION)
  .action(async ({ json }) => (await import("./commands/daemon.ts")).startDaemon(env, json));

daemon
  .command("stop")
  .description("stop it; what it has not sent stays on disk")
  .option(...JSON_OPTION)
  .action(async ({ json }) => (await import("./commands/daemon.ts")).stopDaemon(env, json));

daemon
  .command("status")
  .description("what it is doing")
  .option(...JSON_OPTION)
  .action(async ({ json }) => (await import("./commands/daemon.ts")).showStatus(env, json));

daemon
  .command("logs")
  .description("what it has noted")
  .option("-n, --lines <count>", "the last so many", whole, 50)
  .option("-f, --follow", "and those that come")
  .option("--json", "as lines: a log has no other form")
  .action(async (options) => (await import("./commands/daemon.ts")).showLogs(env, options));

daemon
  .command("run", { hidden: true })
  .description("be it, in the foreground")
  .option("--while <pid>", "stay as long as this process lives")
  .action(async () => void (await import("../launch/datacat-daemon.ts")));

const queue = program
  .command("queue")
  .description("what is recorded on this disk and not yet acknowledged by the server");

queue
  .command("list", { isDefault: true })
  .description("the lanes")
  .option(...JSON_OPTION)
  .action(async ({ json }) => (await import("./commands/queue.ts")).listQueue(env, json));

queue
  .command("dump")
  .description("what a lane holds, one JSON object a line")
  .argument("<lane>", "a lane's id or its beginning, or a lane file")
  .option("--json", "is what it is anyway")
  .action(async (lane: string) => (await import("./commands/queue.ts")).dumpLane(env, lane));

queue
  .command("verify")
  .description("check every record of every lane")
  .option(...JSON_OPTION)
  .action(async ({ json }) => {
    const { verifyQueue } = await import("./commands/queue.ts");
    if (!(await verifyQueue(env, json))) process.exitCode = EXIT_CODES.failed;
  });

program
  .command("send")
  .description("send lane files that were brought from elsewhere")
  .argument("<file...>", "lane files; sending one again does no harm")
  .option(...JSON_OPTION)
  .action(async (files: string[], { json }) =>
    (await import("./commands/queue.ts")).sendFiles(env, files, json),
  );

async function withServer(act: (server: Server) => Promise<void>): Promise<void> {
  const { Server: ServerOf } = await import("./server.ts");
  const server = new ServerOf(env);
  try {
    await act(server);
  } finally {
    await server.close();
  }
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 1000) {
    throw new InvalidArgumentError("It must be a whole number up to 1000.");
  }
  return value;
}
