/** Attachments in their session's object: uploads in any order, over sleeps and damage; what they cost; that they go with their session. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { CHUNK, type File, file, fileOf } from "./attachments.ts";
import { SERVER } from "../../../src/core/access/authority.ts";
import { usageOfDay } from "../../../src/registry/usage.ts";
import { sessionOf } from "../../../src/session/client.ts";
import { MAX_CHUNKS } from "../../../src/core/attachments/attachments.ts";
import { isCompleteRecord, attachmentTexts } from "../../../src/core/session/completeness.ts";
import { MAX_ATTACHMENT_FAILURES, PUBLISH_MS } from "../../../src/core/limits.ts";
import { NOON, start, World } from "../world.ts";

/** A session that announced these. */
async function announced(...files: File[]): Promise<World> {
  const world = new World();
  await world.send([start(), ...files.map(({ op }) => op)]);
  return world;
}

function put(world: World, { op, chunks }: File, chunk: number, bytes = chunks[chunk]) {
  return world.client.upload({ id: op.id, chunk, bytes: bytes ?? new Uint8Array() });
}

async function putAll(world: World, sent: File) {
  let last;
  for (const chunk of sent.chunks.keys()) last = await put(world, sent, chunk);
  return last;
}

async function content(world: World, id: string, more: object = {}): Promise<Uint8Array> {
  const { body } = await world.client.content({ id, ...more });
  return new Uint8Array(await new Response(body).arrayBuffer());
}

const code = async (promise: Promise<unknown>) =>
  promise.then(
    () => "ok",
    (error: { code?: string }) => error.code,
  );

const listed = async (world: World) => (await world.client.ask("attachments")).items;

test("a content arrives in chunks, is complete with the last, and is read as it was sent", async () => {
  const save = file(2 * CHUNK + 7, { group: "game" });
  const world = await announced(save);
  expect(await listed(world)).toMatchObject([{ complete: false, received_bytes: 0, seq: 2 }]);
  expect(await put(world, save, 2)).toMatchObject({ chunks: 3, received: [2], complete: false });
  expect(await listed(world)).toMatchObject([{ complete: false, received_bytes: 7 }]);
  await put(world, save, 0);
  expect(await put(world, save, 1)).toMatchObject({ received: [0, 1, 2], complete: true });
  expect(await content(world, save.op.id)).toEqual(save.bytes);
  expect(await listed(world)).toMatchObject([
    { complete: true, received_bytes: save.bytes.length, group: "game", size: save.bytes.length },
  ]);
});

test("it is whole after the object slept, and an upload goes on where it was", async () => {
  const save = file(CHUNK + 1);
  const world = await announced(save);
  await put(world, save, 0);
  await world.evict();
  expect(await world.client.uploaded(save.op.id)).toMatchObject({ received: [0] });
  await put(world, save, 1);
  await world.evict();
  expect(await world.client.uploaded(save.op.id)).toMatchObject({ complete: true });
  expect(await content(world, save.op.id)).toEqual(save.bytes);
});

test("before its op was applied nothing is taken", async () => {
  const save = file(10);
  const world = await announced();
  expect(await code(world.client.uploaded(save.op.id))).toBe("not_found");
  expect(await code(put(world, save, 0))).toBe("not_found");
  expect(await code(put(new World(), save, 0))).toBe("not_found");
});

test("a whole that does not match is removed and may be sent again, but not for ever", async () => {
  const save = file(CHUNK + 9);
  const world = await announced(save);
  const wrong = new Uint8Array(9);
  for (let failure = 1; failure <= MAX_ATTACHMENT_FAILURES; failure++) {
    await put(world, save, 0);
    const isLast = failure === MAX_ATTACHMENT_FAILURES;
    expect(await code(put(world, save, 1, wrong))).toBe(
      isLast ? "attachment_refused" : "checksum_mismatch",
    );
    expect(await world.sql("SELECT id FROM chunks")).toEqual([]);
    await world.evict();
  }
  expect(await listed(world)).toMatchObject([{ refused: "checksum_mismatch", complete: false }]);
  expect(await code(put(world, save, 0))).toBe("attachment_refused");

  const other = file(CHUNK + 9);
  await world.send([other.op]);
  await put(world, other, 0);
  expect(await code(put(world, other, 1, wrong))).toBe("checksum_mismatch");
  expect(await putAll(world, other)).toMatchObject({ complete: true });
});

