/**
 * `npm run vocabulary`: finds the words of terms.ts in every file of the repository: identifiers, prose, file names, CSS classes, titles
 * of tests. With paths, prints only what is in them; with --count, prints the counts of each folder and of each word.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { ALLOWED, type Allowed } from "./allowed.ts";
import { type Finding, findWords } from "./find.ts";

/** Written by others or by a program, or data; and the lists of the words themselves. */
const LEFT_OUT =
  /^(public\/vendor|test\/fixtures|migrations|test\/vocabulary)\/|^test\/vocabulary\.test\.ts$|^package-lock\.json$|^LICENSE$|\.(png|ico)$/;

const options = process.argv.slice(2);
const paths = options.filter((option) => !option.startsWith("--"));
const used = new Set<Allowed>();
const findings = listFiles().flatMap((file) => findWords(file, readFileSync(file, "utf8"), used));

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
  if (list.length > 0 || paths.length > 0)
    console.log(`${list.length} words to replace. Where one is right: test/vocabulary/allowed.ts.`);
}
