/**
 * Real commands of every language that is installed: what each prints when it fails is the exception of its session, with its frames.
 * And the recorder's own promise: the command and its caller see no difference, and its last line is never lost.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readLane } from "../../../../daemon/lanes/lane-file.ts";
import type { Event, Op } from "../../../../src/core/wire.ts";

const root = join(import.meta.dirname, "../../../..");
const node = join(root, "node_modules/.bin/node");
const datacat = join(root, "daemon/launch/datacat.mjs");
const folder = mkdtempSync(join(tmpdir(), "datacat-commands-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env: NodeJS.ProcessEnv = {
  ...process.env,
  DATACAT_DAEMON: "off",
  DATACAT_LINK: "never", // the one line that differs
  NO_COLOR: "1",
  LC_ALL: "C",
};
for (const name of ["DATACAT_SESSION", "DATACAT_DISABLED", "DATACAT_PRODUCT", "NODE_OPTIONS"])
  Reflect.deleteProperty(env, name);

let homes = 0;

type Ran = {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  ops: Op[];
};

/** Runs a command with the recorder, in a home of its own. */
async function record(command: string[]): Promise<Ran> {
  const home = join(folder, `home${homes++}`);
  const ran = await finished(
    spawn(node, [datacat, "run", "--", ...command], {
      cwd: folder,
      env: { ...env, DATACAT_HOME: home },
    }),
  );
  const ops: Op[] = [];
  const [lane = ""] = readdirSync(join(home, "lanes"));
  for await (const entry of readLane(join(home, "lanes", lane)))
    if (entry.kind === "record") ops.push(entry.op);
  return { ...ran, ops };
}

function finished(child: ReturnType<typeof spawn>): Promise<Omit<Ran, "ops">> {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.on("data", (bytes: Buffer) => (output[name] += bytes.toString("latin1")));
  child.stdin?.on("error", () => {}); // a command that reads nothing may have ended
  child.stdin?.end("input");
  return new Promise((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, ...output })),
  );
}

const exceptionIn = (ops: Op[]): Event | undefined =>
  ops.find((op) => op.op === "event" && op.exception_type !== undefined) as Event | undefined;

const linesIn = (ops: Op[]): string[] =>
  ops.flatMap((op) => (op.op === "event" && op.name === "output" ? [op.message ?? ""] : []));

