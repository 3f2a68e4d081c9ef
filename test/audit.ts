/**
 * `npm run audit`: fails if the registry lists a weakness of high severity in a package of the lock file. Mirrors of the registry do not
 * answer this question. It prints that, and what is left is the rule of test/dependencies.test.ts, which needs no registry.
 */
import { execFileSync } from "node:child_process";

type Audit = {
  vulnerabilities?: Record<string, { severity: string; range: string }>;
  message?: string;
};

const { vulnerabilities, message } = ask();
const serious = Object.entries(vulnerabilities ?? {}).filter(([, { severity }]) =>
  ["high", "critical"].includes(severity),
);
for (const [name, { severity, range }] of serious) console.error(`${name} ${range}: ${severity}`);
if (!vulnerabilities) console.log(`No audit: the registry does not answer it (${message}).`);
else console.log(`Audit: ${serious.length} packages with a weakness of high severity.`);
process.exitCode = serious.length > 0 ? 1 : 0;

function ask(): Audit {
  try {
    return read(execFileSync("npm", ["audit", "--json"], { encoding: "utf8", stdio: "pipe" }));
  } catch (error) {
    // npm exits with 1 if it found something, and if it was not answered.
    return read(error instanceof Error && "stdout" in error ? String(error.stdout) : "");
  }
}

function read(text: string): Audit {
  try {
    return JSON.parse(text) as Audit; // npm's own, of `npm audit --json`
  } catch {
    return { message: "npm printed no JSON" };
  }
}
