/**
 * What an attachment of 10 MiB costs the whole server: processor time and rows of its upload in chunks, and of its download, beside an empty
 * request; and the memory of workerd while several are downloaded at once. Linux only (/proc).
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../../daemon/serve/serve.ts";
import { ATTACHMENT_CHUNK_BYTES } from "../../src/core/limits.ts";
import { cpuMs, residentMiB } from "./cpu.ts";

const SIZE = 10 * 1024 * 1024;
const CHUNKS = SIZE / ATTACHMENT_CHUNK_BYTES;
/** Five of them are what a session may have. */
const SESSIONS = 4;
const EACH = 5;
const AT_ONCE = 8;

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const server = await serve({ data });
try {
  const content = new Uint8Array(randomBytes(SIZE));
  const sha256 = createHash("sha256").update(content).digest("hex");
  const files = Array.from({ length: SESSIONS }, (_, n) => n).flatMap((session) =>
    Array.from({ length: EACH }, (_, n) => ({ session: `bench-${session}`, id: `a.${n}` })),
  );
  const pathOf = ({ session, id }: (typeof files)[number]) =>
    `${server.url}/api/sessions/${session}/attachments/${id}`;
  for (let n = 0; n < SESSIONS; n++) await announce(`bench-${n}`);
  const rowsBefore = await rows();

  const upload = await cpuOf(files.length, async (n) => {
    const file = files[n];
    for (let chunk = 0; file && chunk < CHUNKS; chunk++) {
      const from = chunk * ATTACHMENT_CHUNK_BYTES;
      const body = content.subarray(from, from + ATTACHMENT_CHUNK_BYTES);
      const answer = await fetch(`${pathOf(file)}/chunks/${chunk}`, { method: "PUT", body });
      if (!answer.ok) throw new Error(await answer.text());
    }
  });
  const rowsEach = ((await rows()) - rowsBefore) / files.length;
  const download = async (n: number) => {
    const file = files[n % files.length];
    const received = file && (await (await fetch(pathOf(file))).arrayBuffer());
    if (received?.byteLength !== SIZE) throw new Error("The download is not whole.");
  };
  const downloaded = await cpuOf(files.length, download);
  const empty = await cpuOf(200, async () => {
    await (await fetch(`${server.url}/health`)).arrayBuffer();
  });
  const before = residentMiB("workerd");
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, residentMiB("workerd"))), 20);
  await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => download(n)));
  clearInterval(watch);

  console.log("\n| an attachment of 10 MiB | |\n| --- | ---: |");
  console.log(`| processor time of its upload in ${CHUNKS} chunks | ${upload.toFixed(0)} ms |`);
  console.log(`| of its download | ${downloaded.toFixed(0)} ms |`);
  console.log(`| of an empty request | ${empty.toFixed(2)} ms |`);
  console.log(`| rows written by the object | ${rowsEach.toFixed(1)} |`);
  console.log(
    `| memory of workerd, ${AT_ONCE} downloads at once (${AT_ONCE * 10} MiB) | ${(most - before).toFixed(0)} MiB more |`,
  );

  async function announce(session: string): Promise<void> {
    const at = Date.now();
    const ops = Array.from({ length: EACH }, (_, n) => ({
      op: "attachment",
      at,
      id: `a.${n}`,
      name: "core.dump",
      size: SIZE,
      sha256,
    }));
    const batch = {
      session,
      lane: "l",
      first: 1,
      last: EACH + 1,
      ops: [{ op: "start", at }, ...ops],
    };
    const body = JSON.stringify({ batches: [batch] });
    const answer = await fetch(`${server.url}/api/ingest`, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
  }

  async function rows(): Promise<number> {
    let sum = 0;
    for (let n = 0; n < SESSIONS; n++) {
      const answer = await fetch(`${server.url}/api/sessions/bench-${n}/summary`);
      sum += ((await answer.json()) as { rows_written: number }).rows_written;
    }
    return sum;
  }
} finally {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}

async function cpuOf(rounds: number, work: (round: number) => Promise<void>): Promise<number> {
  const before = cpuMs("workerd");
  for (let i = 0; i < rounds; i++) await work(i);
  return (cpuMs("workerd") - before) / rounds;
}
