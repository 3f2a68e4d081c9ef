/** A body is read at the pace of its sender. */
import { expect, test } from "vitest";
import { arriving } from "../../src/api/request/arriving.ts";

/** A body whose pieces wait for what `before` returns. */
function bodyOf(pieces: number, before: (piece: number) => Promise<void>): Request["body"] {
  let piece = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      await before(piece);
      if (piece < pieces) controller.enqueue(Uint8Array.of(piece++));
      else controller.close();
    },
  });
}

async function read(body: Request["body"], wait: () => Promise<void>): Promise<number[]> {
  const read: number[] = [];
  for await (const bytes of arriving(body, 1, wait)) read.push(...bytes);
  return read;
}

test("while nothing of a body arrives, its reader is called again and again", async () => {
  let calls = 0;
  let onCall = () => {};
  const called = (times: number) =>
    new Promise<void>((resolve) => {
      onCall = () => void (calls >= times && resolve());
    });
  const body = bodyOf(3, (piece) => (piece === 1 ? called(4) : Promise.resolve()));
  const pieces = await read(body, async () => {
    calls++;
    onCall();
  });
  expect(pieces).toEqual([0, 1, 2]);
  expect(calls).toBeGreaterThanOrEqual(4);
});

test("what the reader throws ends the body, which is cancelled", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: () => new Promise(() => {}),
    cancel: () => void (isCancelled = true),
  });
  const fails = async () => {
    throw new Error("no more");
  };
  await expect(read(body, fails)).rejects.toThrow("no more");
  expect(isCancelled).toBe(true);
});

test("a body that fails is an error, and none is empty", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("the connection was lost"));
    },
  });
  await expect(read(body, () => Promise.resolve())).rejects.toThrow("the connection was lost");
  expect(await read(null, () => Promise.resolve())).toEqual([]);
});
