import { expect, test } from "vitest";
import {
  type Attachment,
  type AttachmentLimits,
  chunkBytes,
  chunksOf,
  isAwaited,
  parseAttachmentLimits,
} from "../../../src/core/attachments/attachments.ts";
import {
  ATTACHMENT_CHUNK_BYTES,
  MAX_NAME_LENGTH,
  MAX_REFUSED_ATTACHMENTS,
} from "../../../src/core/limits.ts";
import { parse } from "../../../src/core/parse.ts";
import { Projection } from "../../../src/core/session/projection.ts";
import { newContents } from "../../../src/core/segments/contents.ts";
import { packContents } from "../../../src/core/segments/segment.ts";
import { SegmentReader } from "../../../src/core/segments/segment-reader.ts";
import { restore } from "../../../src/core/segments/restore.ts";
import { newIndex } from "../../../src/core/session/session-index.ts";
import { type AttachmentOp, Op } from "../../../src/core/wire.ts";
import { CODEC } from "../../../src/session/storage/row.ts";

const NOW = 1_790_000_000_000;
const SHA = "ab".repeat(32);
const EMPTY_SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

let nextId = 1;
function announce(more: Partial<AttachmentOp> = {}): AttachmentOp {
  return {
    op: "attachment",
    at: NOW,
    id: `lane.${nextId++}`,
    name: "screenshot.png",
    type: "image/png",
    size: 1_000,
    sha256: SHA,
    ...more,
  };
}

/** A session with these ops, and what its log has of them. */
function recorded(ops: Op[], limits?: AttachmentLimits) {
  const arrival = { now: NOW, sentAt: null };
  const projection = Projection.open("s", NOW, arrival, undefined, limits);
  const batch = { session: "s", lane: "a", first: 1, last: ops.length, ops };
  const { contents, kinds } = projection.apply(batch, arrival);
  return { list: projection.index.attachments, index: projection.index, contents, kinds };
}

const reasons = (list: Attachment[]) => list.map(({ refused }) => refused ?? "taken");

test("an announced attachment is listed, awaited and stored with its sequence", () => {
  const op = announce({ id: "lane.1", group: "game" });
  const { list, contents, kinds, index } = recorded([{ op: "start", at: NOW }, op]);
  const { op: _, ...rest } = op;
  expect(list).toEqual([{ ...rest, seq: 2, complete: false }]);
  expect(list.every(isAwaited)).toBe(true);
  expect(contents.others.at(-1)).toEqual({ seq: 2, ...op });
  expect([...kinds]).toContain("attachment");
  expect(index.accepted).toBe(2);
});

test("an empty one is complete at once, if its checksum is that of nothing", () => {
  const { list } = recorded([
    announce({ size: 0, sha256: EMPTY_SHA }),
    announce({ size: 0, type: undefined }),
  ]);
  expect(list).toMatchObject([
    { complete: true },
    { complete: false, refused: "checksum_mismatch", type: "application/octet-stream" },
  ]);
});

test("an op over a limit is stored with its reason, and does not use up the limits", () => {
  const limits = { each: 100, session: 250, count: 4 };
  const ops = [101, 100, 100, 51, 50, 0].map((size) =>
    announce({ size, ...(size === 0 && { sha256: EMPTY_SHA }) }),
  );
  const { list, contents } = recorded([...ops, announce({ size: 1 })], limits);
  expect(reasons(list)).toEqual([
    "too_large",
    "taken",
    "taken",
    "session_full",
    "taken",
    "taken",
    "too_many",
  ]);
  const logged = contents.others.map(({ refused }) => refused ?? "taken");
  expect(logged).toEqual(reasons(list));
});

test("a second one with the same id changes nothing, and is counted", () => {
  const first = announce({ id: "lane.1" });
  const second = announce({ id: "lane.1", name: "other.png", size: 5 });
  const { list, index, contents } = recorded([first, second]);
  expect(list).toMatchObject([{ name: "screenshot.png", size: 1_000 }]);
  expect(index.leftOut).toEqual({ attachments: 1 });
  expect(contents.others.at(-1)).toMatchObject({ name: "other.png", refused: "duplicate" });
});

