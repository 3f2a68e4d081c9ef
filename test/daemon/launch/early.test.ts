/** A private daemon listens before it is loaded, because clients of 1.x connect once, a second after they started it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { newNode, oldNode } from "./nodes.ts";

const root = join(import.meta.dirname, "../../..");
const PROGRAM = join(root, "daemon/launch/datacat-daemon.mjs");

class Program {
  readonly folder = mkdtempSync(join(tmpdir(), "datacat-early-"));
  readonly #children: ChildProcess[] = [];

  configure(config: object): void {
    writeFileSync(join(this.folder, "daemon_config.json"), JSON.stringify(config));
  }

  start(node: string, home = "home"): ChildProcess {
    const own = { DATACAT_HOME: join(this.folder, home), DATACAT_CONFIG: "daemon_config.json" };
    const env = { ...process.env, ...own };
    const child = spawn(node, [PROGRAM], { cwd: this.folder, env, stdio: "pipe" });
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test.each([newNode, ...(oldNode ? [oldNode] : [])])(
  "the first request is answered, however early it arrives: %s",
  async (node) => {
    await using program = new Program();
    const port = await freePort();
    program.configure({ daemon_port: String(port), server_url: "http://127.0.0.1:1" });
    program.start(node);
    expect(await firstAnswer("127.0.0.1", port)).toMatch(/^HTTP\/1.1 200 .*"status":"ok"/s);
    expect(await firstAnswer("localhost", port)).toMatch(/^HTTP\/1.1 200 /);
  },
);

test("a second daemon on a taken port reports that in one line and ends", async () => {
  await using program = new Program();
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo; // listening on a port
  program.configure({ daemon_port: port, server_url: "http://127.0.0.1:1" });
  const child = program.start(newNode);
  let stderr = "";
  child.stderr?.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const [code] = (await once(child, "close")) as [number];
  other.close();
  expect([code, stderr.trimEnd().split("\n").length]).toEqual([1, 1]);
  expect(stderr).toContain(`datacat-daemon: port ${port} is taken by another program`);
});

/** The answer to a request on the first connection that succeeds. */
async function firstAnswer(host: string, port: number): Promise<string> {
  for (;;) {
    const socket = connect(port, host);
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    socket.on("error", () => {});
    socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => socket.once("close", resolve));
    if (text !== "") return text;
    await sleep(5);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // listening on a port
  server.close();
  await once(server, "close");
  return port;
}
