/**
 * What the redaction of one text costs in each client, in processor time: npm run bench redaction. A text of 1 MB is over the limit of its
 * event, so that only what may be stored of it is read.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_EVENT_BYTES } from "../../src/core/limits.ts";
import { Redactor } from "../../src/core/secrets/redact.ts";

const TEXTS: { [name: string]: string } = {
  "40 characters without a sign": "loaded the level in 35 ms after 2 retrie",
  "five pairs": "x=1 level=3 door: open, hp: 12, size=40 y",
  "an address with a query": "GET https://a.example/x?page=2&sort=up 200",
  "a name of a secret": "session key: main, author=ada token missing",
  "a password": "login password=hunter2 for ada ok",
  "1 MB of pairs": "a=b c: d ".repeat(116_000),
  "1 MB of prose": "the quick brown fox jumps over a lazy dog and so on ".repeat(20_000),
  "1 MB of key: value": "key: value ".repeat(95_000),
  "1 MB of token: value": "token: value ".repeat(80_000),
  "1 MB of passwords": "password=x ".repeat(95_000),
};
const ROUNDS = 6;
const MICROSECONDS = 1_000_000;

/** Microseconds of processor time for each text. */
type Costs = { [name: string]: number };

function typescript(): Costs {
  const redactor = new Redactor();
  const costs: Costs = {};
  for (const [name, text] of Object.entries(TEXTS)) {
    const calls = text.length > 1_000 ? 4 : 200_000;
    let best = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const before = process.cpuUsage();
      for (let i = 0; i < calls; i++) redactor.text(text, MAX_EVENT_BYTES);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / calls);
    }
    costs[name] = best;
  }
  return costs;
}

const PYTHON = `
import json, sys, time
import datacat
costs = {}
for name, text in json.load(open(sys.argv[1])).items():
    calls = 2 if len(text) > 1000 else 20000
    best = 1e9
    for _ in range(${ROUNDS}):
        before = time.process_time()
        for _ in range(calls):
            datacat._clean(text, datacat.MAX_EVENT_BYTES)
        best = min(best, (time.process_time() - before) / calls)
    costs[name] = best * ${MICROSECONDS}
print(json.dumps(costs))
`;

const root = join(import.meta.dirname, "../..");
const file = join(mkdtempSync(join(tmpdir(), "datacat-bench-")), "texts.json");
writeFileSync(file, JSON.stringify(TEXTS));

function python(): Costs {
  const options = {
    encoding: "utf8",
    env: { ...process.env, PYTHONPATH: "clients/python" },
  } as const;
  return JSON.parse(
    execFileSync("python3", ["-c", PYTHON, file], { ...options, cwd: root }),
  ) as Costs; // of the lines above
}

function go(): Costs {
  const output = execFileSync(
    "go",
    ["test", "-count=1", "-run", "TestCostOfTexts", "-v", "./internal/secrets"],
    {
      encoding: "utf8",
      cwd: join(root, "clients/go"),
      env: { ...process.env, DATACAT_BENCH_TEXTS: file },
    },
  );
  return JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? "{}") as Costs; // what the test prints
}

const columns = { TypeScript: typescript(), Python: python(), Go: go() };
console.log(
  "".padEnd(30) +
    Object.keys(columns)
      .map((name) => `${name}, µs`.padStart(16))
      .join(""),
);
for (const name of Object.keys(TEXTS)) {
  const cells = Object.values(columns).map((costs) =>
    (costs[name] ?? Number.NaN).toFixed(2).padStart(16),
  );
  console.log(name.padEnd(30) + cells.join(""));
}
