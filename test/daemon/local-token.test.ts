/** How programs of one user find the token of the server that this user runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homeAt } from "../../daemon/home.ts";
import { findToken, publishToken } from "../../daemon/local-token.ts";
import { SHOWS_PEERS } from "../../daemon/peer.ts";
import { Uploader } from "../../daemon/send/uploader.ts";
import { asRoot, SECOND_UID } from "../second-user.ts";

function newHome() {
  const folder = mkdtempSync(join(tmpdir(), "datacat-token-"));
  const close = () => rmSync(folder, { recursive: true, force: true });
  return { ...homeAt(folder), [Symbol.dispose]: close };
}

test("a server's token is found while its process runs, under each name of this machine", () => {
  using home = newHome();
  const takeBack = publishToken(home, "http://localhost:8080", "secret");
  for (const name of ["localhost", "127.0.0.1", "[::1]"])
    expect(findToken(home, `http://${name}:8080`)).toBe("secret");
  for (const other of ["http://localhost:8081", "https://localhost:8080", "http://far:8080", "x"])
    expect(findToken(home, other), other).toBeUndefined();
  const path = join(home.folder, "servers/8080.json");
  if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);

  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/"pid":\d+/, '"pid":999999999'));
  expect(findToken(home, "http://localhost:8080"), "its process is gone").toBeUndefined();
  writeFileSync(path, text);
  takeBack();
  expect(findToken(home, "http://localhost:8080")).toBeUndefined();
});

test("the daemon sends it to that server, unless it has a key", async () => {
  using home = newHome();
  const asked: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    asked.push(headers.authorization);
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on a port
  publishToken(home, url, "secret");
  for (const keys of [{}, { [url]: "own" }]) {
    const uploader = new Uploader({ env: {}, home, keys, insecureServer: undefined });
    await uploader.get(url, "/health", 10_000);
    await uploader.close();
  }
  server.close();
  expect(asked).toEqual(["Bearer secret", "Bearer own"]);
});

asRoot(SHOWS_PEERS)(
  "nothing is sent to another user who listens on the server's port",
  async () => {
    using home = newHome();
    const script = `const server = require("node:http").createServer((_, answer) => answer.end("{}"));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
setTimeout(() => process.exit(), 30_000);`;
    const impostor = spawn(process.execPath, ["-e", script], {
      uid: SECOND_UID,
      gid: SECOND_UID,
      cwd: "/",
    });
    const [port] = (await once(impostor.stdout, "data")) as [Buffer];
    const url = `http://127.0.0.1:${String(port).trim()}`;
    const uploader = new Uploader({ env: {}, home, keys: {}, insecureServer: undefined });
    await expect(uploader.get(url, "/health", 10_000)).rejects.toThrow("another user");
    expect(await uploader.ingest(url, "{}")).toMatchObject({ kind: "unreachable" });
    await uploader.close();
    // With a key it is a server that its user trusts.
    const trusting = new Uploader({
      env: {},
      home,
      keys: { [url]: "k" },
      insecureServer: undefined,
    });
    expect((await trusting.get(url, "/health", 10_000)).status).toBe(200);
    await trusting.close();
    impostor.kill();
  },
);
