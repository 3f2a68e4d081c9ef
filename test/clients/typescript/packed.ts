/** The package as it is published, packed into a temporary folder, and programs that use it. */
import { execFileSync, spawnSync, type StdioOptions } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("../../..", import.meta.url).pathname;
export const source = join(root, "clients/typescript");
/** The repository's own tools come first: its Node, its compiler. */
export const toolPath = `${join(root, "node_modules/.bin")}:${process.env["PATH"]}`;

/** Installing takes half a minute; with no registry in reach, npm would try for many. */
const INSTALL_MS = 90_000;

export type Packed = {
  folder: string;
  tarball: string;
  /** Installs the package, and others by name and version, as npm does for a program in the folder. */
  install(flags: string[], ...others: string[]): void;
  /** Runs a command in the folder: its exit code and what it printed. */
  run(command: readonly string[]): { status: number | null; stdout: string; stderr: string };
  /** Writes a file of the program. */
  write(name: string, text: string): string;
} & Disposable;

export function pack(): Packed {
  const folder = mkdtempSync(join(tmpdir(), "datacat-package-"));
  const env = { ...process.env, PATH: toolPath };
  const args = ["pack", "--json", "--pack-destination", folder];
  const packed = execFileSync("npm", args, { cwd: source, env, encoding: "utf8" });
  // npm prints the output of the build first.
  const listing: unknown = JSON.parse(packed.slice(packed.search(/[[{]\s*["{\n]/)));
  const [entry] = Object.values(listing as { [name: string]: { filename: string } }); // npm's own format: a list, or by name
  const tarball = join(folder, entry?.filename ?? "");
  return {
    folder,
    tarball,
    install(flags, ...others) {
      const all = ["install", "--no-audit", "--no-fund", ...flags, tarball, ...others];
      const stdio: StdioOptions = ["ignore", "ignore", "inherit"];
      execFileSync("npm", all, { cwd: folder, env, stdio, timeout: INSTALL_MS });
    },
    run([program = "", ...args]) {
      const home = { DATACAT_HOME: join(folder, "home"), DATACAT_DAEMON: "off" };
      return spawnSync(program, args, {
        encoding: "utf8",
        cwd: folder,
        env: { PATH: process.env["PATH"], HOME: folder, NO_COLOR: "1", ...home },
      });
    },
    write(name, text) {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A typed program that uses every way in, and one call that its compiler must refuse. */
export const TYPED_PROGRAM = `import { open, type Session } from "@datacat/client";
  import { open as openPage } from "@datacat/client/browser";
  import { captureConsole } from "@datacat/client/console";
  import { record } from "@datacat/client/worker";
  const session: Session = open({ product: "typed", state: { level: 1 } });
  captureConsole(session);
  session.gauge("fps", 60, { unit: "fps" });
  const seven: number = session.time("work", () => 7);
  const id: string = openPage({ url: "" }).id;
  void record({ waitUntil() {} }, {}, async (worker) => worker.logEvent(id));
  // @ts-expect-error -- a gauge needs a number
  session.gauge("fps", "sixty");
  export { seven };`;
