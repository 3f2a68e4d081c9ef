import type { Json, JsonObject } from "../../../src/core/wire.ts";
import { describe, expect, test } from "vitest";
import fixture from "../../fixtures/redaction.json" with { type: "json" };
import { useRules } from "../../../clients/typescript/encode/redactor.ts";
import { plainObject } from "../../../clients/typescript/encode/values.ts";
import { redactOp, Redactor, redactText } from "../../../src/core/secrets/redact.ts";
import { redactArguments } from "../../../src/core/secrets/arguments.ts";
import { KeyLines } from "../../../src/core/secrets/key-lines.ts";
import { parseOwnRules } from "../../../src/core/secrets/own.ts";

/** By the built-in rules. */
function redact<Value extends Json>(value: Value): Value {
  return new Redactor().value(value);
}

type Case<Value> = { original: Value; written?: Value };

/** The fixture without the characters that keep scanners from taking an example for a secret. */
const cases = JSON.parse(JSON.stringify(fixture).replaceAll("¦", "")) as {
  values: { key: string; value: Json; redacted: boolean }[];
  texts: Case<string>[];
  structures: Case<Json>[];
  arguments: Case<string[]>[];
  own: {
    rules: Json;
    texts: { original: string; written: string }[];
    objects: { root: string; original: Json; written: Json }[];
  };
};

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
  const state = { level: 3, player: { items: [{ name: "sword", note: "a=b: c" }] } };
  expect(redact(state)).toBe(state);
});

test("__proto__ stays an ordinary key beside a secret", () => {
  const state = JSON.parse('{"__proto__":{"token":"x"}}') as { [key: string]: string };
  expect(JSON.stringify(redact(state))).toBe('{"__proto__":{"token":"[redacted]"}}');
});

describe("the cases that all clients test", () => {
  test("values by their key", () => {
    for (const { key, value, redacted } of cases.values)
      expect(redact({ [key]: value })).toEqual({ [key]: redacted ? "[redacted]" : value });
  });

  test.each([
    ["texts", cases.texts, redactText],
    ["structures", cases.structures, redact],
    ["command lines", cases.arguments, redactArguments],
  ] as [string, Case<Json>[], (value: Json) => Json][])("%s", (_, list, clean) => {
    for (const { original, written = original } of list)
      expect(clean(original), JSON.stringify(original)).toEqual(written);
  });
});

