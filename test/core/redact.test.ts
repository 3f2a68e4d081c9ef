import type { JsonObject } from "../../src/core/wire.ts";
import { describe, expect, test } from "vitest";
import cases from "../fixtures/redaction.json" with { type: "json" };
import { isRedacted, isSecret, redact, redactArguments } from "../../src/core/redact.ts";

test.each([
  "password",
  "DB_PASSWORD",
  "db-passwd",
  "clientSecret",
  "access_token",
  "Set-Cookie",
  "Authorization",
  "API Key",
  "x-api-key",
  "privateKey",
  "AWS_CREDENTIALS",
  "Session-Key",
])("%s holds a secret", (key) => expect(isSecret(key)).toBe(true));

test.each(["user", "pass", "key", "session", "tok_en ", "author", "level", "__proto__", ""])(
  "%s holds none",
  (key) => expect(isSecret(key)).toBe(key === "tok_en "),
);

test("secrets are replaced at any depth, of any type", () => {
  const state: JsonObject & { db: JsonObject } = {
    db: { password: "hunter2", user: "ada" },
    list: [{ token: "5" }, { name: "x" }],
    cookies: { a: "b" },
  };
  expect(redact(state)).toEqual({
    db: { password: "[redacted]", user: "ada" },
    list: [{ token: "[redacted]" }, { name: "x" }],
    cookies: "[redacted]",
  });
  expect(state.db["password"]).toBe("hunter2");
});

test("an empty secret and null stay: a patch may delete one", () => {
  const patch = { token: null, secret: "", cookie: [], credentials: {}, password: false };
  expect(redact(patch)).toEqual({ ...patch, password: "[redacted]" });
});

test("a value without secrets is returned itself, not a copy", () => {
  const state = { level: 3, player: { items: [{ name: "sword" }] } };
  expect(redact(state)).toBe(state);
});

test("__proto__ stays an ordinary key beside a secret", () => {
  const state = JSON.parse('{"__proto__":{"token":"x"}}') as { [key: string]: string };
  expect(JSON.stringify(redact(state))).toBe('{"__proto__":{"token":"[redacted]"}}');
});

describe("the cases that all clients test", () => {
  test.each(cases.values)("$key: $value is redacted: $redacted", ({ key, value, redacted }) => {
    const object = { [key]: value } as JsonObject; // JSON of the fixture
    expect(redact(object)).toEqual({ [key]: redacted ? "[redacted]" : value });
    expect(isSecret(key) && isRedacted(key, value)).toBe(redacted);
  });

  test.each(cases.arguments)("command line $original", ({ original, written }) =>
    expect(redactArguments(original)).toEqual(written),
  );
});
