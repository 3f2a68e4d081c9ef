import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { openTransport, type Transport } from "../../../daemon/send/transport.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

test("a server that has only IPv6 is reached", async () => {
  const server = createServer((_, response) => response.end("hello"));
  const port = await listening(server, "::1");
  const transport = openTransport({}, false);
  const answer = await transport.send(asking(`http://[::1]:${port}/x`));
  expect(answer).toMatchObject({ status: 200, body: "hello" });
  await transport.close();
  server.close();
});

test("the proxy of the environment is used, but not for this machine", async () => {
  const far = createServer((request, response) => response.end(`${request.method} ${request.url}`));
  const farPort = await listening(far, "127.0.0.1");
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("through the proxy");
  });
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const onward = connect(farPort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
  });
  const proxyPort = await listening(proxy, "127.0.0.1");
  const transport = openTransport({ http_proxy: `http://127.0.0.1:${proxyPort}` }, false);
  expect((await transport.send(asking("http://datacat.test/x"))).status).toBe(200);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain("datacat.test");
  const direct = await transport.send(asking(`http://localhost:${farPort}/y`));
  expect(direct.body).toBe("GET /y");
  expect(asked).toHaveLength(1);
  await transport.close();
  proxy.close();
  far.close();
});

test.runIf(hasOpenssl)(
  "a private certificate authority is trusted, an unknown one is not",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "datacat-tls-"));
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const made = spawnSync("openssl", [
      ..."req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost".split(" "),
      ..."-addext subjectAltName=DNS:localhost".split(" "),
      "-keyout",
      key,
      "-out",
      certificate,
    ]);
    expect(made.status).toBe(0);
    const server = createSecureServer(
      { key: readFileSync(key), cert: readFileSync(certificate) },
      (_, response) => response.end("secure"),
    );
    const port = await listening(server, "localhost");
    const url = `https://localhost:${port}/`;

    const stranger = openTransport({}, false);
    await expect(stranger.send(asking(url))).rejects.toThrow(/self-signed/);
    const trusting = openTransport({ SSL_CERT_FILE: certificate }, false);
    expect((await trusting.send(asking(url))).body).toBe("secure");
    const insecure = openTransport({}, true);
    expect((await insecure.send(asking(url))).body).toBe("secure");
    for (const transport of [stranger, trusting, insecure]) await transport.close();
    server.close();
  },
);

test("a server that never answers ends in a timeout", async () => {
  const server = createServer(() => {});
  const port = await listening(server, "127.0.0.1");
  const transport = openTransport({}, false);
  const request = { ...asking(`http://127.0.0.1:${port}/`), timeoutMs: 200 };
  await expect(transport.send(request)).rejects.toThrow();
  await transport.close();
  server.closeAllConnections();
  server.close();
});

test("a long answer is received part by part, at the pace of its receiver", async () => {
  const total = 64 * 1024 * 1024;
  let sent = 0;
  const server = createServer((_, response) => {
    const send = () => {
      while (sent < total) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536))) return;
      }
      response.end();
    };
    response.on("drain", send);
    send();
  });
  const port = await listening(server, "127.0.0.1");
  const transport = openTransport({}, false);
  let received = 0;
  let ahead = 0;
  const receive = async (part: Buffer) => {
    ahead = Math.max(ahead, sent - received);
    received += part.length;
    await setImmediate();
  };
  const answer = await transport.send({ ...asking(`http://127.0.0.1:${port}/`), receive });
  expect(answer).toMatchObject({ status: 200, body: "" });
  expect(received).toBe(total);
  expect(ahead).toBeLessThan(total / 2);
  await transport.close();
  server.close();
});

test("a receiver that fails ends the request with its error, and does not get a refusal", async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/refused" ? 404 : 200;
    response.end("text");
  });
  const port = await listening(server, "127.0.0.1");
  const transport = openTransport({}, false);
  const receive = () => {
    throw new Error("disk full");
  };
  const asked = (path: string) => asking(`http://127.0.0.1:${port}${path}`);
  await expect(transport.send({ ...asked("/"), receive })).rejects.toThrow("disk full");
  expect(await transport.send({ ...asked("/refused"), receive })).toMatchObject({
    status: 404,
    body: "text",
  });
  await transport.close();
  server.close();
});

test("a connection that the server closed meanwhile costs no failure", async () => {
  const server = createServer({ keepAliveTimeout: 1 }, (_, response) => response.end("ok"));
  const port = await listening(server, "127.0.0.1");
  const transport = openTransport({}, false);
  for (let i = 0; i < 20; i++) {
    expect((await transport.send(asking(`http://127.0.0.1:${port}/`))).body).toBe("ok");
    await new Promise((resolve) => setTimeout(resolve, i));
  }
  await transport.close();
  server.close();
});

test.each([
  ["is closed by the sender", (transport: Transport) => transport.close()],
  ["waits too long for an answer", () => Promise.resolve()],
])("a request on a kept connection that %s is not sent again", async (_, then) => {
  let requests = 0;
  const server = createServer((_request, response) => {
    if (++requests === 1) response.end("ok");
  });
  const port = await listening(server, "127.0.0.1");
  const transport = openTransport({}, false);
  const request = asking(`http://127.0.0.1:${port}/`);
  await transport.send(request);
  const second = expect(transport.send({ ...request, timeoutMs: 500 })).rejects.toThrow();
  await expect.poll(() => requests).toBe(2);
  await then(transport);
  await second;
  await setImmediate();
  expect(requests).toBe(2);
  await transport.close();
  server.closeAllConnections();
  server.close();
});

function asking(url: string) {
  return { url: new URL(url), headers: {}, timeoutMs: 10_000 };
}

async function listening(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // listening on a port
}
