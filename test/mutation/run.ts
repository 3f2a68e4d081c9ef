/**
 * `npm run mutate [-- TARGET…] [--sample N] [--seed N] [--file PART]`: changes one token of the source at a time, in a copy of the
 * project, and runs the tests. A mutant that all tests pass shows what they do not check. Prints the survivors, and fails when
 * fewer than 90 % of a target's mutants are detected. Survivors that mean the same as the original are in equivalent.ts.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { EQUIVALENT } from "./equivalent.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { type Target, TARGETS } from "./targets.ts";

/** A mutant may loop without end: then it is detected after this time. */
const TIMEOUT_MS = 60_000;
const REQUIRED = 0.9;

type Candidate = { file: string; original: string; mutant: Mutant };

const root = join(import.meta.dirname, "../..");
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    file: { type: "string", default: "" },
  },
});

const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const copy = copyProject();
try {
  for (const target of chosen) await mutate(target);
} finally {
  rmSync(copy, { recursive: true, force: true });
}

async function mutate(target: Target): Promise<void> {
  const candidates = globSync(target.files, { cwd: root })
    .filter((file) => file.includes(options.file) && !/\.test\.|_test\./.test(file))
    .toSorted()
    .flatMap((file) => candidatesOf(target, file));
  const sample = sampled(candidates, Number(options.sample), Number(options.seed));
  console.log(`${target.name}: ${sample.length} of ${candidates.length} mutants`);

  let [detected, invalid] = [0, 0];
  for (const candidate of sample) {
    const result = await test(target, candidate);
    if (result === "detected") detected++;
    else if (result === "invalid") invalid++;
    else print(candidate);
  }
  const valid = sample.length - invalid;
  const share = valid === 0 ? 1 : detected / valid;
  console.log(
    `${target.name}: ${detected} of ${valid} detected (${(share * 100).toFixed(1)} %), ${invalid} did not compile`,
  );
  if (share < REQUIRED) process.exitCode = 1;
}

function candidatesOf({ language, sections }: Target, file: string): Candidate[] {
  const source = readFileSync(join(root, file), "utf8");
  const lines = source.split("\n");
  const sectionOf = (line: number): string =>
    lines
      .slice(0, line)
      .findLast((text) => text.startsWith("# === "))
      ?.split(" ")[2] ?? "";
  return mutantsOf(source, language)
    .filter(({ line }) => sections === undefined || sections.includes(sectionOf(line)))
    .filter((mutant) => !isEquivalent(file, mutant))
    .map((mutant) => ({ file, original: source, mutant }));
}

async function test(
  target: Target,
  { file, original, mutant }: Candidate,
): Promise<"detected" | "survived" | "invalid"> {
  const path = join(copy, file);
  writeFileSync(path, mutant.source);
  try {
    const commands = target.tests(file).filter((command) => isThere(command.at(-1) ?? ""));
    for (const command of commands) if (!(await passes(command))) return "detected";
    if (target.compile && !(await passes(target.compile))) return "invalid";
    return "survived";
  } finally {
    writeFileSync(path, original);
  }
}

/** A file may have no test of its own. */
function isThere(path: string): boolean {
  return !path.startsWith("test/") || existsSync(join(copy, path));
}

function passes([program = "", ...args]: string[]): Promise<boolean> {
  const path = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: copy,
      env: { ...process.env, PATH: path },
      stdio: "ignore",
      detached: true,
    });
    const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), TIMEOUT_MS);
    child.on("error", (error) => {
      throw error;
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

/** The tracked files, and node_modules by a link. */
function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "datacat-mutation-"));
  const list = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  for (const file of list.split("\0").filter((name) => name && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function isEquivalent(file: string, { before, after }: Mutant): boolean {
  return EQUIVALENT.some(
    (known) => known.file === file && known.before === before && known.after === after,
  );
}

/** `count` of the candidates in random order, the same for the same seed (mulberry32). */
function sampled(candidates: Candidate[], count: number, seed: number): Candidate[] {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  return candidates
    .map((candidate) => ({ candidate, rank: random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

function print({ file, mutant }: Candidate): void {
  console.log(`${file}:${mutant.line}\n  - ${mutant.before}\n  + ${mutant.after}`);
}
