/** Files that are damaged, cut off or forged: refused with a 4xx, and nothing of them is stored. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import {
  MAX_BUCKETS,
  MAX_LANES,
  MAX_LEASE_MS,
  MAX_SEQUENCE,
  MAX_SERIES,
  MAX_TIME,
  SEGMENT_BYTES,
} from "../../../src/core/limits.ts";
import { ByteWriter } from "../../../src/core/segments/bytes.ts";
import { packContents } from "../../../src/core/segments/segment.ts";
import { newContents } from "../../../src/core/segments/contents.ts";
import { PART, packJson, PartReader } from "../../../src/core/session-file/parts.ts";
import { SIGNATURE } from "../../../src/core/session-file/signature.ts";
import { Session } from "../../../src/session/session.ts";
import { CODEC } from "../../../src/session/storage/row.ts";
import { server } from "../../api/server.ts";
import { file as attachmentFile } from "../attachments/attachments.ts";
import { bulky, event, gauge, heartbeat, NOON, start, state, World } from "../world.ts";
import { type AnyIndex, fileWith, forged, joined, partsOf, withHeader, withOps } from "./forge.ts";

const ask = server();
const MIB = 1024 * 1024;

/** Three segments, two of them sealed, and an attachment of two chunks. */
let file = new Uint8Array();
beforeAll(async () => {
  const world = new World();
  const save = attachmentFile(1024 * 1024 + 5);
  await world.send([start(), save.op], { writer: { program: "game.py" } });
  for (const [chunk, bytes] of save.chunks.entries())
    await world.client.upload({ id: save.op.id, chunk, bytes });
  for (let i = 0; i < 3; i++)
    await world.send([
      state(NOON + i, { level: i, deep: { a: [i] } }),
      event(NOON + i, `event-${i}`, { exception_type: "E", exception_msg: `m${i}` }),
      gauge(NOON + i, "fps", i),
      { op: "metric", at: NOON + i, type: "counter", name: "frames", delta: 1 },
      { op: "metric", at: NOON + i, type: "histogram", name: "size", value: i, buckets: [1, 2] },
      heartbeat(NOON + i),
      ...(i < 2 ? [bulky(NOON + i, SEGMENT_BYTES), bulky(NOON + i, SEGMENT_BYTES)] : []),
    ]);
  await world.send([{ op: "end", at: NOON + 9, exit_code: 0 }]);
  const response = await ask(`/api/sessions/${world.id}/export?format=datacat`);
  file = new Uint8Array(await response.arrayBuffer());
  const { header, segment, chunk } = PART;
  expect(partsOf(file).map(({ kind }) => kind)).toEqual([
    header,
    segment,
    segment,
    segment,
    chunk,
    chunk,
  ]);
});

let made = 0;

/** What the server answers to an import of it, and the id that it would have got. */
async function importing(bytes: Uint8Array) {
  const id = `forged-${++made}`;
  const response = await ask(`/api/sessions/import?id=${id}`, { method: "POST", body: bytes });
  const answer = (await response.json()) as { error?: { code: string; message: string } };
  return { id, status: response.status, ...answer };
}

async function expectRefused(bytes: Uint8Array, code?: string): Promise<string> {
  const { id, status, error } = await importing(bytes);
  expect(status, JSON.stringify(error)).toBeGreaterThanOrEqual(400);
  expect(status, JSON.stringify(error)).toBeLessThan(500);
  if (code !== undefined) expect(error?.code, error?.message).toBe(code);
  const tables = await runInDurableObject(env.SESSIONS.getByName(id), (_, { storage }) =>
    storage.sql
      .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray(),
  );
  expect(tables).toEqual([]);
  expect((await ask(`/api/sessions/${id}/summary`)).status).toBe(404);
  return error?.message ?? "";
}

test("the file itself is imported", async () => {
  expect(await importing(file)).toMatchObject({ status: 200, imported: true });
  expect(await importing(fileWith(partsOf(file)))).toMatchObject({ imported: true });
});

test("a file that is cut off anywhere is refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), async (length) => {
      await expectRefused(file.slice(0, length), "bad_file");
    }),
    { numRuns: 25, examples: [[0], [1], [8], [9], [file.length - 1]] },
  );
});