test.each([
  ["a chunk after the last", 2, 1],
  ["a negative chunk", -1, 1],
  ["a part of a chunk", 0, CHUNK - 1],
  ["more than a chunk", 0, CHUNK + 1],
  ["more than the last chunk", 1, 6],
  ["nothing", 1, 0],
])("%s is refused, and changes nothing", async (_what, chunk, size) => {
  const save = file(CHUNK + 5);
  const world = await announced(save);
  expect(await code(put(world, save, chunk, new Uint8Array(size)))).toBe("bad_chunk");
  expect(await world.client.uploaded(save.op.id)).toMatchObject({ received: [] });
});

test("an upload costs a row for each chunk, and one for the whole; repeating it costs none", async () => {
  const save = file(3 * CHUNK);
  const world = await announced(save);
  const written = async () => (await world.client.ask("summary")).rows_written;
  const before = await written();
  await putAll(world, save);
  const after = await written();
  // Three chunks and the index; an alarm, which publishes.
  expect(after - before).toBeGreaterThanOrEqual(4);
  expect(after - before).toBeLessThanOrEqual(5);
  await putAll(world, save);
  expect(await written()).toBe(after);
  const [{ rows } = { rows: 0 }] = await world.sql<{ rows: number }>(
    "SELECT count(*) AS rows FROM chunks",
  );
  expect(rows).toBe(3);
});

test("the record is complete only when all attachments are there, and none was refused", async () => {
  const [one, two, large] = [file(10), file(20), file(30, { size: 1e9 })];
  const world = await announced(one, two, large);
  const ledger = async () => (await world.client.ask("summary")).ledger;
  expect(attachmentTexts(await ledger())).toEqual([
    "2 of 3 attachments have not arrived",
    "1 of 3 attachments was refused",
  ]);
  await putAll(world, one);
  expect(attachmentTexts(await ledger())[0]).toBe("1 of 3 attachments has not arrived");
  const whole = await announced(two);
  await whole.send([{ op: "end", at: NOON }]);
  expect(isCompleteRecord((await whole.client.ask("summary")).ledger)).toBe(false);
  await putAll(whole, two);
  expect(isCompleteRecord((await whole.client.ask("summary")).ledger)).toBe(true);
});

test("what was stored counts for the day of the key that sent it", async () => {
  const save = file(CHUNK + 9);
  const world = await announced(save);
  const key = `key-${world.id}`;
  const access = { ...SERVER, key };
  const client = sessionOf(env, access, world.id);
  for (const [chunk, bytes] of save.chunks.entries())
    await client.upload({ id: save.op.id, chunk, bytes });
  await client.upload({ id: save.op.id, chunk: 0, bytes: save.chunks[0] ?? NONE });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + PUBLISH_MS + 1 });
  onTestFinished(() => void vi.useRealTimers());
  await world.ring();
  const used = (await usageOfDay(env.REGISTRY, Date.now())).get(key);
  expect(used).toMatchObject({ attachment_bytes: CHUNK + 9 });
});

test("the catalog counts the attachments that are taken", async () => {
  const world = await announced(file(10), file(20), file(30, { size: 1e9 }));
  await world.client.publish();
  expect(await world.catalogued()).toMatchObject({ attachments: 2 });
});

test("deleting the session deletes the contents", async () => {
  const save = file(CHUNK + 1);
  const world = await announced(save);
  await putAll(world, save);
  await world.client.erase();
  expect(await world.sql("SELECT name FROM sqlite_master WHERE name = 'chunks'")).toEqual([]);
  expect(await code(put(world, save, 0))).toBe("gone");
  expect(await code(content(world, save.op.id))).toBe("gone");
});