/** A generator of numbers (mulberry32), so that a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const PIECES = [
  ...cases.texts.slice(0, 200).map(({ original }) => original),
  ...'password token: = : " \' \\" \\ [ ] { } ( ) @ :// / ? & # , ; -- - -p -u _ . % %3D %3A%2F%2F Bearer Basic eyJ AKIA ghp_ -----BEGIN -----END PRIVATE KEY----- 4111 1111 111111111111 cookie authorization pin [redacted] [redacted:jwt] [redac \n \t a b x 0 é 😀 sshpass login mysql =>'.split(
    / (?! )/,
  ),
  " ",
  "\n",
];

test("redacting again changes nothing, whatever the text is", () => {
  const random = randomOf(12);
  for (let i = 0; i < 20_000; i++) {
    let text = "";
    for (let length = 1 + random(12); length > 0; length--) text += PIECES[random(PIECES.length)];
    const once = redactText(text);
    expect(redactText(once), JSON.stringify(text)).toBe(once);
  }
});

test("what stands around a secret stays, and the secret does not", () => {
  const random = randomOf(7);
  const texts = ["door", "level 3", "x = 5", "at a.b(c.ts:1:2)", "12:30:45", "(ok)", "é😀"];
  const secrets = cases.texts.flatMap(({ original, written }) =>
    /^\[redacted:[a-z-]+\]$/.test(written ?? "") && !/^-----BEGIN[^]*[^-]$/.test(original)
      ? [[original, written ?? ""] as const]
      : [],
  );
  for (let i = 0; i < 5_000; i++) {
    const before = texts[random(texts.length)];
    const after = texts[random(texts.length)];
    const [secret, mark] = secrets[random(secrets.length)] ?? ["", ""];
    expect(redactText(`${before} ${secret} ${after}`)).toBe(`${before} ${mark} ${after}`);
  }
});

describe("a text over the limit of its event, of which 131,072 characters are stored at most", () => {
  const redactor = new Redactor();
  const MOST = 262_144;
  const STORED = 131_072;
  const secret = "password=hunter2hunter2";

  test("is read to where it is cut, and no further", () => {
    const text = "token: abcdefgh12 ".repeat(60_000);
    const clean = redactor.text(text, MOST);
    expect(clean.slice(0, STORED)).not.toContain("abcdefgh12");
    expect(clean.endsWith("token: abcdefgh12 ".repeat(40_000))).toBe(true);
  });

  test("has no part of a secret in what is stored, wherever the cut is", () => {
    for (let before = 1; before <= secret.length; before++) {
      const text = "x".repeat(STORED - before - 1) + ` ${secret} `.padEnd(500_000, " y");
      expect(redactor.text(text, MOST).slice(0, STORED), String(before)).not.toContain("=h");
    }
  });

  test("is read to its last stored character, also if many of them have two units", () => {
    const text = `${"😀x😀".repeat(14_000)}${"x".repeat(80_000)} ${secret}`.padEnd(600_000, " y");
    const clean = redactor.text(text, MOST);
    expect(Array.from(clean).slice(0, STORED).join("")).not.toContain("hunter2");
  });

  test("is read whole if its secrets are so long that it is within the limit without them", () => {
    const key = `-----BEGIN PRIVATE KEY-----${"A".repeat(300_000)}-----END PRIVATE KEY-----`;
    const text = `${key}${"x ".repeat(100_000)}${secret}`;
    expect(redactor.text(text, MOST)).toMatch(/^\[redacted:private-key\].*password=\[redacted\]$/);
    const keys = `AKIAIOSFODNN7EXAMPLE ${"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY ".repeat(8_000)}`;
    expect(redactor.text(`${keys}${secret}`, MOST)).not.toContain("hunter2");
  });
});

describe("own rules", () => {
  const { rules, problem } = parseOwnRules(
    JSON.stringify({
      prefixes: [{ prefix: "acme_", kind: "acme", characters: "hex", least: 8 }],
      names: ["badge"],
      keep: ["data.token_kind", "state.auth"],
    }),
  );
  const redactor = new Redactor(rules);

  test("add formats and names", () => {
    expect(problem).toBeUndefined();
    expect(redactor.text("key acme_0123abcd, badge=7")).toBe(
      "key [redacted:acme], badge=[redacted]",
    );
    expect(redactor.text("acme_xyz")).toBe("acme_xyz");
    expect(redactor.value({ badge: 7 })).toEqual({ badge: "[redacted]" });
    expect(redactArguments(["--badge", "7"], redactor)).toEqual(["--badge", "[redacted]"]);
  });

  test("are those of all clients", () => {
    const { rules, texts, objects } = cases.own;
    const own = new Redactor(parseOwnRules(JSON.stringify(rules)).rules);
    for (const { original, written } of texts) expect(own.text(original)).toBe(written);
    for (const { root, original, written } of objects)
      expect(own.value(original, root), JSON.stringify(original)).toEqual(written);
    useRules(JSON.stringify(rules));
    for (const { root, original, written } of objects)
      expect(plainObject(original, root, []), JSON.stringify(original)).toEqual(written);
    useRules("{}");
  });

  test("except paths", () => {
    const op = { op: "event", data: { token_kind: "jwt", token: "x" } };
    expect(redactOp(op, redactor)).toEqual({
      ...op,
      data: { token_kind: "jwt", token: "[redacted]" },
    });
    const state = { op: "state", patch: { auth: { method: "basic", password: "x" } } };
    expect(redactOp(state, redactor)).toBe(state);
  });

  test.each([
    ["{", "DATACAT_REDACT is not JSON"],
    ['{"patterns":[".*"]}', "patterns"],
    ['{"prefixes":[{"prefix":"a"}]}', "prefixes.0.prefix"],
    ['{"prefixes":[{"prefix":"(a+)+"}]}', "prefixes.0.prefix"],
    ['{"prefixes":[{"prefix":"acme_","least":1e9}]}', "prefixes.0.least"],
    ['{"prefixes":[{"prefix":"acme_","characters":"[^"}]}', "prefixes.0.characters"],
  ])("%s is refused", (text, reason) => {
    const parsed = parseOwnRules(text);
    expect(parsed.problem).toContain(reason);
    expect(parsed.rules.prefixes).toEqual([]);
  });
});

test("an op's identity stays; its texts, lists and values are redacted", () => {
  const secret = "password=hunter2";
  expect(
    redactOp({
      op: "event",
      at: 1,
      name: secret,
      category: secret,
      message: secret,
      labels: [secret],
      data: { note: secret },
      exception_msg: secret,
      stacktrace: [secret],
      attributes: { password: "x", url: secret },
      notes: [secret],
      causes: [
        {
          exception_msg: secret,
          stacktrace: [secret],
          attributes: { api_key: "x" },
          notes: [secret],
        },
      ],
      sources: [{ file: "a", first: 1, lines: [secret] }],
    }),
  ).toEqual({
    op: "event",
    at: 1,
    name: secret,
    category: secret,
    message: "password=[redacted]",
    labels: ["password=[redacted]"],
    data: { note: "password=[redacted]" },
    exception_msg: "password=[redacted]",
    stacktrace: ["password=[redacted]"],
    attributes: { password: "[redacted]", url: "password=[redacted]" },
    notes: ["password=[redacted]"],
    causes: [
      {
        exception_msg: "password=[redacted]",
        stacktrace: ["password=[redacted]"],
        attributes: { api_key: "[redacted]" },
        notes: ["password=[redacted]"],
      },
    ],
    sources: [{ file: "a", first: 1, lines: ["password=[redacted]"] }],
  });
});

test("a part of a test's id is a text, and no part names the next one", () => {
  const test = {
    id: ["password", "secret", "token=abc123def456ghi789"],
    output: "password=hunter2",
  };
  expect(redactOp({ op: "event", test })).toEqual({
    op: "event",
    test: { id: ["password", "secret", "token=[redacted]"], output: "password=[redacted]" },
  });
  const clean = { op: "event", test: { id: ["password.test.ts", "is long"], result: "passed" } };
  expect(redactOp(clean)).toBe(clean);
});

test("a private key that arrives line by line is redacted to its end", () => {
  const keys = new KeyLines();
  const lines = [
    "$ cat key",
    "a: -----BEGIN RSA PRIVATE KEY-----",
    "Proc-Type: 4,ENCRYPTED",
    "",
    "MIIEow+/==",
    "-----END RSA PRIVATE KEY----- b",
    "done",
  ];
  const mark = "[redacted:private-key]";
  expect(lines.map((line) => keys.next(line))).toEqual([
    "$ cat key",
    `a: ${mark}`,
    mark,
    mark,
    mark,
    `${mark} b`,
    "done",
  ]);
  expect(
    ["-----BEGIN PRIVATE KEY-----", "MII", "an error: {it} stopped!", "MII"].map((line) =>
      keys.next(line),
    ),
  ).toEqual([mark, mark, "an error: {it} stopped!", "MII"]);
  expect(keys.next("-----BEGIN CERTIFICATE-----")).toBe("-----BEGIN CERTIFICATE-----");
});
