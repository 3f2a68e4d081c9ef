/** Another user of this machine: commands that run with another uid. Only root can start them. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { test } from "vitest";

/** Without rights on most systems; no entry in the user database is needed. */
export const SECOND_UID = 65_534;

/** Tests with a second user, skipped by name where this process is not root, or where `holds` is false. */
export function asRoot(holds = true) {
  return test.skipIf(!holds || process.getuid?.() !== 0);
}

/** A Node program as the second user; what it prints. Node itself must be where that user may run it. */
export async function asSecondUser(script: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, ...args], {
    uid: SECOND_UID,
    gid: SECOND_UID,
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "" },
  });
  return stdout.trim();
}

/** A request as the second user. `address`: as in `fetch`. */
export async function askAsSecondUser(
  address: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; body: string; cookie: string; location: string }> {
  const script = `const [address, init] = process.argv.slice(1);
fetch(address, { redirect: "manual", ...JSON.parse(init) }).then(async (answer) => console.log(JSON.stringify({
  status: answer.status, body: await answer.text(),
  cookie: answer.headers.get("set-cookie") ?? "", location: answer.headers.get("location") ?? "" })));`;
  return JSON.parse(await asSecondUser(script, address, JSON.stringify(init))) as Awaited<
    ReturnType<typeof askAsSecondUser>
  >;
}
