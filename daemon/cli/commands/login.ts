/** `datacat login`: stores the server and its API key in the home, for the daemon and these commands. */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { redactText } from "../../../src/core/secrets/redact.ts";
import { DEFAULT_SERVER, readSettings, saveSettings, serverUrl } from "../../config.ts";
import { type Environment, openHome } from "../../home.ts";
import { REQUEST_TIMEOUT_MS } from "../limits.ts";
import { DATACAT } from "../invocation.ts";
import { JSON_OPTION } from "../options.ts";
import { Server } from "../server.ts";
import { print, printJson } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

type LoginOptions = { key?: string; json?: boolean };

export function addLogin(program: Command): void {
  program
    .command("login")
    .description("Set the server and the API key that this machine uses.")
    .argument("[url]", "the server's address")
    .option(
      "--key <key>",
      "Use this key. Other users can see arguments: better type it or pipe it in.",
    )
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      `\nExamples:\n  ${DATACAT} login https://datacat.example.com\n  ${DATACAT} login <key.txt`,
    )
    .action((url: string | undefined, options: LoginOptions) => login(process.env, url, options));
}

async function login(
  env: Environment,
  url: string | undefined,
  options: LoginOptions,
): Promise<void> {
  const { config } = openHome(env, process.platform);
  const settings = readSettings(config);
  const server = serverUrl(url ?? env["DATACAT_URL"] ?? settings.server ?? DEFAULT_SERVER);
  if (!/^https?:\/\/[^/\s]+/.test(server)) {
    throw new Trouble(
      "usage",
      `${server} is not a server's address, for example https://datacat.example.com`,
    );
  }
  const key = options.key ?? (await askForKey(server));
  const allowed = await tryKey(env, server, key);

  const keys = { ...settings.keys };
  if (key === "") delete keys[server];
  else keys[server] = key;
  saveSettings(config, { ...settings, server, keys });
  if (options.json) return printJson({ server, can: allowed, config });
  print(
    `${redactText(server)} accepts this key: it may ${allowed.join(" and ")}. Stored in ${config}.`,
  );
  if (env["DATACAT_URL"] && serverUrl(env["DATACAT_URL"]) !== server) {
    print(`But DATACAT_URL is set to ${env["DATACAT_URL"]}, which is used instead.`);
  }
}

/** From standard input if that is a pipe; else typed, without being shown. */
async function askForKey(server: string): Promise<string> {
  if (!process.stdin.isTTY) {
    let text = "";
    for await (const chunk of process.stdin) text += String(chunk);
    return text.trim();
  }
  process.stderr.write(`API key for ${server} (empty for none): `);
  const lines = createInterface({ input: process.stdin, terminal: true });
  try {
    return (await lines.question("")).trim();
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}

/** What the key may do: tried with a request that changes nothing. */
async function tryKey(env: Environment, server: string, key: string): Promise<string[]> {
  const other = new Server({ ...env, DATACAT_URL: server, DATACAT_KEY: key });
  try {
    const { status, body } = await other.ask("/api/sessions?limit=1", REQUEST_TIMEOUT_MS);
    if (status === 200) return ["read"];
    // The server knows the key, but it may only write.
    if (status === 403 && body.includes("forbidden")) return ["write"];
    throw new Trouble(
      "not_allowed",
      `${server} refuses this key (it answered ${status}). Create one on its settings page.`,
    );
  } finally {
    await other.close();
  }
}
