/** Session files with the real command: read without a server, and moved from one server to another. */
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { CODEC } from "../../daemon/cli/session/codec.ts";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import type { Summary } from "../../src/core/answers/summary.ts";
import type { FileHeader } from "../../src/core/session-file/header.ts";
import { MAX_HEADER_BYTES } from "../../src/core/session-file/limits.ts";
import {
  packJson,
  PART,
  PartReader,
  PartWriter,
  unpackJson,
} from "../../src/core/session-file/parts.ts";
import { packSegment, readSegment } from "../../src/core/session-file/segment-part.ts";
import { SIGNATURE } from "../../src/core/session-file/signature.ts";
import type { SessionIndex } from "../../src/core/session/session-index.ts";
import { type Ran, World } from "./world.ts";

/** A command that attaches a file, prints, and fails. */
const COMMAND = `for i in 1 2 3; do echo "step $i"; done; dd if=/dev/urandom of=shot.bin bs=1000 count=1500 2>/dev/null; exit 3`;

async function recorded(world: World): Promise<string> {
  await world.startServer();
  const run = ["run", "--product", "moved", "--attach", "shot.bin", "--", "sh", "-c", COMMAND];
  await world.run(run);
  const isWhole = async ({ id, product, status }: SessionRow) =>
    product === "moved" &&
    status === "ended" &&
    (await world.summary(id)).ledger.attachments?.arrived === 1;
  for (;;) {
    const row = await world.findSession(
      ({ product, status }) => product === "moved" && status === "ended",
    );
    if (await isWhole(row)) return row.id;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("a file shows what the server shows, without one, and another server gets the same session", async () => {
  await using one = await World.make();
  await using other = await World.make();
  const id = await recorded(one);
  const file = join(one.folder, "moved.datacat");
  expect(await one.run(["export", id, "-o", file])).toMatchObject({ code: 0 });

  const offline = (...args: string[]) =>
    one.run(args, { env: { DATACAT_URL: "http://localhost:1" } });
  const place = new RegExp(`^.*(${one.url}|moved\\.datacat).*$`, "m");
  const shown = ({ stdout, stderr, code }: Ran) => ({
    code,
    stderr,
    text: stdout.replace(place, "PLACE"),
  });
  for (const args of [
    ["show"],
    ["why"],
    ["why", "FILE", "-n", "3"],
    ["tail"],
    ["tail", "FILE", "message:step*"],
    ["attachments"],
    ["show", "FILE", "--at", "-10ms"],
    ["export"],
    ["export", "FILE", "--format", "json"],
    ["export", "FILE", "--table", "metrics_wide"],
  ]) {
    const [command = "", , ...rest] = args;
    const [there, here] = [
      await one.run([command, id, ...rest]),
      await offline(command, file, ...rest),
    ];
    expect(here.code, here.stderr).toBe(0);
    // What a server's storage takes is not what a file takes, and a file is as of its export.
    const same = (text: string) =>
      text.replace(/"(bytes|rows_written|status_ms|last_at)":\d+/g, "").replace(/-\d+ ms/g, "");
    expect(same(shown(here).text), args.join(" ")).toBe(same(shown(there).text));
  }
  expect((await offline("show", file)).stdout).toMatch(/moved\.datacat, exported \d{4}-/);
  expect((await offline("show", file)).stdout).toMatch(
    /^Timeline .*\n(?:.*\n)?events +[ ▁-█]+ \d+$/m,
  );

  const folder = join(one.folder, "attached");
  await offline("attachments", file, "--download", folder);
  const [name = ""] = readdirSync(folder);
  expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(one.folder, "shot.bin")));

  await other.startServer();
  const first = await other.run(["import", file]);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain(`datacat: ${other.url}/sessions/${id}`);
  const own = ({ bytes: _b, rows_written: _r, status_ms: _s, ...rest }: Summary) => rest;
  expect(own(await other.summary(id))).toEqual(own(await one.summary(id)));
  expect(await other.state(id)).toEqual(await one.state(id));
  expect(await other.series(id)).toEqual(await one.series(id));
  expect((await other.run(["export", id, "--format", "csv"])).stdout).toBe(
    (await one.run(["export", id, "--format", "csv"])).stdout,
  );

  expect((await other.run(["import", file])).stdout).toContain("is on the server already");
  const renamed = await other.run(["import", file, "--as-new-id", "--json"]);
  const [line] = JSON.parse(renamed.stdout) as [{ session: string; imported: boolean }];
  expect(line).toMatchObject({ imported: true, session: expect.not.stringMatching(id) });
  expect((await other.summary(line.session)).counts).toEqual((await one.summary(id)).counts);

  await fetch(`${other.url}/api/sessions/${id}`, { method: "DELETE" });
  expect(await other.run(["import", file])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("was deleted"),
  });
});

