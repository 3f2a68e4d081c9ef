/** Merging groups of exceptions, and splitting them off, by the API and on pages: who may, what is listed afterwards, what is in the audit list. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import type { ExceptionGroup } from "../../src/catalog/exceptions.ts";
import { bearer, code, deployed, HOME, newKey, SECRET, signIn } from "../access/world.ts";
import { post, withKey } from "./server.ts";

const admin = (path: string, init?: RequestInit) => deployed(path, withKey(SECRET, init));
const json = async <T>(path: string): Promise<T> => (await (await admin(path)).json()) as T;
const list = async (product: string) =>
  (await json<{ items: ExceptionGroup[] }>(`/api/exceptions?product=${product}&sort=first_at`))
    .items;

/** A session of a product with exceptions of these types, a second apart. */
async function record(product: string, ...types: string[]): Promise<string> {
  const session = `${product}-${types.join("-")}`;
  const at = Date.now() - 60_000;
  const ops = [
    { op: "start", at, product, version: "1.0" },
    ...types.map((type, index) => ({
      op: "event",
      at: at + index * 1_000,
      name: "exception",
      exception_type: type,
      exception_msg: `<b>${type}</b> at door ${index}`,
    })),
  ];
  const batch = { session, lane: "l", first: 1, last: ops.length, ops };
  await admin("/api/ingest", post({ batches: [batch] }));
  await admin("/api/reindex", post({ sessions: [session] }));
  return session;
}

/** The fingerprints of a product by type. */
async function fingerprints(product: string): Promise<Record<string, string>> {
  return Object.fromEntries((await list(product)).map((each) => [each.type, each.fingerprint]));
}

beforeAll(async () => {
  await record("game", "KeyError", "ValueError", "OSError");
  await record("game", "ValueError");
  await record("shop", "KeyError");
});

const audited = async () =>
  (
    await env.REGISTRY.prepare(
      "SELECT action, who, subject FROM audit WHERE action LIKE 'exceptions%' ORDER BY subject",
    ).all()
  ).results;

test("groups are merged and split by the API, and every reader has them as one", async () => {
  const {
    KeyError: key = "",
    ValueError: value = "",
    OSError: os = "",
  } = await fingerprints("game");
  const path = `/api/exceptions/${key}/merges`;
  const merged = await admin(path, post({ product: "game", fingerprints: [value] }));
  expect(await merged.json()).toMatchObject({
    items: [{ fingerprint: key, fingerprints: [key, value], sessions: 2, count: 3 }],
  });
  expect(await list("game")).toMatchObject([
    { fingerprint: os },
    { fingerprint: key, sessions: 2, count: 3 },
  ]);
  // By the fingerprint of a part, too.
  expect(await json(`/api/exceptions/${value}?product=game`)).toMatchObject({
    items: [{ fingerprint: key, days: [{ sessions: 2, count: 3 }] }],
  });
  expect(await json(`/api/exceptions/${key}/merges?product=game`)).toMatchObject({
    items: [{ fingerprint: value, merged_into: key, merged_by: "admin secret" }],
  });
  for (const address of ["/api/sessions", "/api/distinctions"])
    expect(JSON.stringify(await json(`${address}?product=game&exception=${key}`))).toContain(
      address === "/api/sessions" ? "game-ValueError" : '"sessions":2',
    );
  // A decision by a part's fingerprint is one about the whole.
  await admin(`/api/exceptions/${value}`, post({ product: "game", status: "muted" }));
  expect(await list("game")).toMatchObject([{ status: "open" }, { status: "muted" }]);
  await admin(`/api/exceptions/${key}`, post({ product: "game", status: "open" }));

  const split = `/api/exceptions/${value}/merges?product=game`;
  expect(await code(await admin(split, { method: "DELETE" }))).toBe("ok");
  expect(await code(await admin(split, { method: "DELETE" }))).toBe("not_found");
  expect(await code(await admin(`/api/exceptions/${value}/merges`, { method: "DELETE" }))).toBe(
    "invalid_query",
  );
  expect(await list("game")).toHaveLength(3);
  expect(await audited()).toEqual([
    {
      action: "exceptions_merged",
      who: "admin secret",
      subject: `${value} into ${key} of game`,
    },
    { action: "exceptions_split", who: "admin secret", subject: `${value} of game` },
  ]);
});

