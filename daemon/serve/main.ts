/** `npm start`: the server and the daemon on this machine. */
import { release } from "node:os";
import { relative, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { ensureDaemon } from "../cli/daemon-process.ts";
import { openHome } from "../home.ts";
import { publishToken } from "../local-token.ts";
import { SHOWS_PEERS } from "../peer.ts";
import { AlreadyServing } from "./claim.ts";
import { RegistryLost } from "./databases.ts";
import { DAEMON_CHECK_MS, DEFAULT_PORT, HEALTH_TIMEOUT_MS } from "./limits.ts";
import { withVariable } from "./port.ts";
import { ForeignFolder } from "./private-folder.ts";
import { PortTaken, serve } from "./serve.ts";
import { root } from "./worker.ts";

const options = new Command("npm start --")
  .description("Serve Datacat on this machine, for this machine only.")
  .addOption(
    new Option("--port <port>", "port to listen on")
      .env("PORT")
      .argParser(parsePort)
      .default(DEFAULT_PORT),
  )
  .option("--data <folder>", "folder that keeps all data", resolve(root, ".datacat"))
  .option("--no-daemon", "do not start a daemon")
  .option(
    "--new-registry",
    "create an empty registry if there is no intact one: keys, views, decisions and merges are lost",
  )
  .parse()
  .opts<{ port: number; data: string; daemon: boolean; newRegistry?: boolean }>();

// What it writes is for its user alone, also what workerd writes, which inherits this.
process.umask(0o077);

try {
  const server = await serve({
    port: options.port,
    data: resolve(options.data),
    newRegistry: options.newRegistry ?? false,
    onNotice: (line) => console.log(`  ${line}`),
    onFailure: fail,
  });
  const takeBack = publishToken(openHome(process.env, process.platform), server.url, server.token);
  stopOnSignal(() => {
    takeBack();
    return server.stop();
  });
  // By its path, because the command may not be installed. It uses the default port unless DATACAT_URL is set.
  const launcher = resolve(root, "daemon/launch/datacat.mjs");
  const datacat =
    server.port === DEFAULT_PORT
      ? launcher
      : withVariable(["DATACAT_URL", server.url], launcher, process.platform);
  const seconds = (performance.now() / 1000).toFixed(1);
  console.log(`
  Datacat is ready: ${needsToken() ? `${server.url}/?token=${server.token}` : server.url}   (${seconds} s)

  Data in ${relative(process.cwd(), options.data) || "."} · ${aboutDaemon(server.url)} · Ctrl-C stops

  Try in another terminal:
    ${datacat} run -- npm run check
    ${datacat} run -- sh -c 'sleep 3; kill -9 $$'
    ${datacat} why last
`);
} catch (error) {
  await fail(error);
}

async function fail(error: unknown): Promise<void> {
  console.error(`\n  ${await explain(error)}\n`);
  process.exit(1);
}

/**
 * Whether a browser on this machine may need the token. On Linux it runs as the user who starts the server, unless that is root, or
 * the browser is outside of this Linux: on the Windows around WSL, whose connections come from root.
 */
function needsToken(): boolean {
  return !SHOWS_PEERS || process.geteuid?.() === 0 || /microsoft/i.test(release());
}

function parsePort(text: string): number {
  const port = text === "" ? DEFAULT_PORT : Number(text); // `PORT= npm start` means the default
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError("A port is a number from 0 (any that is free) to 65535.");
  }
  return port;
}

/** Clients that find no executable of a daemon rely on this one, so one runs as long as the server does. */
function aboutDaemon(url: string): string {
  if (!options.daemon) return "no daemon";
  const env = { ...process.env, DATACAT_URL: process.env["DATACAT_URL"] ?? url };
  const daemon = ensureDaemon(env, process.pid);
  setInterval(() => ensureDaemon(env, process.pid), DAEMON_CHECK_MS).unref();
  return daemon === "off" ? "no daemon (DATACAT_DAEMON=off)" : `the daemon is ${daemon}`;
}

function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const leave = () => {
    if (stopping) process.exit(130); // a second signal: at once
    stopping = true;
    void stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.removeAllListeners(signal); // Miniflare's, which exit at once, with 130
    process.on(signal, leave);
  }
}

/** What happened, why, and what to do. */
async function explain(error: unknown): Promise<string> {
  if (error instanceof AlreadyServing) return `${error.message} Open it, or stop it first.`;
  if (error instanceof PortTaken) {
    const other = withVariable(["PORT", error.port + 1], "npm start", process.platform);
    return (await isDatacat(error.port))
      ? `Datacat already runs at http://localhost:${error.port}. Use that, or: ${other}`
      : `${error.message} Choose another one: ${other}`;
  }
  if (error instanceof RegistryLost || error instanceof ForeignFolder) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function isDatacat(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://localhost:${port}/health`, {
      signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
    });
    return (await answer.text()).includes("datacat-server");
  } catch {
    return false;
  }
}
