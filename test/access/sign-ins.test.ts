/** The pages' cookie: who it lets in, and how it ends. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { network } from "../../src/access/address.ts";
import { signingKey } from "../../src/registry/sign-ins.ts";
import { post, server } from "../api/server.ts";
import { code, deployed, HOME, SECRET, signIn } from "./world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const page = (cookie: string, ask = deployed, headers = {}) =>
  ask("/settings", { headers: { cookie, ...headers }, redirect: "manual" });
const submit = (path: string, cookie: string) =>
  deployed(path, { method: "POST", headers: { cookie, origin: HOME }, redirect: "manual" });
const rows = async () =>
  (await env.REGISTRY.prepare("SELECT * FROM sign_ins").all<{ id: string; used_at: number }>())
    .results;

afterEach(async () => {
  vi.useRealTimers();
  await env.REGISTRY.exec("DELETE FROM sign_ins");
});

/** Continues at this many milliseconds from now. */
function later(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

test("is set for the right secret, for this host, and lets its browser into pages and API", async () => {
  expect((await signIn(deployed, "wrong")).header).toBe("");
  const { cookie, header } = await signIn();
  for (const part of ["__Host-datacat=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"].concat([
    "Max-Age=604800",
  ]))
    expect(header).toContain(part);
  expect(header).not.toContain("Domain");
  expect((await page(cookie)).status).toBe(200);
  const api = (headers: Record<string, string>) => deployed("/api/sessions", { headers });
  expect(await code(await api({ cookie }))).toBe("ok");
  expect(await code(await deployed("/api/sessions", post({}, { cookie, origin: HOME })))).toBe(
    "ok",
  );
  const origin = "https://evil.example.org";
  expect(await code(await deployed("/api/sessions", post({}, { cookie, origin })))).toBe(
    "forbidden",
  );
});

test("is no other's: neither changed, nor with an id alone, nor of another secret", async () => {
  const { cookie } = await signIn();
  const [, id = "", signature = ""] = /=([\w-]+)\.(.+)$/.exec(cookie) ?? [];
  const name = "__Host-datacat=";
  const [stored] = await rows();
  expect(stored?.id).toBe(id);
  for (const forged of [
    `${id}`,
    `${id}.`,
    `${id}x.${signature}`,
    `x${id}.${signature}`,
    `.${signature}`,
  ])
    expect((await page(name + forged)).status, forged).toBe(302);
  expect((await page(cookie, server({ ADMIN_SECRET: `${SECRET}!` }, HOME))).status).toBe(302);
  expect((await page(cookie, server({ ADMIN_SECRET: "" }, HOME))).status).toBe(403);
});

test("does not help to guess the secret: without the registry's key nothing of it follows from the secret", async () => {
  const { cookie } = await signIn();
  const value = decodeURIComponent(cookie.replace(/^[^=]+=/, ""));
  const [id = "", signature = ""] = value.split(".");
  const sign = async (key: string) => {
    const bytes = new TextEncoder();
    const imported = await crypto.subtle.importKey(
      "raw",
      bytes.encode(key),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytes.encode(id))).toBase64();
  };
  expect(signature).not.toBe(await sign(SECRET));
  const stored = JSON.stringify([
    await env.REGISTRY.prepare("SELECT * FROM signing").all(),
    await rows(),
  ]);
  expect(stored).not.toContain(signature);
  const hash = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SECRET)),
  );
  for (const text of [SECRET, hash.toHex(), hash.toBase64()])
    expect(`${stored} ${value}`).not.toContain(text);
});

test("the signing key is made once, also by two isolates at the same time", async () => {
  const own = await signingKey(env.REGISTRY, "none is made");
  await env.REGISTRY.exec("DELETE FROM signing");
  const keys = await Promise.all(
    ["one", "two", "three"].map((candidate) => signingKey(env.REGISTRY, candidate)),
  );
  expect(new Set(keys).size).toBe(1);
  expect(await signingKey(env.REGISTRY, "four")).toBe(keys[0]);
  await env.REGISTRY.prepare("UPDATE signing SET key = ?1").bind(own).run();
});