test("a file with a flipped bit is refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), fc.nat(7), async (at, bit) => {
      const changed = file.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      await expectRefused(changed, "bad_file");
    }),
    {
      numRuns: 25,
      examples: [
        [0, 0],
        [8, 0],
        [10, 7],
        [12, 7],
      ],
    },
  );
});

test.each<[string, () => Uint8Array]>([
  ["nothing", () => new Uint8Array()],
  ["another file", () => new TextEncoder().encode("PNG\r\n\x1a\n".repeat(50))],
  ["the file twice", () => joined([file, file])],
  ["a byte after its end", () => joined([file, new Uint8Array(1)])],
  ["a signature alone", () => SIGNATURE],
  ["no header", () => fileWith(partsOf(file).slice(1))],
  ["a header alone", () => fileWith(partsOf(file).slice(0, 1))],
  ["no oldest segment", () => fileWith(partsOf(file).filter((_, n) => n !== 3))],
  ["no middle segment", () => fileWith(partsOf(file).filter((_, n) => n !== 2))],
  [
    "a segment twice",
    () => fileWith(partsOf(file).flatMap((part, n) => (n === 2 ? [part, part] : [part]))),
  ],
  [
    "its segments in another order",
    () => fileWith([0, 2, 1, 3, 4, 5].flatMap((n) => partsOf(file)[n] ?? [])),
  ],
  [
    "no content of its attachment",
    () => fileWith(partsOf(file).filter(({ kind }) => kind !== PART.chunk)),
  ],
  ["a half of the content", () => fileWith(partsOf(file).slice(0, 5))],
  [
    "its chunks in another order",
    () => fileWith([0, 1, 2, 3, 5, 4].flatMap((n) => partsOf(file)[n] ?? [])),
  ],
  [
    "a part of an unknown kind",
    () => fileWith([...partsOf(file), { kind: 77, payload: new Uint8Array(3) }]),
  ],
  [
    "a segment that ends within",
    () =>
      fileWith(
        partsOf(file).map((part, n) =>
          n === 2 ? { ...part, payload: part.payload.slice(0, 20) } : part,
        ),
      ),
  ],
  [
    "an empty segment",
    () =>
      fileWith(
        partsOf(file).map((part, n) => (n === 1 ? { ...part, payload: new Uint8Array() } : part)),
      ),
  ],
  [
    "another format",
    () =>
      fileWith(
        partsOf(file).map((part, n) =>
          n === 0 ? { ...part, payload: packJson({ format: 2, session: "a" }, CODEC) } : part,
        ),
      ),
  ],
])("a file with %s is refused", async (_, make) => {
  await expectRefused(make(), "bad_file");
});

test.each<[string, (header: AnyIndex) => void]>([
  ["another session", (header) => (header.session = "another")],
  ["another moment", (header) => (header.revision += 1)],
  ["more segments", (header) => (header.segments = 60_000)],
  ["no id", (header) => (header.session = "\u001B[2J")],
  ["a time that no clock shows", (header) => (header.exported_at = 1e300)],
  ["a long text", (header) => (header.headline = "x".repeat(50_000))],
  ["a format that is none", (header) => (header.format = "\u001B[2J".repeat(1_000))],
])("a file whose header names %s is refused", async (_, change) => {
  const message = await expectRefused(withHeader(file, change), "bad_file");
  // oxlint-disable-next-line no-control-regex -- that is what the test looks for
  expect(message).not.toMatch(/\u001B/);
});

test("a file of another format names the format, and what may read it", async () => {
  const message = await expectRefused(withHeader(file, (header) => (header.format = 2)));
  expect(message).toContain("it has format 2, and this version of Datacat reads format 1");
  expect(message).toContain("A newer version may read it.");
});

test("a file that was sent as text is named as such", async () => {
  const message = await expectRefused(
    joined([file.slice(0, 5), Uint8Array.of(0x0a, 0x1a), file.slice(8)]),
    "bad_file",
  );
  expect(message).toContain("changed on its way as if it were text");
});