function source(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function has(program: string): boolean {
  const { status } = spawnSync(program, [program === "go" ? "version" : "--version"]);
  return status === 0;
}

/** A program that is compiled first; undefined where its compiler is missing. */
function compiled(
  compiler: string,
  name: string,
  text: string,
  ...args: string[]
): string | undefined {
  const program = join(folder, name.replace(/\.\w+$/, ""));
  const { status } = spawnSync(compiler, [...args, "-o", program, source(name, text)], {
    cwd: folder,
  });
  return status === 0 ? program : undefined;
}

type Case = [
  name: string,
  command: string[] | undefined,
  text: string,
  place: string | undefined,
  ending?: string,
];

const installed = (program: string, ...args: string[]) =>
  has(program) ? [program, ...args] : undefined;
const built = (program: string | undefined) => (program === undefined ? undefined : [program]);

const cases: Case[] = [
  [
    "Node",
    [node, source("a.js", "function f(c) {\n  return c.queue.length;\n}\nf({});\n")],
    "TypeError: Cannot read properties of undefined (reading 'length')",
    "f a.js:2",
  ],
  [
    "Deno",
    installed(
      "deno",
      "run",
      source("d.ts", 'function f(): void { throw new RangeError("deep"); }\nf();\n'),
    ),
    "RangeError: deep",
    "f d.ts:1",
  ],
  [
    "Bun",
    installed(
      "bun",
      source("b.ts", 'function f(): void { throw new RangeError("deep"); }\nf();\n'),
    ),
    "RangeError: deep",
    "f b.ts:1",
  ],
  [
    "Python",
    installed("python3", source("p.py", "def f(c):\n    return c['queue']\n\nf({})\n")),
    "KeyError: 'queue'",
    "f p.py:2",
  ],
  [
    "Python that cannot be parsed",
    installed("python3", source("s.py", "def f(:\n")),
    "SyntaxError: invalid syntax",
    "s.py:1",
  ],
  [
    "Go",
    built(
      compiled(
        "go",
        "g.go",
        "package main\n\nfunc pick(list []int) int { return list[5] }\n\nfunc main() { println(pick([]int{1})) }\n",
        "build",
      ),
    ),
    "panic: runtime error: index out of range [5] with length 1",
    "main.pick g.go:3",
    "exit 2",
  ],
  [
    "Rust",
    built(
      compiled(
        "rustc",
        "r.rs",
        'fn pick(list: &[i32]) -> i32 {\n    list[5]\n}\n\nfn main() {\n    println!("{}", pick(&[1]));\n}\n',
        "-g",
      ),
    ),
    "panic: index out of bounds: the len is 1 but the index is 5",
    "r.rs:2",
    "exit 101",
  ],
  [
    "C++",
    built(
      compiled(
        "g++",
        "t.cpp",
        '#include <stdexcept>\nint main() { throw std::runtime_error("queue is empty"); }\n',
      ),
    ),
    "std::runtime_error: queue is empty",
    undefined,
    "SIGABRT",
  ],
  [
    "C with AddressSanitizer",
    built(
      compiled(
        "gcc",
        "z.c",
        "#include <stdlib.h>\nint use(int *p) { return p[0]; }\nint main() { int *p = malloc(4); free(p); return use(p); }\n",
        "-g",
        "-fsanitize=address",
      ),
    ),
    "AddressSanitizer: heap-use-after-free: READ of size 4",
    "use z.c:2",
  ],
  [
    "C, an assertion",
    built(
      compiled(
        "gcc",
        "c.c",
        "#include <assert.h>\nint total(int price) { assert(price > 0); return price; }\nint main() { return total(0); }\n",
        "-g",
      ),
    ),
    "Assertion failed: price > 0",
    "total c.c:2",
    "SIGABRT",
  ],
  [
    "Perl",
    installed("perl", source("p.pl", 'sub f { die "config.queue is undefined" }\nf();\n')),
    "die: config.queue is undefined",
    "p.pl:1",
    "exit 255",
  ],
  [
    "Ruby",
    installed("ruby", source("r.rb", "def f(c)\n  c.fetch(:queue)\nend\nf({})\n")),
    "KeyError: key not found: :queue",
    "r.rb:2",
  ],
  [
    "PHP",
    installed(
      "php",
      source("h.php", "<?php\nfunction f() { throw new LogicException('no queue'); }\nf();\n"),
    ),
    "LogicException: no queue",
    "h.php:2",
    "exit 255",
  ],
  [
    "Bash",
    ["bash", source("b.sh", "set -e\necho begins\nno-such-tool x\n")],
    "command not found: no-such-tool",
    "b.sh:3",
    "exit 127",
  ],
  [
    "make, of the command before it",
    installed("make", "-f", source("Makefile", `all:\n\t"${node}" a.js\n`)),
    "TypeError: Cannot read properties of undefined (reading 'length')",
    "f a.js:2",
    "exit 2",
  ],
];

const present = cases.filter(([, command]) => command !== undefined);

test.each(present)("%s", async (_, command = [], text, place, ending = "exit 1") => {
  const { code, signal, stderr, ops } = await record(command);
  expect(signal ?? `exit ${code}`).toBe(ending);
  const found = exceptionIn(ops);
  expect(`${found?.exception_type}: ${found?.exception_msg}`, stderr).toBe(text);
  expect(found?.handled).toBe(false);
  if (place === undefined) return;
  const { source_function: name = "", source_file = "", source_line } = found ?? {};
  const where = `${source_file.slice(source_file.lastIndexOf("/") + 1)}:${source_line}`;
  expect(place.includes(" ") ? `${name} ${where}` : where).toBe(place);
});

test("of a command that ends with 0 no error is recorded", async () => {
  const { ops } = await record(["sh", "-c", `"${node}" a.js; true`]);
  expect(exceptionIn(ops)).toBeUndefined();
  expect(linesIn(ops).join("\n")).toContain("TypeError");
});

/** What a caller sees of a command, which may not depend on the recorder. */
const transparent: [name: string, script: string][] = [
  ["exit codes", "exit 3"],
  ["the code that a shell gives to a signal", "exec 2>/dev/null; sh -c 'kill -9 $$'; exit $?"],
  ["a signal", "kill -TERM $$"],
  ["a real-time signal", "kill -37 $$"],
  ["standard input", "cat; wc -c </dev/null"],
  ["bytes that are no text", "printf 'a\\000\\377\\033[31mb\\r\\r\\nc\\033]0;x'"],
  ["both streams", "echo out; echo err >&2; printf 'last' >&2"],
  ["arguments and variables", 'printf "%s|" "$0" "$HOME" "$PATH"; pwd; umask'],
  ["files that are open", 'ls /proc/self/fd | sort | tr "\\n" " "'],
  ["the limits and the priority", "ulimit -a; nice"],
  ["no output at all", "exec >&- 2>&-; sleep 0.1; exit 4"],
];

test.each(process.platform === "linux" ? transparent : [])(
  "the caller sees no difference: %s",
  async (_, script) => {
    const command = ["bash", "-c", script];
    const plain = spawn(command[0] ?? "", command.slice(1), { cwd: folder, env });
    const [alone, recorded] = [await finished(plain), await record(command)];
    const { ops, ...seen } = recorded;
    // Node names no real-time signal, and reports exit code 0 for one: a shell shows what happened.
    if (script.includes("-37")) {
      expect(ops.at(-1)).toMatchObject({ op: "crash", signal: "SIGRTMIN+3" });
      const line = `"${node}" "${datacat}" run -- bash -c "$1"; echo $?`;
      const args = ["-c", line, "bash", script];
      expect(
        execFileSync("bash", args, {
          env: { ...env, DATACAT_HOME: join(folder, "rt") },
        }).toString(),
      ).toBe("165\n");
    } else expect(seen).toEqual(alone);
  },
);

// While programs are asked for the context, such as git, whose end may not hide that of the command.
test.runIf(process.platform === "linux")(
  "a real-time signal is named whenever it comes",
  async () => {
    const delays = Array.from({ length: 6 }, (_, index) => (index * 0.006).toFixed(3));
    const ends: unknown[] = [];
    for (const delay of delays) {
      const { ops } = await record(["bash", "-c", `sleep ${delay}; kill -37 $$`]);
      ends.push(ops.at(-1));
    }
    expect(ends).toMatchObject(delays.map(() => ({ op: "crash", signal: "SIGRTMIN+3" })));
  },
);

test("the last line without a line break is never lost, on a busy machine either", async () => {
  const runs = Number(process.env["DATACAT_RUNS"] ?? 8);
  const at = { once: 8 };
  const lost: string[] = [];
  for (let i = 0; i < runs; i += at.once) {
    const results = await Promise.all(
      Array.from({ length: at.once }, (_, j) =>
        record([
          "sh",
          "-c",
          `echo first; printf 'partial ${i + j}'; printf 'error ${i + j}' >&2; exit ${(i + j) % 3}`,
        ]),
      ),
    );
    for (const [j, { ops }] of results.entries()) {
      const lines = linesIn(ops).toSorted();
      const expected = [`error ${i + j}`, "first", `partial ${i + j}`];
      if (JSON.stringify(lines) !== JSON.stringify(expected)) lost.push(JSON.stringify(lines));
    }
  }
  expect(lost).toEqual([]);
});
