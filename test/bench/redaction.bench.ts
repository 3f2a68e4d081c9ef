/** What the redaction of one text costs, in processor time: node test/bench/redaction.bench.ts */
import { redactText } from "../../src/core/redact.ts";

const TEXTS: { [name: string]: string } = {
  "40 characters without a sign": "loaded the level in 35 ms after 2 retrie",
  "five pairs": "x=1 level=3 door: open, hp: 12, size=40 y",
  "an address with a query": "GET https://a.example/x?page=2&sort=up 200",
  "a name of a secret": "session key: main, author=ada token missing",
  "a password": "login password=hunter2 for ada ok",
  "1 MB of pairs": "a=b c: d ".repeat(116_000),
  "1 MB of prose": "the quick brown fox jumps over a lazy dog and so on ".repeat(20_000),
  "1 MB of key: value": "key: value ".repeat(95_000),
};
const ROUNDS = 6;

for (const [name, text] of Object.entries(TEXTS)) {
  const calls = text.length > 1_000 ? 4 : 200_000;
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) redactText(text);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / calls);
  }
  console.log(`${name.padEnd(32)}${best.toFixed(2).padStart(12)} µs`);
}
