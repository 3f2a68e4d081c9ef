/**
 * `npm run vocabulary`: finds the words of terms.ts in every tracked file: identifiers, prose, file names, CSS classes, test titles.
 * With paths, prints only what is in them; with --count, prints the counts of each folder and of each word.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { ALLOWED, type Allowed } from "./allowed.ts";
import { REPLACED, type Replaced } from "./terms.ts";

type Finding = { file: string; line: number; word: string; text: string; term: Replaced };

/** Written by others or by a program, or data; and the list of the words itself. */
const LEFT_OUT =
  /^(public\/vendor|test\/fixtures|migrations|test\/vocabulary)\/|^package-lock\.json$|^LICENSE$|\.(png|ico)$/;

/** A part of an identifier, or a word of prose. */
const WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g;

const single = new Map<string, Replaced>();
const phrases: { pattern: RegExp; term: Replaced }[] = [];
for (const term of REPLACED) {
  for (const word of term.words) {
    if (!word.includes(" ")) single.set(word, term);
    else phrases.push({ pattern: patternOf(word), term });
  }
}

const used = new Set<Allowed>();
const options = process.argv.slice(2);
const paths = options.filter((option) => !option.startsWith("--"));
const findings = listFiles().flatMap(check);
const baseline = readBaseline();

if (options.includes("--count")) {
  printCounts(
    "folder",
    countBy(({ file }) => folderOf(file)),
  );
  printCounts(
    "word",
    countBy(({ term }) => term.words[0] ?? ""),
  );
} else if (paths.length > 0) {
  print(findings);
} else if (baseline) {
  checkBaseline(baseline);
} else {
  const unused = ALLOWED.filter((entry) => !used.has(entry));
  for (const { words, path, context } of unused) {
    console.log(`allowed.ts: ${words.join(", ")} ${path ?? ""} ${context ?? ""} is not needed`);
  }
  print(findings);
  if (findings.length + unused.length > 0) process.exitCode = 1;
}

function listFiles(): string[] {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...paths];
  const files = execFileSync("git", list, { encoding: "utf8" }).split("\n");
  return files.filter((file) => file !== "" && !LEFT_OUT.test(file) && existsSync(file));
}

function check(file: string): Finding[] {
  const found: Finding[] = [];
  const whole = readFileSync(file, "utf8");
  // Line 0 is the file's name.
  for (const [line, text] of [file, ...whole.split("\n")].entries()) {
    for (const match of text.matchAll(WORD)) {
      const term = single.get(match[0].toLowerCase());
      if (term) add(found, { file, line, word: match[0], text, term }, match.index);
    }
  }
  for (const { pattern, term } of phrases) {
    for (const match of whole.matchAll(pattern)) {
      const line = whole.slice(0, match.index).split("\n").length;
      const text = match[0].replace(/\s+/g, " ");
      add(found, { file, line, word: text, text, term }, 0);
    }
  }
  return found;
}

function add(found: Finding[], finding: Finding, at: number): void {
  if (finding.term.folders && !finding.term.folders.some((each) => isIn(finding.file, each)))
    return;
  const allowed = ALLOWED.find((entry) => isAllowed(entry, finding, at));
  if (allowed) used.add(allowed);
  else found.push(finding);
}

function isAllowed({ words, path, context }: Allowed, finding: Finding, at: number): boolean {
  if (!words.includes(finding.word.toLowerCase())) return false;
  if (path !== undefined && !isIn(finding.file, path)) return false;
  if (!context) return true;
  const everywhere = new RegExp(context.source, `${context.flags.replace("g", "")}g`);
  return [...finding.text.matchAll(everywhere)].some(
    ({ index, 0: match }) => index <= at && at < index + match.length,
  );
}

function isIn(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}

/** A phrase in prose, also across lines of a comment, or as an identifier in camelCase. */
function patternOf(phrase: string): RegExp {
  return new RegExp(`\\b${phrase.replaceAll(" ", "(?:\\s+(?:(?:\\*|//|#)\\s+)?)?")}\\b`, "gi");
}

function folderOf(file: string): string {
  const parts = file.split("/").slice(0, -1);
  return parts.slice(0, parts[0] === "src" || parts[0] === "test" ? 3 : 2).join("/") || ".";
}

function countBy(key: (finding: Finding) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const finding of findings) counts.set(key(finding), (counts.get(key(finding)) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

function printCounts(title: string, counts: Map<string, number>): void {
  console.log(`\n${String(findings.length).padStart(6)}  total by ${title}`);
  for (const [name, count] of counts) console.log(`${String(count).padStart(6)}  ${name}`);
}

function print(list: Finding[]): void {
  for (const { file, line, word, text, term } of list) {
    console.log(`${file}:${line}  ${word} → ${term.instead}   | ${text.trim().slice(0, 140)}`);
  }
  console.log(`${list.length} words to replace. Where one is right: test/vocabulary/allowed.ts.`);
}

/** Counts that may only shrink, as long as there are words left to replace: one for each part of the repository. */
function readBaseline(): Record<string, number> | undefined {
  const file = new URL("baseline.json", import.meta.url);
  if (options.includes("--write-baseline")) {
    const counts = countBy(({ file: path }) => partOf(path));
    const sorted = [...counts].sort(([a], [b]) => a.localeCompare(b));
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
  }
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, number>; // written above
}

function partOf(file: string): string {
  return /^(?:clients\/\w+(?=\/)|\w+(?=\/))/.exec(file)?.[0] ?? ".";
}

function checkBaseline(most: Record<string, number>): void {
  for (const [part, count] of countBy(({ file }) => partOf(file))) {
    const limit = most[part] ?? 0;
    if (count <= limit) continue;
    console.log(`${part}: ${count} words to replace; there were ${limit} (baseline.json).`);
    console.log(`See them: npm run -s vocabulary -- ${part}`);
    process.exitCode = 1;
  }
}