test("ends on the server when its browser signs out, and with it only its own", async () => {
  const [one, other] = [await signIn(), await signIn()];
  expect((await rows()).length).toBe(2);
  const out = await submit("/logout", one.cookie);
  expect(out.headers.get("set-cookie")).toMatch(/^__Host-datacat=;.*Max-Age=0/);
  expect((await page(one.cookie)).status).toBe(302);
  expect(await code(await deployed("/api/sessions", { headers: { cookie: one.cookie } }))).toBe(
    "unauthorized",
  );
  expect((await page(other.cookie)).status).toBe(200);
});

test("a new sign-in in the same browser ends the one before", async () => {
  const before = await signIn();
  const after = await signIn(deployed, SECRET, { cookie: before.cookie });
  expect((await page(before.cookie)).status).toBe(302);
  expect((await page(after.cookie)).status).toBe(200);
});

test("all others end at once by a button in the settings; the browser itself stays", async () => {
  const all = [await signIn(), await signIn(), await signIn()];
  const text = await (await page(all[0]?.cookie ?? "")).text();
  expect(text).toContain("Sign out all others");
  expect(text.match(/<code>sign-in|sign-in [\w-]{8}/g)?.length).toBeGreaterThan(2);
  await submit("/settings/sign-ins/end", all[0]?.cookie ?? "");
  const statuses = await Promise.all(all.map(async ({ cookie }) => (await page(cookie)).status));
  expect(statuses).toEqual([200, 302, 302]);
});

test("lasts for 7 days after its last use, which is stored once an hour", async () => {
  const { cookie } = await signIn();
  const [stored] = await rows();
  later(HOUR - 1_000);
  expect((await page(cookie)).headers.get("set-cookie")).toBeNull();
  expect(await rows()).toEqual([stored]);

  for (let time = 0; time < 3; time++) {
    later(6 * DAY);
    // An open page that fetches its parts does not keep the browser signed in.
    const fragment = await page(cookie, deployed, { "hx-request": "true" });
    expect([fragment.status, fragment.headers.get("set-cookie")]).toEqual([200, null]);
    const answers = await Promise.all([page(cookie), page(cookie), page(cookie)]);
    const renewed = answers.flatMap(({ headers }) => headers.get("set-cookie") ?? []);
    expect(renewed).toEqual([expect.stringContaining("Max-Age=604800")]);
    expect((await rows())[0]?.used_at).toBe(Date.now());
  }
  later(7 * DAY - 1_000);
  expect((await page(cookie, deployed, { "hx-request": "true" })).status).toBe(200);
  later(1_000);
  expect((await page(cookie)).status).toBe(302);
  expect((await page((await signIn()).cookie)).status).toBe(200);
  expect((await rows()).length).toBe(1); // the one that ended is removed
});

test("few sign-ins are kept, however often someone signs in", async () => {
  const first = await signIn();
  later(1_000);
  const many = Array.from({ length: 120 }, (_, n) => `('id-${n}', 'x', 1, ${Date.now()})`);
  await env.REGISTRY.exec(`INSERT INTO sign_ins VALUES ${many.join()}`);
  later(1_000);
  const last = await signIn();
  expect((await rows()).length).toBe(100);
  expect((await page(last.cookie)).status).toBe(200);
  later(20_000);
  expect((await page(first.cookie)).status).toBe(302);
});

test("pages take no key, not even the secret itself", async () => {
  const { cookie } = await signIn();
  for (const more of [[], [["cookie", cookie]]] as [string, string][][]) {
    const asked = { headers: [["authorization", `Bearer ${SECRET}`] as [string, string], ...more] };
    for (const path of ["/", "/sessions", "/settings"])
      expect((await deployed(path, asked)).status, path).toBe(403);
  }
});

test.each([
  ["203.0.113.77", "203.0.113.0/24"],
  ["::ffff:203.0.113.77", "203.0.113.0/24"],
  ["2001:db8:85a3::8a2e:370:7334", "2001:db8:85a3::/48"],
  ["2001:0db8:0000:1:2:3:4:5", "2001:db8:0::/48"],
  ["2001:db8::1", "2001:db8:0::/48"],
  ["::1", "0:0:0::/48"],
  ["2001:DB8:A::", "2001:db8:a::/48"],
  ["", "unknown"],
  ["<b>", "unknown"],
])("of the address %s the network is kept", (address, expected) => {
  expect(network(address)).toBe(expected);
});
