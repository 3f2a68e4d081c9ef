/** Guessing the admin secret, without a rate limit of the deployment. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  MAX_ALL_WRONG_SECRETS,
  MAX_NETWORKS,
  MAX_UNKNOWN_KEYS,
  MAX_WRONG_SECRETS,
} from "../../src/access/limits.ts";
import { server } from "../api/server.ts";
import { bearer, code, deployed, HOME, newKey, SECRET } from "./world.ts";

let minute = Date.UTC(2027, 0, 5, 12);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: (minute += 60_000) });
});
afterEach(() => void vi.useRealTimers());

const from = (address: string, headers: Record<string, string> = {}) => ({
  "cf-connecting-ip": address,
  ...headers,
});
const guess = (address: string, secret = "wrong") =>
  deployed("/api/sessions", { headers: from(address, bearer(secret)) });
const signIn = (address: string, secret: string) =>
  deployed("/login", {
    method: "POST",
    body: new URLSearchParams({ secret, back: "/" }),
    headers: { ...from(address), origin: HOME },
    redirect: "manual",
  });

test("after too many wrong ones a network is refused, also with the right one, until the minute is over", async () => {
  for (let n = 0; n < MAX_WRONG_SECRETS; n++)
    expect((await (n % 2 ? guess("192.0.1.1") : signIn("192.0.1.1", "wrong"))).status).toBeLessThan(
      429,
    );
  for (const secret of ["wrong", SECRET]) {
    expect(await code(await guess("192.0.1.1", secret))).toBe("too_many_requests");
    const refused = await signIn("192.0.1.1", secret);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(refused.headers.get("set-cookie")).toBeNull();
  }
  const key = await newKey({ kind: "read" });
  expect(await code(await guess("192.0.1.1", key.key))).toBe("ok");
  expect((await signIn("192.0.2.1", SECRET)).status).toBe(303);
  vi.setSystemTime(minute + 60_000);
  expect((await signIn("192.0.1.1", SECRET)).status).toBe(303);
});

test("pages of other sites shut out no one: a secret that they send is not compared", async () => {
  const headers = from("192.0.4.1", { origin: "https://evil.example.org" });
  const send = (secret: string) =>
    deployed("/api/ingest", {
      method: "POST",
      body: "{}",
      headers: { ...headers, ...bearer(secret) },
    });
  for (let n = 0; n < MAX_WRONG_SECRETS; n++)
    expect(await code(await send("wrong"))).toBe("unauthorized");
  expect(await code(await send(SECRET))).toBe("unauthorized");
  expect(await code(await send((await newKey({ kind: "ingest" })).key))).toBe("invalid_body");
  expect((await signIn("192.0.4.1", SECRET)).status).toBe(303);
});

test("on one machine wrong tokens of another user, or of a page's link, shut out no one", async () => {
  const others = server({ LOCAL: "others", ADMIN_SECRET: SECRET });
  for (let n = 0; n < MAX_WRONG_SECRETS; n++) {
    expect(await code(await others("/api/sessions", { headers: bearer("wrong") }))).toBe(
      "unauthorized",
    );
    await others("/?token=wrong", { redirect: "manual" });
  }
  expect(await code(await others("/api/sessions", { headers: bearer(SECRET) }))).toBe("ok");
});

test("the addresses of one IPv6 network count as one", async () => {
  for (let n = 0; n < MAX_WRONG_SECRETS; n++) await guess(`2001:db8:1:${n}::7`);
  expect(await code(await guess("2001:db8:1::1"))).toBe("too_many_requests");
  expect(await code(await guess("2001:db8:2::1"))).toBe("unauthorized");
});

test("from ever new addresses all sign-ins together are slowed, and cookies and keys are not", async () => {
  const { key } = await newKey({ kind: "read" });
  const signedIn = await signIn("192.0.1.1", SECRET);
  const cookie = (signedIn.headers.get("set-cookie") ?? "").replace(/;.*/, "");
  for (let n = 0; n < MAX_ALL_WRONG_SECRETS; n++) await guess(`10.${n >> 8}.${n & 255}.1`);
  expect(await code(await guess("192.0.3.1"))).toBe("too_many_requests");
  expect((await signIn("192.0.3.1", SECRET)).status).toBe(429);
  expect(await code(await guess("192.0.3.1", key))).toBe("ok");
  expect((await deployed("/settings", { headers: { cookie } })).status).toBe(200);
  expect(MAX_ALL_WRONG_SECRETS).toBeLessThan(MAX_NETWORKS);
});

test.each(["short", "passwordpassword1234", "aaaaaaaaaaaaaaaaaaaaaaaa"])(
  "with the admin secret %j the server stays locked, and gives the reason",
  async (weak) => {
    const locked = server({ ADMIN_SECRET: weak }, HOME);
    for (const path of ["/api/sessions", "/"]) {
      const response = await locked(path, { headers: bearer(weak) });
      const text = await response.text();
      expect(response.status).toBe(403);
      expect(text).toContain("The admin secret of this server is too weak");
      expect(text).toContain("openssl rand -base64 24");
      expect(text).not.toContain(weak);
    }
    expect((await locked("/health")).status).toBe(200);
  },
);

test("a flood of made-up keys is answered 401 and then 429, and right keys go on", async () => {
  const right = await newKey({ kind: "read" });
  expect(await code(await guess("192.0.9.1", right.key))).toBe("ok");
  const flood = Array.from({ length: 600 }, async (_, n) => {
    const key = `dc_read_${String(n).padStart(12, "0")}.${"w".repeat(43)}`;
    return code(await guess("192.0.9.1", key));
  });
  const counts = new Map<string, number>();
  for (const answer of await Promise.all(flood)) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({
    unauthorized: MAX_UNKNOWN_KEYS,
    too_many_requests: 600 - MAX_UNKNOWN_KEYS,
  });
  expect(await code(await guess("192.0.9.1", right.key))).toBe("ok");
  const another = await newKey({ kind: "read" });
  expect(await code(await guess("192.0.10.1", another.key))).toBe("ok");
});