test("what is left of a file that was cut off or damaged is shown, and named as incomplete", async () => {
  await using world = await World.make();
  const id = await recorded(world);
  const file = join(world.folder, "whole.datacat");
  await world.run(["export", id, "-o", file]);
  const whole = readFileSync(file);
  const cut = join(world.folder, "cut.datacat");
  writeFileSync(cut, whole);

  truncateSync(cut, Math.floor(whole.length * 0.6));
  const shown = await world.run(["why", cut]);
  expect(shown.code, shown.stderr).toBe(0);
  expect(shown.stdout).toMatch(
    /The file is not complete: it can be read up to .+ of .+, and its end is missing\. What it lacks: the contents of attachments\.\nCopy the file again, or export the session again\./,
  );
  expect(shown.stdout).toContain("exit code 3");
  expect(shown.stdout).toContain("step 3");
  expect((await world.run(["show", cut])).stdout).toMatch(/shot\.bin.* a part is damaged/);
  const folder = join(world.folder, "attached");
  expect(await world.run(["attachments", cut, "-d", folder])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("a part of it is missing in the file"),
  });
  expect(readdirSync(folder)).toEqual([]);
  expect(await world.run(["import", cut])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/cut\.datacat is not imported\. The file is not complete: /),
  });

  // A byte of the content.
  const damaged = Buffer.from(whole);
  damaged[whole.length - 5_000] = (damaged[whole.length - 5_000] ?? 0) ^ 1;
  writeFileSync(cut, damaged);
  expect((await world.run(["why", cut])).stdout).toContain("1 part of the file cannot be read");
  writeFileSync(cut, Buffer.concat([whole, Buffer.alloc(2_048)]));
  expect((await world.run(["why", cut])).stdout).toContain("2 KiB follow the end of the session");

  // Only the header is left.
  writeFileSync(cut, whole.subarray(0, 400));
  expect(await world.run(["show", cut])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /No records can be read in .*It is of session .*exit code 3\.\n.*the oldest records \(1 of 1 segment\)/,
    ),
  });
  const texts = { "no session file": "it does not begin as one", "": "it is empty" };
  for (const [text, why] of Object.entries(texts)) {
    writeFileSync(cut, text);
    for (const command of ["show", "import"])
      expect(await world.run([command, cut])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          `cut.datacat cannot be read as a session file: ${why}. .datacat export SESSION -o`,
        ),
      });
  }
  expect(await world.run(["show", join(world.folder, "none.datacat")])).toMatchObject({ code: 4 });
  expect(await world.run(["show", world.folder])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is a folder"),
  });
  expect(await world.run(["tail", "-f", file])).toMatchObject({ code: 2 });
  expect(await world.run(["tail", file, "level:>=("])).toMatchObject({
    code: 1,
    stderr: expect.not.stringContaining("    at "),
  });
  expect(await world.run(["export", file, "-o", cut])).toMatchObject({ code: 2 });
  expect(await world.run(["export", id, "--format", "datacat"])).toMatchObject({ code: 2 });
  expect(await world.run(["import", "--as-new-id", "x", file, file])).toMatchObject({ code: 2 });
  expect(statSync(file).size).toBe(whole.length);
});

test("of several files, whatever their names, each is imported or named", async () => {
  await using world = await World.make();
  await using other = await World.make();
  const id = await recorded(world);
  const renamed = join(world.folder, "crash.bin");
  await world.run(["export", id, "--format", "datacat", "-o", renamed]);
  const huge = join(world.folder, "huge.datacat");
  writeFileSync(huge, readFileSync(renamed));
  truncateSync(huge, 10 * 1024 ** 3); // without content: it takes no room
  const bad = join(world.folder, "bad.datacat");
  writeFileSync(bad, "nothing");
  await other.startServer();
  const imported = await other.run(["import", "--json", bad, huge, renamed]);
  expect(imported.code).toBe(1);
  expect(JSON.parse(imported.stdout)).toMatchObject([{ session: id, imported: true }]);
  expect(imported.stderr).toMatch(/bad\.datacat cannot be read as a session file/);
  expect(imported.stderr).toMatch(/huge\.datacat has 10 GiB, and a server takes .* 1 GiB\./);
  expect(imported.stderr).toContain("2 session files not imported.");
});

