import { expect, test } from "vitest";
import type { Env } from "../../src/env.ts";
import { EVICTED_AT_ONCE, MAX_RESIDENT } from "../../src/session/limits.ts";
import { noteFinish, noteImport, noteRequest } from "../../src/session/residents.ts";

/** An environment with an evictor that only lists what it got. */
function evicting() {
  const evicted: string[][] = [];
  const env = { EVICTOR: { evict: async (ids: string[]) => void evicted.push(ids) } };
  return { env: env as unknown as Env, evicted }; // as: the rest is not used
}

test("of many objects the least recently used ones are evicted, some at a time", () => {
  const { env, evicted } = evicting();
  const ids = Array.from({ length: MAX_RESIDENT + EVICTED_AT_ONCE - 1 }, (_, n) => `running-${n}`);
  for (const id of ids) noteRequest(env, id);
  for (const id of ids.slice(0, 4)) noteRequest(env, id); // used again
  expect(evicted).toEqual([]);
  noteRequest(env, "newest");
  expect(evicted).toEqual([ids.slice(4, 4 + EVICTED_AT_ONCE)]);
});

test("objects whose sessions are over are evicted first, unless they are used again", () => {
  const { env, evicted } = evicting();
  const ids = Array.from({ length: EVICTED_AT_ONCE + 1 }, (_, n) => `over-${n}`);
  for (const id of ids.slice(0, -1)) {
    noteRequest(env, id);
    if (id !== "over-0") noteFinish(env, id);
  }
  noteFinish(env, "over-0");
  expect(evicted).toEqual([[...ids.slice(1, -1), "over-0"]]);
  for (const id of ids) noteFinish(env, id);
  noteRequest(env, ids.at(-1) ?? "");
  expect(evicted.flat()).not.toContain(ids.at(-1));
});

test("an object that takes an import is not evicted until its next request", () => {
  const { env, evicted } = evicting();
  const use = (name: string) => {
    for (let n = 0; n < MAX_RESIDENT + EVICTED_AT_ONCE; n++) noteRequest(env, `${name}-${n}`);
  };
  noteRequest(env, "importing");
  noteFinish(env, "importing");
  noteImport(env, "importing");
  for (let n = 0; n < EVICTED_AT_ONCE; n++) noteFinish(env, `over-${n}`);
  use("others");
  expect(evicted.flat()).toContain("over-0");
  expect(evicted.flat()).not.toContain("importing");
  noteRequest(env, "importing");
  use("further");
  expect(evicted.flat()).toContain("importing");
});

test("a deployed Worker has no evictor, and keeps no list", () => {
  const env = {} as Env;
  for (let n = 0; n < 2 * MAX_RESIDENT; n++) noteRequest(env, `deployed-${n}`);
  const { env: local, evicted } = evicting();
  noteRequest(local, "one");
  expect(evicted.flat().filter((id) => id.startsWith("deployed"))).toEqual([]);
});