describe("damage", () => {
  async function damaged(change: string): Promise<{ world: World; save: File }> {
    const save = file(3 * CHUNK + 5);
    const world = await announced(save);
    await putAll(world, save);
    await world.sql(change, 2 * MAX_CHUNKS + 1); // chunk 1 of op 2
    await world.evict();
    return { world, save };
  }

  test.each([
    ["a lost chunk", "DELETE FROM chunks WHERE id = ?"],
    ["a chunk of another length", "UPDATE chunks SET bytes = x'00' WHERE id = ?"],
    ["a chunk with other bytes", `UPDATE chunks SET bytes = zeroblob(${CHUNK}) WHERE id = ?`],
    ["a chunk that is no blob", "UPDATE chunks SET bytes = 'text' WHERE id = ?"],
  ])("%s is named, and the rest is readable", async (_what, change) => {
    const { world, save } = await damaged(change);
    const { id } = save.op;
    await expect(content(world, id)).rejects.toMatchObject({
      code: "damaged_content",
      message: expect.stringContaining("1 MiB to 2 MiB") as string,
      details: { chunks: "1" },
    });
    expect(await content(world, id, { range: `bytes=0-${CHUNK - 1}` })).toEqual(save.chunks[0]);
    expect(await content(world, id, { range: "bytes=-5" })).toEqual(save.chunks[3]);
    expect(await code(content(world, id, { range: `bytes=-${CHUNK * 2 + 6}` }))).toBe(
      "damaged_content",
    );
    const filled = save.bytes.slice().fill(0, CHUNK, 2 * CHUNK);
    expect(await content(world, id, { fillsDamaged: true })).toEqual(filled);
    const { damaged: parts } = await world.client.ask("summary");
    expect(await listed(world)).toMatchObject([{ complete: true, damaged: true }]);
    expect(parts).toEqual([{ part: "attachment", segment: null, first_seq: 2, last_seq: 2 }]);
  });

  test("an attachment of a session whose index is lost is complete again, by its checksum", async () => {
    const [save, part] = [file(CHUNK + 5), file(2 * CHUNK)];
    const world = await announced(save, part);
    await putAll(world, save);
    await put(world, part, 0);
    await world.sql("UPDATE segments SET session_index = x'00'");
    await world.evict();
    expect(await listed(world)).toMatchObject([
      { complete: true, name: "save.dat" },
      { complete: false, received_bytes: CHUNK },
    ]);
    expect(await content(world, save.op.id)).toEqual(save.bytes);
  });

  test("a chunk that is damaged before the last arrives is asked for again", async () => {
    const save = file(CHUNK + 5);
    const world = await announced(save);
    await put(world, save, 0);
    await world.sql(`UPDATE chunks SET bytes = zeroblob(${CHUNK})`);
    expect(await put(world, save, 1)).toMatchObject({ received: [1], complete: false });
    expect(await put(world, save, 0)).toMatchObject({ complete: true });
  });
});

test("an export has the contents, chunk by chunk", async () => {
  const [save, none, part] = [file(CHUNK + 5), file(0), file(2 * CHUNK)];
  const world = await announced(save, none, part);
  await putAll(world, save);
  await put(world, part, 1);
  const text = await new Response(await world.client.stream({ kind: "lines" })).text();
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { [key: string]: unknown });
  const ops = lines.filter(({ op }) => op === "attachment");
  expect(ops).toMatchObject([save.op, none.op, part.op]);
  const contents = lines.filter((line) => "base64" in line);
  expect(contents.map(({ attachment, chunk }) => [attachment, chunk])).toEqual([
    [save.op.id, 0],
    [save.op.id, 1],
    [part.op.id, 1],
  ]);
  const [first, second] = contents.map(({ base64 }) => Buffer.from(String(base64), "base64"));
  expect(new Uint8Array(Buffer.concat([first ?? NONE, second ?? NONE]))).toEqual(save.bytes);
});
const NONE = new Uint8Array();