test("a chunk with other bytes is refused by the attachment's checksum", async () => {
  const parts = partsOf(file).map((part) => {
    if (part.kind !== PART.chunk) return part;
    const payload = part.payload.slice();
    payload[payload.length - 1] = (payload.at(-1) ?? 0) ^ 1;
    return { ...part, payload };
  });
  await expectRefused(fileWith(parts), "bad_file");
});

/** What a forger changes in the index of the newest segment, which the log contradicts. */
test.each<[string, (index: AnyIndex) => void]>([
  ["more events", (index) => (index.counts.events += 1)],
  ["fewer points", (index) => (index.counts.points -= 1)],
  ["more heartbeats", (index) => (index.counts.heartbeats = 1e9)],
  ["no exceptions", (index) => (index.exceptions = [])],
  ["an exception more often", (index) => (index.exceptions[0].count = 99)],
  ["another event", (index) => (index.names[0].name = "other")],
  ["another first time", (index) => (index.names[0].first_at = 5)],
  ["a maximum that never was", (index) => (index.series[0].max = 1e9)],
  ["other times of a series", (index) => (index.series[0].firstAt = 0)],
  ["another attachment", (index) => (index.attachments[0].sha256 = "0".repeat(64))],
  ["a series without points", (index) => (index.series = index.series.slice(0, 2))],
  ["an earlier end", (index) => (index.seq = 3)],
])("an index that claims %s is refused", async (_, change) => {
  await expectRefused(forged(file, ({ index }, n) => void (n === 0 && change(index))));
});

test.each<[string, (index: AnyIndex) => void]>([
  ["no object", (index) => (index.lanes = 5)],
  ["a time in the future", (index) => (index.updatedAt = Date.now() + 60_000)],
  ["a contact in the future", (index) => (index.observations.lastContactAt = MAX_TIME)],
  ["an end in the future", (index) => (index.observations.end.at = Date.now() + 86_400_000)],
  ["a lease without end", (index) => (index.observations.leaseMs = MAX_LEASE_MS + 1)],
  ["a number that is none", (index) => (index.accepted = "9")],
  ["a negative count", (index) => (index.accepted = -1)],
  ["a count that is too large", (index) => (index.dropped = { x: 1e300 })],
  ["a long name", (index) => (index.product = "x".repeat(300))],
  [
    "too many lanes",
    (index) => (index.lanes = Array.from({ length: MAX_LANES + 1 }, () => index.lanes[0])),
  ],
  [
    "too many series",
    (index) =>
      (index.series = Array.from({ length: MAX_SERIES + 1 }, (_, id) => ({
        ...index.series[0],
        id,
      }))),
  ],
  [
    "too many buckets",
    (index) => (index.series[2].bounds = Array.from({ length: MAX_BUCKETS + 1 }, (_, n) => n)),
  ],
  ["bounds in no order", (index) => (index.series[2].bounds = [2, 1])],
  ["a series twice", (index) => (index.series[1] = { ...index.series[0], id: 1 })],
  ["a series of another number", (index) => (index.series[0].id = 7)],
  ["much metadata", (index) => (index.series[0].metadata = { text: "x".repeat(300_000) })],
  ["a large attachment", (index) => (index.attachments[0].size = 1024 ** 3)],
  ["an attachment twice", (index) => index.attachments.push(index.attachments[0])],
  [
    "two attachments with the same chunks",
    (index) => index.attachments.push({ ...index.attachments[0], id: "other" }),
  ],
  ["a whole attachment that was refused", (index) => (index.attachments[0].refused = "too_large")],
  ["an attachment of a later op", (index) => (index.attachments[0].seq = index.seq + 1)],
  ["a sequence that no lane has", (index) => (index.seq = MAX_SEQUENCE * 10)],
  [
    "very many lists",
    (index) => (index.series[0].metadata = { a: Array.from({ length: 600_000 }, () => []) }),
  ],
  [
    "deep metadata",
    (index) =>
      (index.series[0].metadata = JSON.parse(`${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`)),
  ],
  ["a value that is none", (index) => (index.values[0].values[0].text = "=no JSON")],
  ["another length of texts", (index) => (index.texts.lengths.messages += 1)],
  ["many tests", (index) => (index.observations.tests = { totals: {}, records: "x" })],
  ["an opener", (index) => (index.opener = "a key")],
  [
    "a status that is none",
    (index) => (index.observations.transitions = [{ at: 1, status: "fine", headline: "" }]),
  ],
])("an index with %s is refused, as no sender can make it", async (_, change) => {
  await expectRefused(forged(file, ({ index }, n) => void (n === 0 && change(index))));
});

