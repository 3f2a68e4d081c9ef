/**
 * A process that loads a server, so that neither the server nor the benchmark shares its processor time with the client. One connection for
 * each client, the next request after the answer. Prints a LoadResult.
 *
 *   node load.ts '{"port":8080,"method":"POST","path":"/…","body":"…","clients":16,"count":1000}'
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";

export type Load = {
  port: number;
  path: string;
  /** Posted. Without one, and without `sessions`, the request is a GET. */
  body?: string;
  /** Each request carries as many new sessions, whole, with this prefix of their ids. */
  sessions?: { prefix: string; atOnce: number };
  clients: number;
  /** Requests of all clients together. */
  count: number;
};

/** `times`: of each request, in ms. */
export type LoadResult = { seconds: number; times: number[] };

const SCRIPT = import.meta.filename;

/** Runs a load in a process of its own. Throws if an answer is not 2xx or has an error. */
export async function load(job: Load): Promise<LoadResult> {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(job)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, [code]] = await Promise.all([textOf(child), once(child, "close")]);
  if (code !== 0) throw new Error(`The load of ${job.path} failed.`);
  return JSON.parse(output) as LoadResult;
}

async function textOf({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const part of stdout ?? []) text += String(part);
  return text;
}

async function run(job: Load): Promise<LoadResult> {
  const times: number[] = [];
  const started = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: job.clients }, async () => {
      const socket = connect({ port: job.port, host: "127.0.0.1", noDelay: true });
      socket.on("error", fail);
      socket.on("end", () => fail(new Error("The server closed a connection.")));
      await once(socket, "connect");
      while (next < job.count) {
        const request = requestOf(job, next++);
        const sent = performance.now();
        socket.write(request);
        const answer = await answerOf(socket);
        times.push(performance.now() - sent);
        if (!answer.startsWith("HTTP/1.1 2") || answer.includes('"error"')) throw new Error(answer);
      }
      socket.destroy();
    }),
  );
  return { seconds: (performance.now() - started) / 1_000, times };
}

function fail(error: Error): never {
  console.error(error.message);
  process.exit(1);
}

function requestOf({ port, path, body, sessions }: Load, n: number): Buffer {
  const content = sessions
    ? gzipSync(JSON.stringify(wholeSessions(sessions.prefix, n * sessions.atOnce, sessions.atOnce)))
    : Buffer.from(body ?? "");
  const lines = [
    `${content.length > 0 ? "POST" : "GET"} ${path} HTTP/1.1`,
    `Host: localhost:${port}`,
    ...(sessions ? ["Content-Encoding: gzip"] : []),
    ...(content.length > 0 ? [`Content-Length: ${content.length}`] : []),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), content]);
}

/** The whole answer as text: its length is declared, or it ends with an empty chunk. */
function answerOf(socket: ReturnType<typeof connect>): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const take = (part: Buffer) => {
      answer += part.toString("latin1");
      const end = answer.indexOf("\r\n\r\n");
      if (end < 0) return;
      const declared = /^content-length: (\d+)/im.exec(answer.slice(0, end))?.[1];
      const isWhole =
        declared === undefined
          ? answer.endsWith("\r\n0\r\n\r\n")
          : answer.length >= end + 4 + Number(declared);
      if (!isWhole) return;
      socket.off("data", take);
      resolve(answer);
    };
    socket.on("data", take);
  });
}

/** Sessions that open, record 50 ops, and end. */
function wholeSessions(prefix: string, from: number, count: number) {
  const at = Date.now();
  const ops: object[] = [{ op: "start", at, product: "game", version: "1.0" }];
  for (let n = 0; n < 50; n++) {
    if (n % 10 === 0) ops.push({ op: "state", at: at + n, patch: { level: n } });
    else if (n % 5 === 1) ops.push({ op: "event", at: at + n, name: `door_${n % 4}` });
    else ops.push({ op: "metric", at: at + n, type: "gauge", name: "fps", value: 60 + n });
  }
  ops.push({ op: "end", at: at + 60 });
  const batches = Array.from({ length: count }, (_, n) => {
    const session = `${prefix}-${from + n}`;
    return { session, lane: session, first: 1, last: ops.length, ops };
  });
  return { sent_at: at, batches };
}

if (process.argv[1] === SCRIPT)
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "") as Load)));
