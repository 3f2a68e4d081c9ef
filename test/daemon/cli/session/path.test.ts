/** What a command answers when its argument is no session file. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isSessionFile, withFile } from "../../../../daemon/cli/session/path.ts";
import { EXIT_CODES, type Trouble } from "../../../../daemon/cli/trouble.ts";
import { BadFile } from "../../../../src/core/session-file/bad-file.ts";
import { SIGNATURE } from "../../../../src/core/session-file/signature.ts";
import { asRoot, asSecondUser } from "../../../second-user.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "datacat-path-"));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

async function troubleOf(path: string, act = () => {}): Promise<Trouble> {
  return withFile(path, act).then(
    () => expect.unreachable(),
    (error: Trouble) => error,
  );
}

test("a session file is one by its name, or by what it begins with", () => {
  writeFileSync(at("renamed.bin"), Buffer.concat([SIGNATURE, Buffer.alloc(9)]));
  writeFileSync(at("report.xml"), "<testsuite/>");
  writeFileSync(at("short"), SIGNATURE.subarray(0, 3));
  mkdirSync(at("folder"));
  expect(isSessionFile(at("none.datacat"))).toBe(true);
  expect(isSessionFile(at("renamed.bin"))).toBe(true);
  for (const name of ["report.xml", "short", "folder", "none"])
    expect(isSessionFile(at(name)), name).toBe(false);
});

test("what is no file is named as what it is, without waiting for it", async () => {
  execFileSync("mkfifo", [at("pipe.datacat")]);
  symlinkSync("nowhere", at("link.datacat"));
  writeFileSync(at("file"), "");
  for (const name of ["none.datacat", "link.datacat", "file/in.datacat"]) {
    const { message, exitCode } = await troubleOf(at(name));
    expect(message).toBe(`There is no file ${at(name)}.`);
    expect(exitCode).toBe(EXIT_CODES.not_found);
  }
  expect((await troubleOf(folder)).message).toBe(
    `${folder} is a folder. Name a session file in it.`,
  );
  for (const path of [at("pipe.datacat"), "/dev/null"])
    expect((await troubleOf(path)).message).toMatch(/is no file on a disk\..* store it in a file/);
});

test("what is wrong with a file is named with the file, and with what to do", async () => {
  writeFileSync(at("bad.datacat"), "text");
  const bad = await troubleOf(at("bad.datacat"), () => {
    throw new BadFile("it is empty", "Copy it.");
  });
  expect(bad.message).toBe(
    `${at("bad.datacat")} cannot be read as a session file: it is empty. Copy it.`,
  );
  expect(bad.exitCode).toBe(EXIT_CODES.failed);
  const other = await troubleOf(at("bad.datacat"), () => {
    throw new TypeError("a mistake");
  });
  expect(other).toBeInstanceOf(TypeError);
});

test("a file gives its bytes, and fewer at its end", async () => {
  writeFileSync(at("whole"), "0123456789");
  await withFile(at("whole"), ({ size, read }) => {
    expect(size).toBe(10);
    expect(read(2, 3).toString()).toBe("234");
    expect(read(8, 5).toString()).toBe("89");
    expect(read(20, 5)).toHaveLength(0);
  });
});

test("a name with control sequences does not reach the terminal as such", async () => {
  const { message } = await troubleOf("\u001B[2Jnone.datacat");
  expect(message).toBe("There is no file none.datacat.");
});

asRoot()("a file that this user may not read is named so", async () => {
  writeFileSync(at("closed.datacat"), SIGNATURE, { mode: 0o600 });
  const script = `const [module, path] = process.argv.slice(1);
import(module).then(({ withFile }) => withFile(path, () => {})).catch(({ message }) => console.log(message));`;
  const module = join(import.meta.dirname, "../../../../daemon/cli/session/path.ts");
  expect(await asSecondUser(script, module, at("closed.datacat"))).toMatch(
    /closed\.datacat cannot be read: EACCES: .*\. Change its permissions, or copy it as a user who may read it\.$/,
  );
});