test.each<[string, (segment: AnyIndex, n: number) => void]>([
  ["another state at its start", (segment, n) => n === 0 && (segment.keyframe.level = 77)],
  ["a state that is a list", (segment) => (segment.keyframe = [1])],
  ["a state that is too large", (segment) => (segment.keyframe = { text: "x".repeat(600_000) })],
  [
    "too many keys in the state",
    (segment) =>
      (segment.keyframe = Object.fromEntries(
        Array.from({ length: 30_000 }, (_, n) => [`k${n}`, n]),
      )),
  ],
  [
    "a state that is too deep",
    (segment) => (segment.keyframe = JSON.parse(`${'{"a":'.repeat(100)}1${"}".repeat(100)}`)),
  ],
  ["no state at its start", (segment) => (segment.keyframe = null)],
  ["no index in the middle", (segment, n) => n === 1 && (segment.index = null)],
  ["other sequences", (segment, n) => n === 1 && (segment.lastSeq = 9_999)],
  ["sequences of another segment", (segment, n) => n === 0 && (segment.firstSeq = 1)],
  ["a time that is none", (segment) => (segment.fromAt = NaN)],
  ["an earlier time", (segment, n) => n === 0 && (segment.fromAt = 0)],
  ["the number 0", (segment, n) => n === 2 && (segment.id = 0)],
  ["a large number", (segment, n) => n === 0 && (segment.id = 1e9)],
  ["a damaged section", (segment) => (segment.body = segment.body.slice(0, -3))],
])("a segment with %s is refused", async (_, change) => {
  await expectRefused(forged(file, change));
});

/** Ops of the newest segment, and the index counts them, so that only their own limits are left. */
test.each<[string, Parameters<typeof withOps>[1]]>([
  ["an event with a long name", ({ events }) => ((events[0] as AnyIndex).name = "x".repeat(300))],
  ["an event of the future", ({ events }) => ((events[0] as AnyIndex).at = Date.now() + 60_000)],
  ["an event without a time", ({ events }) => delete (events[0] as AnyIndex).at],
  [
    "an event with large data",
    ({ events }) => ((events[0] as AnyIndex).data = { text: "x".repeat(300_000) }),
  ],
  [
    "an event with deep data",
    ({ events }) =>
      ((events[0] as AnyIndex).data = JSON.parse(`${'{"a":'.repeat(100)}1${"}".repeat(100)}`)),
  ],
  ["an event of another sequence", ({ events }) => ((events[0] as AnyIndex).seq = 1)],
  ["an event that is none", ({ events }) => (events[0] = 5 as AnyIndex)],
  ["a patch that is none", ({ states }) => ((states[0] as AnyIndex).patch = [1])],
  [
    "a state over its limit",
    ({ states }) => ((states[0] as AnyIndex).patch = { x: "y".repeat(600_000) }),
  ],
  ["a state of the future", ({ states }) => ((states[0] as AnyIndex).effectiveAt = MAX_TIME)],
  ["an op of another kind", ({ others }) => ((others[0] as AnyIndex).op = "metric")],
  ["an op of no kind", ({ others }) => ((others[0] as AnyIndex).op = "shell")],
  ["an end of the future", ({ others }) => ((others[0] as AnyIndex).at = Date.now() + 60_000)],
  ["a heartbeat of the future", ({ heartbeats }) => (heartbeats[0] = Date.now() + 60_000)],
  ["a heartbeat before 1970", ({ heartbeats }) => (heartbeats[0] = -5)],
  [
    "a point of the future",
    ({ series }) => ((series.get(0) as AnyIndex).at[0] = Date.now() + 60_000),
  ],
  [
    "a point that is no number",
    ({ series }) => ((series.get(0) as AnyIndex).fields[0][0] = Infinity),
  ],
  ["points of no series", ({ series }) => series.set(99, { at: [NOON], fields: [[1]] })],
  ["columns of different lengths", ({ series }) => (series.get(0) as AnyIndex).fields[0].push(1)],
  ["too many columns", ({ series }) => (series.get(0) as AnyIndex).fields.push([1], [1], [1])],
  ["a histogram without buckets", ({ series }) => ((series.get(2) as AnyIndex).fields.length = 2)],
  [
    "a negative count in a histogram",
    ({ series }) => ((series.get(2) as AnyIndex).fields[0][0] = -1),
  ],
])("%s is refused, as at the door", async (_, change) => {
  await expectRefused(withOps(file, change));
});

