/** What the API and the pages write to the audit list, and who may read it. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { AuditEntry } from "../../src/registry/audit.ts";
import { open, server, withKey } from "../api/server.ts";
import { bearer, code, deployed, HOME, newKey, SECRET, signIn } from "./world.ts";

const HOUR = 3_600_000;

afterEach(async () => {
  vi.useRealTimers();
  await env.REGISTRY.exec("DELETE FROM audit");
});

async function entries(): Promise<AuditEntry[]> {
  const answer = await deployed("/api/audit?limit=1000", { headers: bearer(SECRET) });
  return ((await answer.json()) as { items: AuditEntry[] }).items;
}

/** Without times, as lines in the order of the names. */
const lines = async () =>
  (await entries())
    .map(({ action, who, address, subject, count }) =>
      [action, who, address, subject, count].join(" | "),
    )
    .toSorted();

test("names who did what, from where and to what", async () => {
  const { id, key } = await newKey({ kind: "read", label: "Backup" });
  const session = await open((path, init) => deployed(path, withKey(SECRET, init)));
  await (
    await deployed(`/api/sessions/${session}/export`, {
      headers: { ...bearer(key), "cf-connecting-ip": "203.0.113.77" },
    })
  ).text();
  const { cookie } = await signIn(deployed, SECRET, { "cf-connecting-ip": "2001:db8:1::7" });
  const person = /=(.{8})/.exec(cookie)?.[1];
  const submit = (path: string) =>
    deployed(path, { method: "POST", headers: { cookie, origin: HOME }, redirect: "manual" });
  await submit(`/sessions/${session}/delete`);
  await submit(`/settings/keys/${id}/revoke`);
  await submit("/settings/sign-ins/end");
  await submit("/logout");
  expect(await lines()).toEqual([
    `key_created | admin secret | unknown | key ${id} (Backup), read, all products | 1`,
    `key_revoked | sign-in ${person} | unknown | key ${id} (Backup) | 1`,
    `session_deleted | sign-in ${person} | unknown | session ${session} | 1`,
    `session_exported | key ${id} (Backup) | 203.0.113.0/24 | session ${session} | 1`,
    `signed_in | sign-in ${person} | 2001:db8:1::/48 |  | 1`,
    `signed_out | sign-in ${person} | unknown |  | 1`,
    `signed_out | sign-in ${person} | unknown | all others (0) | 1`,
  ]);
});

test("a local server believes no header about an address", async () => {
  const local = server({ LOCAL: "1" });
  const session = await open(local);
  await local(`/api/sessions/${session}`, {
    method: "DELETE",
    headers: { "cf-connecting-ip": "203.0.113.77" },
  });
  expect(await lines()).toEqual([
    `session_deleted | this machine | this machine | session ${session} | 1`,
  ]);
});

test("wrong secrets and keys are counted by network, in few rows however many there are", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / HOUR) * HOUR });
  const guess = async (n: number) => {
    const from = { "cf-connecting-ip": `198.51.${n % 40}.1` };
    await signIn(deployed, `guess ${n}`, from);
    await deployed("/api/sessions", { headers: { ...bearer(`guess ${n}`), ...from } });
  };
  const written = async () =>
    (await env.REGISTRY.prepare("SELECT sum(count) AS n, count(*) AS rows FROM audit").first()) as {
      n: number | null;
      rows: number;
    };
  for (let n = 0; n < 100; n++) await guess(n);
  // The first was written at once; the rest waits for a minute.
  expect(await written()).toEqual({ n: 1, rows: 1 });
  vi.setSystemTime(Date.now() + 60_000);
  await guess(100);
  await deployed("/api/sessions"); // no key at all is no guess
  await expect.poll(async () => (await written()).n).toBe(201);
  const all = await entries();
  expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(202);
  expect(all.length).toBeLessThan(20);
  expect(all.filter(({ address }) => address === "").length).toBe(2);
  expect(new Set(all.map(({ who }) => who))).toEqual(new Set([""]));
});

test("is read by an admin of all products alone, page by page, also on a page", async () => {
  for (const body of [{ kind: "read" }, { kind: "ingest" }, { kind: "admin", product: "game" }]) {
    const { key } = await newKey({ ...body, label: "<b>bold</b>" });
    expect(await code(await deployed("/api/audit", { headers: bearer(key) }))).toBe("forbidden");
  }
  const { cookie } = await signIn();
  const ask = async (path: string) => (await deployed(path, { headers: { cookie } })).text();
  expect(JSON.parse(await ask("/api/audit?limit=3"))).toMatchObject({ next: expect.any(String) });
  for (const path of ["/settings", "/settings/audit"]) {
    const text = await ask(path);
    expect(text).toContain("Key created");
    expect(text).toContain("&lt;b&gt;bold&lt;/b&gt;");
    expect(text).not.toContain("<b>bold");
  }
});
