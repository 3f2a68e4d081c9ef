/** The other programs that run the Node client: Deno and Bun, where they are found. */
import { execFileSync } from "node:child_process";

export type Runtime = { name: string; command: [string, ...string[]]; isMissing: boolean };

export const runtimes: Runtime[] = [
  { name: "Deno", command: [process.env["DENO"] ?? "deno", "run", "--allow-all"] },
  { name: "Bun", command: [process.env["BUN"] ?? "bun"] },
].map(({ name, command: [program = "", ...args] }) => ({
  name,
  command: [program, ...args],
  // Where one is missing its tests are skipped by name, but never in CI.
  isMissing: process.env["CI"] !== "true" && !isThere(program),
}));

function isThere(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