test("a key of another product, and one that only reads, merge and split nothing", async () => {
  const { KeyError: key = "", ValueError: value = "" } = await fingerprints("game");
  const body = { product: "game", fingerprints: [value] };
  const path = `/api/exceptions/${key}/merges`;
  await admin(path, post(body));
  for (const [kind, product, mayRead] of [
    ["read", undefined, true],
    ["admin", "shop", false],
  ] as const) {
    const headers = bearer((await newKey({ kind, product, label: "k" })).key);
    expect(await code(await deployed(path, post(body, headers)))).toBe("forbidden");
    const gone = await deployed(`/api/exceptions/${value}/merges?product=game`, {
      method: "DELETE",
      headers,
    });
    expect(await code(gone)).toBe(kind === "read" ? "forbidden" : "not_found");
    const rows = await (await deployed(`${path}?product=game`, { headers })).text();
    expect(rows.includes(value)).toBe(mayRead);
  }
  expect(await list("game")).toHaveLength(2);
  // With a key of the product itself.
  const headers = bearer((await newKey({ kind: "admin", product: "game", label: "k" })).key);
  const gone = await deployed(`/api/exceptions/${value}/merges`, { method: "DELETE", headers });
  expect(await code(gone)).toBe("ok");
});

test.each([
  ["no list", { product: "game" }, "invalid_body"],
  ["an empty list", { product: "game", fingerprints: [] }, "invalid_body"],
  ["a number", { product: "game", fingerprints: [1] }, "invalid_body"],
  [
    "more than a group holds",
    { product: "game", fingerprints: Array(101).fill("f") },
    "invalid_body",
  ],
  ["a group that is not there", { product: "game", fingerprints: ["f"] }, "not_found"],
  ["a group of another product", { product: "shop", fingerprints: [] }, "invalid_body"],
])("%s merges nothing", async (_, body, expected) => {
  const { KeyError: key = "" } = await fingerprints("game");
  const rows = async () => await env.REGISTRY.prepare("SELECT count(*) AS n FROM merges").first();
  const before = await rows();
  expect(await code(await admin(`/api/exceptions/${key}/merges`, post(body)))).toBe(expected);
  expect(await rows()).toEqual(before);
});

test("groups selected in the list are merged under the first one, and its page has which, why and by whom", async () => {
  const { KeyError: key = "", OSError: os = "" } = await fingerprints("game");
  const { cookie } = await signIn();
  const person = /=(.{8})/.exec(cookie)?.[1] ?? "";
  const ask = (path: string, init?: RequestInit) =>
    deployed(path, { ...init, headers: { cookie, origin: HOME }, redirect: "manual" });
  const submit = (path: string, fields: [string, string][]) =>
    ask(path, { method: "POST", body: new URLSearchParams(fields) });
  const groups = [os, key].map((each): [string, string] => [
    "group",
    JSON.stringify(["game", each]),
  ]);
  const page = await (await ask("/exceptions?product=game")).text();
  expect(page.match(/name="group"/g)).toHaveLength(3);

  expect((await submit("/exceptions/merges", groups.slice(0, 1))).status).toBe(400);
  const other: [string, string] = ["group", JSON.stringify(["shop", key])];
  const refused = await submit("/exceptions/merges", [...groups, other]);
  expect([refused.status, await refused.text()]).toEqual([
    400,
    expect.stringContaining("Groups of different products cannot be merged."),
  ]);
  for (const text of ["[", "x", "[1,2]", "[]", "null"])
    expect((await submit("/exceptions/merges", [["group", text], ...groups])).status).toBe(400);

  const merged = await submit("/exceptions/merges", groups);
  expect([merged.status, merged.headers.get("location")]).toEqual([
    303,
    `/exceptions/${key}?product=game`,
  ]);
  // The address of a part leads to the whole.
  const moved = await ask(`/exceptions/${os}?product=game`);
  expect(moved.headers.get("location")).toBe(`/exceptions/${key}?product=game`);
  const whole = await (await ask(`/exceptions/${key}?product=game`)).text();
  expect(whole).toContain("Merged groups");
  expect(whole).toContain(`Merged into KeyError (${key}) by sign-in ${person}`);
  expect(whole).toContain(`/exceptions/${os}/split`);
  expect(whole).not.toContain(`/exceptions/${key}/split`);
  expect(whole).not.toContain("<b>OSError");
  const why = await (await ask(`/exceptions/${os}/why?product=game`)).text();
  expect(why).toContain("their type and the template of their message");
  expect(why).toContain("&lt;b&gt;OSError&lt;/b&gt; at door &lt;number&gt;");
  expect(await (await ask("/exceptions?product=game")).text()).toContain("2 merged");

  const split = await submit(`/exceptions/${os}/split`, [["product", "game"]]);
  expect(split.headers.get("location")).toBe(`/exceptions/${os}?product=game`);
  expect(await list("game")).toHaveLength(3);
  expect((await submit(`/exceptions/${os}/split`, [["product", "game"]])).status).toBe(404);
  expect((await ask("/settings/audit")).status).toBe(200);
  expect(await (await ask("/settings/audit")).text()).toContain("Exceptions split off");
});