test("the list of refused ones is bounded", () => {
  const ops = Array.from({ length: MAX_REFUSED_ATTACHMENTS + 3 }, () => announce({ size: 1e9 }));
  const { list, index } = recorded([...ops, announce({ size: 1 })]);
  expect(list).toHaveLength(MAX_REFUSED_ATTACHMENTS);
  expect(index.leftOut).toEqual({ attachments: 4 });
});

test("the list is restored from the log, also which were refused", () => {
  const { contents, list } = recorded([
    announce(),
    announce({ size: 1e9 }),
    announce({ size: 0, sha256: EMPTY_SHA }),
  ]);
  const reader = new SegmentReader(packContents(contents, CODEC), CODEC);
  const index = newIndex("s", NOW, NOW);
  restore(index, {}, { ...newContents(), ...reader.contents() }, 3);
  expect(index.attachments).toEqual(list);
});

test("secrets in a name are redacted; its checksum and id are never taken for one", () => {
  const id = "ghp_0123456789abcdefghijABCDEFGHIJ456789";
  const { list, index } = recorded([announce({ id, name: `log of ${id}.txt` })]);
  expect(list[0]?.name).not.toContain(id);
  expect(list).toMatchObject([{ id, sha256: SHA }]);
  expect(index.alteredFields).toEqual(["name"]);
});

test("all chunks but the last have the same size", () => {
  const MIB = ATTACHMENT_CHUNK_BYTES;
  const parts = (size: number) =>
    Array.from({ length: chunksOf({ size }) }, (_, n) => chunkBytes({ size }, n));
  expect(parts(0)).toEqual([]);
  expect(parts(1)).toEqual([1]);
  expect(parts(MIB)).toEqual([MIB]);
  expect(parts(2 * MIB + 1)).toEqual([MIB, MIB, 1]);
});

test.each([
  ["size", -1],
  ["size", 1.5],
  ["size", "1"],
  ["size", 2 ** 60],
  ["size", Infinity],
  ["sha256", "AB".repeat(32)],
  ["sha256", "ab".repeat(31)],
  ["sha256", `${SHA}\n`],
  ["sha256", [SHA]],
  ["id", ""],
  ["id", "../1"],
  ["id", "a b"],
  ["id", "x".repeat(129)],
  ["id", 1],
  ["name", "x".repeat(MAX_NAME_LENGTH + 1)],
  ["name", null],
  ["name", { toString: "x" }],
  ["type", "x".repeat(101)],
  ["type", ["image/png"]],
  ["group", 1],
])("an op whose %s is %j is refused", (field, value) => {
  expect(() => parse(Op, { ...announce(), [field]: value }, "The op")).toThrow(`at ${field}`);
});

test("a sender cannot state that an attachment is refused or complete", () => {
  const sent = { ...announce(), refused: "too_large", complete: true, seq: 9 };
  const { list } = recorded([parse(Op, sent, "The op")]);
  expect(list).toMatchObject([{ complete: false, seq: 1 }]);
  expect(list[0]).not.toHaveProperty("refused");
});

test("the setting of the limits is read whole, or not at all", () => {
  const MIB = 1024 * 1024;
  expect(parseAttachmentLimits("1, 20,3")).toEqual({ each: MIB, session: 20 * MIB, count: 3 });
  expect(parseAttachmentLimits("9999,9999,9999")).toEqual({
    each: 1_024 * MIB,
    session: 9_999 * MIB,
    count: 1_000,
  });
  const none = parseAttachmentLimits("0,0,0");
  expect(reasons(recorded([announce()], none).list)).toEqual(["too_many"]);
  for (const text of [undefined, "", "10", "10,50", "10,50,200,1", "a,b,c", "-1,1,1", "1e3,1,1"])
    expect(parseAttachmentLimits(text)).toEqual({
      each: 10 * MIB,
      session: 50 * MIB,
      count: 200,
    });
});
