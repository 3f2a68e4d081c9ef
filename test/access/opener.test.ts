/** A session is bound to the key that opened it, and a lane to the key that wrote its first batch. */
import { beforeAll, describe, expect, test } from "vitest";
import { open, post, withKey } from "../api/server.ts";
import { bearer, code, deployed, HOME, newKey, SECRET, signIn } from "./world.ts";

const LANE = "0198f3c2-0000-7000-8000-0123456789ab";
const keys: { [who: string]: string } = { "the admin secret": SECRET };
const ids: { [who: string]: string } = {};

const KEYS: [who: string, may: boolean, body: object][] = [
  ["the key that opened it", true, { kind: "ingest", product: "game" }],
  ["another of the product", false, { kind: "ingest", product: "game" }],
  ["one of all products", false, { kind: "ingest" }],
  ["another that is allowed to", true, { kind: "ingest", product: "game", continues_others: true }],
  ["one of all products that is allowed to", true, { kind: "ingest", continues_others: true }],
  ["one of another product", false, { kind: "ingest", product: "shop", continues_others: true }],
  ["an admin of the product", true, { kind: "admin", product: "game" }],
  ["an admin of another product", false, { kind: "admin", product: "shop" }],
];

beforeAll(async () => {
  for (const [who, , body] of KEYS) {
    const { id, key } = await newKey(body);
    keys[who] = key;
    ids[who] = id;
  }
});

type Result = { applied: number; error?: { code: string; message: string } };

async function send(who: string, session: string, more: object): Promise<Result | undefined> {
  const ops = [{ op: "event", at: 1, name: who }];
  const body = post({ batches: [{ session, lane: LANE, ops, ...more }] });
  const answer = await deployed("/api/ingest", withKey(keys[who] ?? "", body));
  return ((await answer.json()) as { results: Result[] }).results[0];
}

async function lanesOf(session: string): Promise<{ lane: string; applied: number }[]> {
  const path = `/api/sessions/${session}/summary`;
  const answer = await deployed(path, { headers: bearer(SECRET) });
  return ((await answer.json()) as { lanes: { lane: string; applied: number }[] }).lanes;
}

describe("a session and its lane", () => {
  test.each<[who: string, may: boolean, body: object]>([...KEYS, ["the admin secret", true, {}]])(
    "for %s: may continue them: %s",
    async (who, may) => {
      const session = `opened-${who.replaceAll(" ", "-")}`;
      const first = await send("the key that opened it", session, { first: 1, last: 1 });
      expect(first).toMatchObject({ applied: 1 });
      const expected = may ? undefined : "forbidden";

      // Who may not write there is not answered what is stored.
      const repeated = await send(who, session, { first: 1, last: 1 });
      expect(repeated?.error?.code).toBe(expected);
      if (!may) expect(repeated).toMatchObject({ applied: 0 });
      const lost = { first: 2, last: 9e11, ops: [], dropped: { damaged: 9e11 } };
      if (!may) expect((await send(who, session, lost))?.error?.code).toBe("forbidden");
      const next = await send(who, session, { first: 2, last: 2 });
      expect(next?.error?.code).toBe(expected);
      const other = await send(who, session, { lane: "other", first: 1, last: 1 });
      expect(other?.error?.code).toBe(expected);
      const legacy = await deployed(
        `/api/sessions/${session}/state`,
        withKey(keys[who] ?? "", post({ a: 1 })),
      );
      expect(await code(legacy)).toBe(expected ?? "ok");

      const rest = await send("the key that opened it", session, { first: may ? 3 : 2, last: 3 });
      expect(rest?.error?.code).toBe(may ? undefined : "invalid_body");
      const lanes = await lanesOf(session);
      expect(lanes.map(({ applied }) => applied)).toEqual(may ? [3, 1, 1] : [1]);
      expect(lanes[0]?.lane).toBe("0198f3c2-0000-7000-8000");
    },
  );

  test("that an admin opened are not an ingest key's, nor is a new lane of a key that was allowed", async () => {
    const admin = (path: string, init?: RequestInit) => deployed(path, withKey(SECRET, init));
    const session = await open(admin, { product: "game" });
    const own = "the key that opened it";
    expect((await send(own, session, { first: 1, last: 1 }))?.error?.code).toBe("forbidden");

    const shared = "shared-session";
    await send(own, shared, { first: 1, last: 1 });
    const theirs = { lane: "theirs", first: 1, last: 1 };
    expect((await send("another that is allowed to", shared, theirs))?.error).toBeUndefined();
    const over = await send(own, shared, { lane: "theirs", first: 2, last: 2 });
    expect(over?.error).toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("Lane theirs was opened with another key. Under Settings"),
    });
  });

  test("go on with a new key, once it is allowed: by the API and on the page", async () => {
    const who = "another of the product";
    const session = "rotated";
    await send("the key that opened it", session, { first: 1, last: 1 });
    const next = { first: 2, last: 2 };
    expect((await send(who, session, next))?.error?.code).toBe("forbidden");
    const allow = (id: string, others: unknown) =>
      deployed(`/api/keys/${id}`, post({ continues_others: others }, bearer(SECRET)));
    expect(await code(await allow(ids[who] ?? "", true))).toBe("ok");
    expect((await send(who, session, next))?.error).toBeUndefined();
    expect(await code(await allow(ids[who] ?? "", false))).toBe("ok");
    expect((await send(who, session, { first: 3, last: 3 }))?.error?.code).toBe("forbidden");
    expect(await code(await allow("000000000000", true))).toBe("not_found");
    expect(await code(await allow(ids[who] ?? "", "yes"))).toBe("invalid_body");

    const { cookie } = await signIn();
    const page = await deployed(`/settings/keys/${ids[who]}/continues`, {
      method: "POST",
      body: new URLSearchParams({ others: "1" }),
      headers: { cookie, origin: HOME },
      redirect: "manual",
    });
    expect(page.status).toBe(303);
    expect((await send(who, session, { first: 3, last: 3 }))?.error).toBeUndefined();
    const listed = await (await deployed("/settings", { headers: { cookie } })).text();
    expect(listed).toContain("all sessions");
    expect(listed).toContain("its own sessions");
  });
});