test("what inflates to more than a segment may have is refused before it is read", async () => {
  const bomb = CODEC.deflate(new Uint8Array(100 * MIB));
  const section = (kind: number, bytes: Uint8Array, id?: number) => {
    const writer = new ByteWriter();
    const byte = kind | 0x80;
    writer.byte(byte);
    if (id !== undefined) writer.varint(id);
    writer.varint(bytes.length);
    writer.uint32(CODEC.checksum(bytes, (((id ?? 0) + 1) * 256 + byte) >>> 0));
    writer.bytes(bytes);
    return writer.finish();
  };
  const nines = [1, 2, 3, 4].map((kind) => section(kind, CODEC.deflate(new Uint8Array(9 * MIB))));
  for (const body of [section(2, bomb), section(5, bomb, 0), joined(nines)])
    await expectRefused(forged(file, (segment) => (segment.body = body)));
  // The index, the state, the header and a chunk.
  const packed = joined([Uint8Array.of(1), bomb]);
  const parts = partsOf(file);
  for (const n of [0, 5])
    await expectRefused(
      fileWith(parts.map((part, i) => (i === n ? { ...part, payload: packed } : part))),
      "bad_file",
    );
  const writer = new ByteWriter();
  for (const one of [3, 0]) writer.varint(one);
  writer.float(0);
  writer.varint(1);
  writer.varint(1);
  for (let i = 0; i < 3; i++) writer.section(packed);
  await expectRefused(
    fileWith([parts[0] ?? never(), { kind: PART.segment, payload: writer.finish() }]),
    "bad_file",
  );
});

test("columns that claim more values than a segment may have are refused before they take memory", async () => {
  const huge = new ByteWriter();
  huge.varint(2_000_000_000);
  huge.byte(0);
  huge.float(1);
  const column = huge.finish();
  const many = new ByteWriter();
  many.varint(2_000_000);
  many.byte(0);
  many.float(1);
  for (const bytes of [column, many.finish()]) {
    const contents = newContents();
    contents.series.set(0, { at: [NOON], fields: [[1]] });
    const points = new ByteWriter();
    points.section(bytes);
    points.byte(200);
    for (let i = 0; i < 200; i++) points.section(bytes);
    const packed = points.finish();
    const body = new ByteWriter();
    body.byte(5);
    body.varint(0);
    body.varint(packed.length);
    body.uint32(CODEC.checksum(packed, 256 + 5));
    body.bytes(packed);
    await expectRefused(
      forged(file, (segment) => (segment.body = body.finish())),
      "bad_file",
    );
    await expectRefused(
      forged(
        file,
        (segment) => (segment.body = joined([packContents(contents, CODEC), body.finish()])),
      ),
      "bad_file",
    );
  }
});

test("a segment of very many lists is refused before they take memory", async () => {
  const lists = new TextEncoder().encode(`[${"[],".repeat(1_000_000)}[]]`);
  const body = new ByteWriter();
  body.byte(2);
  body.varint(lists.length);
  body.uint32(CODEC.checksum(lists, 256 + 2));
  body.bytes(lists);
  await expectRefused(forged(file, (segment) => (segment.body = body.finish())));
});

test("damage of what a file does not have is refused, and so is the same damage twice", async () => {
  const named = (damage: [number, string][]) =>
    fileWith([...partsOf(file), { kind: PART.damage, payload: packJson(damage, CODEC) }]);
  await expectRefused(named([[4, "log"]]), "bad_file");
  await expectRefused(named([[4, "attachment"]]), "bad_file");
  await expectRefused(
    named([
      [1, "log"],
      [1, "log"],
    ]),
    "bad_file",
  );
  expect(await importing(named([[1, "log"]]))).toMatchObject({ imported: true });
});

