/** `serve()`: the Worker on this machine. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer, type Server as NetServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AlreadyServing, claim } from "../../../daemon/serve/claim.ts";
import { findAddresses } from "../../../daemon/serve/port.ts";
import { minuteOf, untilMinute } from "../../../daemon/serve/schedule.ts";
import { PortTaken, serve } from "../../../daemon/serve/serve.ts";
import type { ProcessInfo } from "../../../daemon/watch/process-info.ts";
import { listProcesses } from "../../../daemon/watch/processes.ts";

class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "datacat-serve-"));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

test("answers on both loopback addresses and on no other, with its catalog migrated", async () => {
  using folder = new Folder();
  const server = await serve({ data: folder.path });
  try {
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
      const health = await fetch(`http://${host}:${server.port}/health`);
      expect(await health.json()).toMatchObject({ service: "datacat-server" });
    }
    for (const { address, internal, family } of Object.values(networkInterfaces()).flatMap(
      (one) => one ?? [],
    )) {
      if (internal || family !== "IPv4") continue;
      await expect(fetch(`http://${address}:${server.port}/health`)).rejects.toThrow();
    }
    expect(await (await fetch(`${server.url}/api/sessions`)).json()).toMatchObject({ items: [] });
    expect(await statusFor(server.port, "localhost")).toBe(200);
    expect(await statusFor(server.port, "evil.example")).toBe(403);
    await server.fire(); // what the cron trigger runs
  } finally {
    await server.stop();
  }
});

test("what was stored is there after a stop and a start, and nothing of it is left running", async () => {
  using folder = new Folder();
  const first = await serve({ data: folder.path });
  const body = JSON.stringify({ product: "kept", version: "1" });
  const made = await fetch(`${first.url}/api/sessions`, { method: "POST", body });
  const { session_id } = (await made.json()) as { session_id: string };
  await first.stop();
  expect(listProcesses().filter(isOurWorkerd)).toEqual([]);

  const second = await serve({ data: folder.path, port: first.port });
  try {
    const summary = await fetch(`${second.url}/api/sessions/${session_id}/summary`);
    expect(await summary.json()).toMatchObject({ product: "kept" });
  } finally {
    await second.stop();
  }
});

test("a data folder is served by one server at a time", async () => {
  using folder = new Folder();
  const release = claim(folder.path, "http://localhost:1234");
  expect(() => claim(folder.path, "http://localhost:5678")).toThrow(AlreadyServing);
  expect(() => claim(folder.path, "http://localhost:5678")).toThrow(/http:\/\/localhost:1234/);
  release();
  claim(folder.path, "http://localhost:5678")();
});

test.each([
  ["of a process that is gone", '{"pid":999999999,"started":"1","url":"x"}'],
  [
    "of a process whose number is another's now",
    `{"pid":${process.pid},"started":"never","url":"x"}`,
  ],
  ["that was cut off", '{"pid":'],
])("a claim %s is no claim", (_, text) => {
  using folder = new Folder();
  writeFileSync(join(folder.path, "server.json"), text);
  claim(folder.path, "http://localhost:5678");
  expect(readFileSync(join(folder.path, "server.json"), "utf8")).toContain("5678");
});

test("a port that another program has is refused by name, on either address", async () => {
  for (const host of ["127.0.0.1", "::1"]) {
    const other = createServer();
    const port = await listen(other, host);
    expect(await findAddresses(port)).toBeUndefined();
    using folder = new Folder();
    await expect(serve({ data: folder.path, port })).rejects.toThrow(PortTaken);
    await new Promise((resolve) => other.close(resolve));
  }
});

test("hourly triggers are due at their minute", () => {
  expect(minuteOf("17 * * * *")).toBe(17);
  expect(() => minuteOf("*/5 * * * *")).toThrow(/only fire hourly/);
  const at = (time: string) => Date.parse(`2026-11-23T${time}Z`);
  expect(untilMinute(17, at("10:16:59"))).toBe(1_000);
  expect(untilMinute(17, at("10:17:00"))).toBe(60 * 60_000);
  expect(untilMinute(17, at("10:18:00"))).toBe(59 * 60_000);
});

function isOurWorkerd({ pid, parent, state }: ProcessInfo): boolean {
  if (parent !== process.pid || state === "ended" || process.platform !== "linux") return false;
  return readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd");
}

/** `fetch` sends the right Host header; this sends any. */
function statusFor(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/api/sessions", headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on("error", reject);
  });
}

function listen(server: NetServer, host: string): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