test("what a file has does not act on the terminal", async () => {
  await using world = await World.make();
  const id = await recorded(world);
  const file = join(world.folder, "hostile.datacat");
  await world.run(["export", id, "-o", file]);
  const text = "\u001B[2J\u001B]0;title\u0007\u202E";
  const parts = [...new PartReader(CODEC).add(readFileSync(file))];
  const writer = new PartWriter(CODEC);
  const changed = parts.map(({ kind, payload }) => {
    if (kind === PART.header) {
      const header = unpackJson(payload, CODEC, MAX_HEADER_BYTES) as FileHeader;
      const hostile = { ...header, headline: text, written_by: text };
      return writer.part(kind, packJson(hostile, CODEC));
    }
    if (kind !== PART.segment) return writer.part(kind, payload);
    const segment = readSegment(payload, CODEC);
    const index = segment.index() as SessionIndex;
    index.tags.push(text);
    index.version = text;
    for (const one of index.names) one.name = text;
    for (const one of index.attachments) one.name = `../../${text}`;
    const keyframe = JSON.stringify({ [text]: text });
    const packed = packSegment({ ...segment, index: JSON.stringify(index), keyframe }, CODEC);
    return writer.part(kind, packed);
  });
  writeFileSync(file, Buffer.concat([SIGNATURE, ...changed, writer.end()]));
  const folder = join(world.folder, "attached");
  for (const args of [
    ["show"],
    ["show", "--json"],
    ["show", "--at", "-1ms"],
    ["why"],
    ["tail"],
    ["attachments", "-d", folder],
    ["export"],
    ["import"],
  ]) {
    const [command = "", ...rest] = args;
    const { stdout, stderr } = await world.run([command, file, ...rest]);
    // oxlint-disable-next-line no-control-regex -- that is what the test looks for
    expect(stdout + stderr, command).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202E]/);
    expect(stderr, command).not.toContain("    at ");
  }
  expect(readdirSync(folder)).toHaveLength(1);
  expect(readdirSync(world.folder)).not.toContain("title");
  truncateSync(file, 400);
  const { stderr } = await world.run(["show", file]);
  expect(stderr).toContain("No records can be read");
  // oxlint-disable-next-line no-control-regex -- that is what the test looks for
  expect(stderr).not.toMatch(/[\u001B\u202E]/);
});

/** Sends a file piece by piece, to the server's import. */
async function send(world: World, file: Buffer, pieces: () => AsyncIterable<Buffer>) {
  const request = http.request(`${world.url}/api/sessions/import`, {
    method: "POST",
    headers: { "content-length": file.length },
  });
  const answered = once(request, "response") as Promise<[http.IncomingMessage]>;
  // Of an answer before the end of the body, the rest is not sent.
  const sent = pipeline(Readable.from(pieces()), request).catch(() => {});
  const [response] = await answered;
  const text = await new Response(Readable.toWeb(response) as ReadableStream).text();
  request.destroy();
  await sent;
  return { status: response.statusCode, text };
}

test("a sender may pause for longer than a server keeps an idle session in memory", async () => {
  await using world = await World.make();
  await using other = await World.make();
  const id = await recorded(world);
  const file = join(world.folder, "slow.datacat");
  await world.run(["export", id, "-o", file]);
  const bytes = readFileSync(file);
  await other.startServer();
  const answer = await send(other, bytes, async function* () {
    // The segment and a part of the content.
    yield bytes.subarray(0, bytes.length / 2);
    await new Promise((resolve) => setTimeout(resolve, 13_000)); // workerd: 10 s
    yield bytes.subarray(bytes.length / 2);
  });
  expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"imported":true') });
});

test("a sender whose large file is refused reads why", async () => {
  await using world = await World.make();
  await world.startServer();
  // A part that claims to be longer than parts are.
  const bytes = Buffer.concat([SIGNATURE, Buffer.alloc(64 * 1024 * 1024, 0xff)]);
  for (let n = 0; n < 5; n++) {
    const answer = await send(world, bytes, async function* () {
      for (let at = 0; at < bytes.length; at += 256 * 1024)
        yield bytes.subarray(at, at + 256 * 1024);
    });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining("bad_file") });
  }
});