test("very many parts that are almost empty are refused after a few of them", async () => {
  const take = vi.spyOn(Session.prototype, "takeParts");
  const empty = Array.from({ length: 100_000 }, () => ({ kind: 77, payload: new Uint8Array() }));
  const [header] = partsOf(file);
  await expectRefused(fileWith([header ?? never(), ...empty]), "bad_file");
  expect(take).toHaveBeenCalledTimes(1);
  const [[, , parts] = []] = take.mock.calls;
  expect(parts?.length).toBeLessThan(10_000);
  take.mockRestore();
});

test("a body that arrives byte by byte is the same file", async () => {
  const small = new World();
  await small.send([start(), event(NOON, "door")]);
  const response = await ask(`/api/sessions/${small.id}/export?format=datacat`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const read = new PartReader(CODEC);
  const parts = [...bytes].flatMap((byte) => [...read.add(Uint8Array.of(byte))]);
  read.finish();
  expect(parts).toEqual(partsOf(bytes));
});

test("a damaged session whose damage is not what it names is refused only for its limits", async () => {
  const damage = { kind: PART.damage, payload: packJson([[1, "log"]], CODEC) };
  const cut = forged(
    file,
    (segment, n) => void (n === 2 && (segment.body = segment.body.slice(0, -3))),
  );
  expect(await importing(fileWith([...partsOf(cut), damage]))).toMatchObject({ imported: true });
  const late = forged(file, ({ index }, n) => void (n === 0 && (index.updatedAt = MAX_TIME)));
  await expectRefused(fileWith([...partsOf(late), damage]));
  const unknown = { kind: PART.damage, payload: packJson([[1, "everything"]], CODEC) };
  await expectRefused(fileWith([...partsOf(file), unknown]));
});

test("secrets in a forged file are redacted as at the door", async () => {
  const secret = "opensesame99";
  const changed = forged(
    withOps(file, ({ events, states }) => {
      (events[0] as AnyIndex).data = { password: secret };
      (states[0] as AnyIndex).patch = { ...states[0]?.patch, api_token: secret };
    }),
    ({ index, keyframe }) => {
      keyframe.api_token = secret;
      index.values.push({
        path: "api_token",
        over: false,
        values: [{ text: `"${secret}`, since: 1, until: null }],
      });
      index.exceptions[0].place = `password=${secret}`;
      const texts = [{ text: secret, at: 1, seq: 1, name: "data.door.password" }];
      Object.assign(index.texts, { data: texts, lengths: { ...index.texts.lengths, data: 30 } });
      index.observations.exception.message = `password=${secret}`;
      index.lanes[0].writer.arguments = ["--password", secret];
      index.series[0].metadata = { password: secret };
    },
  );
  // What the log has at the end of a segment must be the state at the start of the next.
  const { id, ...answer } = await importing(
    fileWith([
      ...partsOf(changed),
      { kind: PART.damage, payload: packJson([[1, "state"]], CODEC) },
    ]),
  );
  expect(answer).toMatchObject({ imported: true });
  const lines = await (await ask(`/api/sessions/${id}/export`)).arrayBuffer();
  const stored = await runInDurableObject(env.SESSIONS.getByName(id), (_, { storage }) =>
    storage.sql
      .exec<{ parts: string }>(
        "SELECT hex(session_index) || hex(keyframe) || hex(body) AS parts FROM segments WHERE sealed = 0",
      )
      .toArray(),
  );
  const text = new TextDecoder().decode(lines);
  expect(text).not.toContain(secret);
  expect(text).toContain("[redacted]");
  const hex = Array.from(new TextEncoder().encode(secret), (byte) =>
    byte.toString(16).toUpperCase(),
  ).join("");
  expect(stored.map(({ parts }) => parts.includes(hex))).toEqual([false]);
  expect((await (await ask(`/api/sessions/${id}/summary`)).json()) as object).toMatchObject({
    ledger: { altered: { redacted: expect.any(Number) } },
  });
});

function never(): never {
  throw new Error("The file has no such part.");
}
