import { expect, test } from "vitest";
import { weakness } from "../../src/access/strength.ts";

test.each([
  ["", "fewer than 16 characters"],
  ["correct horse", "fewer than 16 characters"],
  ["aaaaaaaaaaaaaaaaaaaaaaaa", "different characters"],
  ["abcabcabcabcabcabcabc", "different characters"],
  ["password123456789", "frequent passwords"],
  ["Datacat-Admin-Secret-2026", "frequent passwords"],
  ["abcdefghijklmnopqrstuvwxyz", "frequent passwords"],
  ["zyxwvutsrqponmlkjihgfedcba", "frequent passwords"],
  ["qwertyuiopasdfghjklzxcvbnm", "frequent passwords"],
  ["1234567890abcdefghijkl", "frequent passwords"],
  ["Hunter2!Hunter2!", "repetitions"],
  ["Summer2024Summer2024", "repetitions"],
  ["my-own-keymy-own-keyMY-OWN-KEY", "repetitions"],
  ["PASSWORDpasswordChangeMe!", "frequent passwords"],
])("%j is too weak", (secret, why) => {
  expect(weakness(secret)).toContain(why);
});

test.each([
  "correct horse battery staple",
  "w7Q-r2Lk9_xTz04m",
  "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5",
  "9f86d081884c7d659a2feaa0c55ad015",
  "\u00fcbermorgen regnet es in Gotha",
])("%j is accepted", (secret) => {
  expect(weakness(secret)).toBeUndefined();
});

test("what `openssl rand -base64 24` makes is accepted", () => {
  for (let n = 0; n < 2_000; n++) {
    const secret = crypto.getRandomValues(new Uint8Array(24)).toBase64();
    expect(weakness(secret), secret).toBeUndefined();
  }
});

test("the time grows linearly with the secret", () => {
  // A million characters take some 20 ms; quadratic time would take minutes.
  expect(weakness("ab".repeat(500_000))).toBeDefined();
  expect(weakness("admin qwerty !1aZ".repeat(60_000))).toBeDefined();
  expect(
    weakness(Array.from({ length: 100_000 }, (_, n) => `${n * 7919} `).join("")),
  ).toBeUndefined();
});