test("a large content is read chunk by chunk, as its reader asks", async () => {
  const save = file(9 * CHUNK + 1);
  const world = await announced(save);
  await putAll(world, save);
  const { info, body } = await world.client.content({ id: save.op.id });
  expect(info).toMatchObject({ from: 0, to: save.bytes.length, isPart: false, damaged: 0 });
  const reader = body.getReader();
  let received = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    expect(part.value.length).toBeLessThanOrEqual(CHUNK);
    received += part.value.length;
  }
  expect(received).toBe(save.bytes.length);
});

// Any interleaving of chunks, repetitions, wrong bytes and sleeps ends with the content that was announced, or with a refusal.
type Step = { kind: "put" | "wrong" | "sleep"; of: number; chunk: number };
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("put", "put", "put", "put", "wrong", "sleep"),
  of: fc.nat(1),
  chunk: fc.nat(3),
});

test("whatever is sent in whatever order, a complete attachment is the announced one", async () => {
  // Small ones: a chunk of these tests is a MiB, so only the last chunks differ.
  const sizes = [CHUNK + 3, 5];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const files = sizes.map((size) => file(size));
      const world = await announced(...files);
      const model = files.map(() => ({ failures: 0, received: new Map<number, boolean>() }));
      for (const { kind, of, chunk } of steps) {
        const [sent, known] = [files[of], model[of]];
        if (!sent || !known) continue;
        if (kind === "sleep") {
          await world.evict();
          continue;
        }
        const right = sent.chunks[chunk];
        const bytes = kind === "wrong" ? new Uint8Array(right?.length ?? 1).fill(7) : right;
        const answer = await code(put(world, sent, chunk, bytes));
        expect(answer).toBe(expectedOf(sent, known, chunk, kind === "put"));
        const { complete, received, refused } = await world.client.uploaded(sent.op.id);
        const isWhole = known.received.size === sent.chunks.length;
        expect(refused).toBe(known.failures >= 3 ? "checksum_mismatch" : undefined);
        expect(complete).toBe(isWhole);
        expect(received).toEqual([...known.received.keys()].sort((a, b) => a - b));
        if (complete) expect(await content(world, sent.op.id)).toEqual(sent.bytes);
        else expect(await code(content(world, sent.op.id))).toBe("not_found");
      }
    }),
    { numRuns: 25 },
  );
});

type Model = { failures: number; received: Map<number, boolean> };

/** What the object must answer, after which the model is as it must be. */
function expectedOf({ chunks }: File, known: Model, chunk: number, isRight: boolean): string {
  if (known.failures >= 3) return "attachment_refused";
  if (known.received.size === chunks.length) return "ok";
  if (chunk >= chunks.length) return "bad_chunk";
  known.received.set(chunk, isRight);
  if (known.received.size < chunks.length) return "ok";
  if ([...known.received.values()].every(Boolean)) return "ok";
  known.received.clear();
  known.failures++;
  return known.failures >= 3 ? "attachment_refused" : "checksum_mismatch";
}

test("an image is known by its first bytes, whatever its type", async () => {
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
  const html = new TextEncoder().encode("<script>alert(1)</script>");
  const files = [
    fileOf(png, { type: "image/png" }),
    fileOf(png, { type: "IMAGE/PNG" }),
    fileOf(png, { type: "image/gif" }),
    fileOf(html, { type: "image/png" }),
    fileOf(html, { type: "text/html" }),
    fileOf(html, { type: "image/svg+xml" }),
    fileOf(png),
    fileOf(new Uint8Array(), { type: "image/png" }),
  ];
  const world = await announced(...files);
  for (const one of files) await putAll(world, one);
  const images = [];
  for (const { op } of files)
    images.push((await world.client.content({ id: op.id, isInfoOnly: true })).info.image);
  expect(images).toEqual(["image/png", "image/png", ...Array.from({ length: 6 })]);
});
