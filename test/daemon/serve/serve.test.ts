/** `serve()`: the Worker on this machine. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:http";
import { createServer, type Server as NetServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SHOWS_PEERS } from "../../../daemon/peer.ts";
import { AlreadyServing, claim } from "../../../daemon/serve/claim.ts";
import { findAddresses } from "../../../daemon/serve/port.ts";
import { minuteOf, untilMinute } from "../../../daemon/serve/schedule.ts";
import { PortTaken, serve } from "../../../daemon/serve/serve.ts";
import type { ProcessInfo } from "../../../daemon/watch/process-info.ts";
import { listProcesses } from "../../../daemon/watch/processes.ts";
import { MAX_BATCHES } from "../../../src/core/limits.ts";
import { EVICTED_AT_ONCE, MAX_RESIDENT } from "../../../src/session/limits.ts";
import { asRoot, askAsSecondUser } from "../../second-user.ts";

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

test.runIf(process.platform === "linux")(
  "few session objects stay in memory, whatever their number, and each goes on afterwards",
  async () => {
    using folder = new Folder();
    const server = await serve({ data: folder.path });
    try {
      const [workerd] = listProcesses().filter(isOurWorkerd);
      const children = listProcesses()
        .filter(({ parent, state }) => parent === process.pid && state !== "ended")
        .map(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8").trim());
      expect(children.toSorted()).toEqual(["sh", "workerd"]); // esbuild has ended
      const openFiles = () =>
        new Set(
          readdirSync(`/proc/${workerd?.pid}/fd`)
            .map((fd) => readLinkOf(`/proc/${workerd?.pid}/fd/${fd}`))
            .filter((path) => /datacat-Session\/[0-9a-f]{64}\.sqlite$/.test(path)),
        ).size;
      const send = async (from: number, ops: object[], first = 1) => {
        const batches = Array.from({ length: MAX_BATCHES }, (_, n) => ({
          session: `session-${from + n}`,
          lane: "lane",
          first,
          last: first + ops.length - 1,
          ops,
        }));
        const body = JSON.stringify({ batches });
        const answer = await fetch(`${server.url}/api/ingest`, { method: "POST", body });
        const { results } = (await answer.json()) as { results: { applied: number }[] };
        expect(new Set(results.map(({ applied }) => applied))).toEqual(
          new Set([first + ops.length - 1]),
        );
      };
      const at = Date.now();
      const [start, end] = [
        { op: "start", at, product: "game" },
        { op: "end", at: at + 1 },
      ];

      for (let from = 0; from < 2 * MAX_BATCHES; from += MAX_BATCHES)
        await send(from, [start, end]);
      await expect.poll(openFiles).toBeLessThan(EVICTED_AT_ONCE); // every one of them is over

      const most = MAX_RESIDENT + 2 * EVICTED_AT_ONCE;
      for (let from = 1_000; from < 1_000 + most; from += MAX_BATCHES) await send(from, [start]);
      await expect.poll(openFiles).toBeLessThan(MAX_RESIDENT + 2 * EVICTED_AT_ONCE); // these run
      await send(1_000, [end], 2); // the first ones, which were evicted
    } finally {
      await server.stop();
    }
  },
);

function readLinkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}

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

asRoot(SHOWS_PEERS)(
  "another user of the machine needs the token, and gets a cookie for it",
  async () => {
    using folder = new Folder();
    const server = await serve({ data: folder.path });
    try {
      const { url, token } = server;
      const refused = await askAsSecondUser(`${url}/api/sessions`);
      expect([refused.status, refused.body]).toEqual([
        401,
        expect.stringContaining("unauthorized"),
      ]);
      const written = await askAsSecondUser(`${url}/api/sessions`, { method: "POST", body: "{}" });
      expect(written.status).toBe(401);
      expect(await askAsSecondUser(`${url}/sessions`)).toMatchObject({
        status: 302,
        location: "/login?back=%2Fsessions",
      });
      expect((await askAsSecondUser(`${url}/?token=wrong`)).cookie).toBe("");
      expect((await askAsSecondUser(`${url}/health`)).status).toBe(200);

      const authorization = `Bearer ${token}`;
      const headers = { authorization };
      expect((await askAsSecondUser(`${url}/api/sessions`, { headers })).status).toBe(200);
      const signedIn = await askAsSecondUser(`${url}/sessions?page=2&token=${token}`);
      expect(signedIn).toMatchObject({ status: 303, location: "/sessions?page=2" });
      const cookie = signedIn.cookie.replace(/;.*/, "");
      expect((await askAsSecondUser(`${url}/settings`, { headers: { cookie } })).status).toBe(200);

      // workerd's other ports: one that Miniflare needs for itself, and its control port.
      for (const port of listeningPorts(server.port)) {
        const answer = await askAsSecondUser(`http://127.0.0.1:${port}/api/sessions`);
        expect([401, 403], `port ${port}`).toContain(answer.status);
      }
    } finally {
      await server.stop();
    }
  },
);

test("a browser stays signed in after the server was started again", async () => {
  using folder = new Folder();
  const first = await serve({ data: folder.path });
  await first.stop();
  const second = await serve({ data: folder.path });
  await second.stop();
  expect(second.token).toBe(first.token);
  expect(statSync(join(folder.path, "token")).mode & 0o777).toBe(0o600);
});

test.skipIf(process.platform === "win32")("the data folder is closed to other users", () => {
  using folder = new Folder();
  const inner = join(folder.path, "do/datacat-Session");
  mkdirSync(inner, { recursive: true });
  writeFileSync(join(inner, "x.sqlite"), "", { mode: 0o666 });
  writeFileSync(join(folder.path, "notes.txt"), "", { mode: 0o644 });
  for (const path of [folder.path, join(folder.path, "do"), inner]) chmodSync(path, 0o777);
  symlinkSync("/etc", join(inner, "link"));

  claim(folder.path, "http://localhost:1234")();
  const modeOf = (path: string) => statSync(join(folder.path, path)).mode & 0o777;
  expect([modeOf("."), modeOf("do"), modeOf("do/datacat-Session")]).toEqual([0o700, 0o700, 0o700]);
  expect(modeOf("do/datacat-Session/x.sqlite")).toBe(0o600);
  expect(modeOf("notes.txt"), "not the server's").toBe(0o644);
  expect(statSync("/etc").mode & 0o777).toBe(0o755);
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

/** The loopback ports of this process and its children, except `known`. */
function listeningPorts(known: number): number[] {
  const pids = listProcesses().filter(({ pid, parent }) => [pid, parent].includes(process.pid));
  const inodes = new Set(pids.flatMap(({ pid }) => socketsOf(pid)));
  const rows = readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1);
  return rows.flatMap((row) => {
    const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/ +/);
    const port = Number.parseInt(local.split(":")[1] ?? "", 16);
    return state === "0A" && inodes.has(inode) && port !== known ? [port] : [];
  });
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, name)))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

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
