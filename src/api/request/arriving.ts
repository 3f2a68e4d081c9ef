/** Reads a body as it arrives, at the pace of its sender. */
import { UNREAD_MS } from "../limits.ts";

/** The pieces of a body. While none arrives for `ms`, `wait` is called again and again. */
export async function* arriving(
  body: Request["body"],
  ms: number,
  wait: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  let isDone = false;
  try {
    while (!isDone) {
      const next = reader.read();
      while (await isLate(next, ms)) await wait();
      const { done, value } = await next;
      isDone = done;
      if (value) yield value;
    }
  } finally {
    if (!isDone) await scheduler.wait(UNREAD_MS);
    await reader.cancel();
  }
}

async function isLate(next: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), ms);
  });
  try {
    return await Promise.race([late, next.then(() => false)]);
  } finally {
    clearTimeout(timer);
  }
}
