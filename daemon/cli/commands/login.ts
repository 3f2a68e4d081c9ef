/** `datacat login`: which server, and the key for it, kept in the home for the daemon and these commands. */
import { createInterface } from "node:readline/promises";
import { readSettings, saveSettings, serverUrl } from "../../config.ts";
import { type Environment, openHome } from "../../home.ts";
import { REQUEST_TIMEOUT_MS } from "../limits.ts";
import { Server } from "../server.ts";
import { print, printJson } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

export type LoginOptions = { key?: string; json?: boolean };

export async function login(
  env: Environment,
  given: string | undefined,
  options: LoginOptions,
): Promise<void> {
  const { config } = openHome(env, process.platform);
  const settings = readSettings(config);
  const server = serverUrl(
    given ?? env["DATACAT_URL"] ?? settings.server ?? "http://localhost:8080",
  );
  if (!/^https?:\/\/[^/\s]+/.test(server)) {
    throw new Trouble(
      "usage",
      `${server} is not a server's address; they look like https://datacat.example.com`,
    );
  }
  const key = options.key ?? (await askForKey(server));
  const can = await tryKey(env, server, key);

  const keys = { ...settings.keys };
  if (key === "") delete keys[server];
  else keys[server] = key;
  saveSettings(config, { ...settings, server, keys });
  if (options.json) return printJson({ server, can, config });
  print(`${server} knows this key: it may ${can.join(" and ")}. Kept in ${config}.`);
  if (env["DATACAT_URL"] && serverUrl(env["DATACAT_URL"]) !== server) {
    print(`But DATACAT_URL is set to ${env["DATACAT_URL"]}, and goes first.`);
  }
}

/** From standard input when that is a pipe; else typed, and not shown. */
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

/** What the key may do: asked with harmless requests. */
async function tryKey(env: Environment, server: string, key: string): Promise<string[]> {
  const asked = new Server({ ...env, DATACAT_URL: server, DATACAT_KEY: key });
  try {
    const { status, body } = await asked.ask("/api/sessions?limit=1", REQUEST_TIMEOUT_MS);
    if (status === 200) return ["read"];
    // A key that may only write is known, and told so.
    if (status === 403 && body.includes("forbidden")) return ["write"];
    throw new Trouble(
      "not_allowed",
      `${server} does not know this key (it answered ${status}). Make one on its settings page.`,
    );
  } finally {
    await asked.close();
  }
}
