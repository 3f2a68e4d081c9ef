/** Runs the README's first recording in each language without a change. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { finished, World } from "./world.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The first block of a language. */
function example(language: string): string {
  return new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(readme)?.[1] ?? "";
}

type Language = {
  name: string;
  file: string;
  needs?: string;
  prepare: (folder: string) => void;
  command: (folder: string) => string[];
  env?: NodeJS.ProcessEnv;
};

const LANGUAGES: Language[] = [
  {
    name: "ts",
    file: "first.ts",
    prepare(folder) {
      mkdirSync(join(folder, "node_modules/@datacat"), { recursive: true });
      symlinkSync(join(root, "clients/typescript"), join(folder, "node_modules/@datacat/client"));
    },
    command: (folder) => [
      process.execPath,
      "--conditions",
      "datacat-source",
      join(folder, "first.ts"),
    ],
  },
  {
    name: "python",
    file: "first.py",
    needs: "python3",
    prepare() {},
    command: (folder) => ["python3", join(folder, "first.py")],
    env: { PYTHONPATH: join(root, "clients/python"), PYTHONDONTWRITEBYTECODE: "1" },
  },
  {
    name: "go",
    file: "main.go",
    needs: "go",
    prepare(folder) {
      const module = "github.com/datacat/datacat/clients/go/v2";
      writeFileSync(
        join(folder, "go.mod"),
        `module first\n\ngo 1.19\n\nrequire ${module} v2.0.0\n\nreplace ${module} => ${join(root, "clients/go")}\n`,
      );
    },
    command: () => ["go", "run", "."],
  },
];

const isThere = (program: string) =>
  process.env["CI"] === "true" || spawnSync("which", [program]).status === 0;

for (const { name, file, needs, prepare, command, env } of LANGUAGES) {
  test.skipIf(needs !== undefined && !isThere(needs))(
    `the first recording in ${name} arrives as the README has it`,
    async () => {
      await using world = await World.make();
      await world.startServer();
      const folder = join(world.folder, name);
      mkdirSync(folder);
      prepare(folder);
      writeFileSync(join(folder, file), example(name));

      // This test's own daemon: the program would use one that it finds on the PATH.
      await world.run(["daemon", "start"]);
      const [program = "", ...args] = command(folder);
      const child = spawn(program, args, {
        cwd: folder,
        env: { ...world.env, DATACAT_DAEMON: "off", ...env },
      });
      expect(await finished(child)).toMatchObject({ code: 0, stderr: "" });

      const row = await world.findSession(
        ({ product, status }) => product === "game" && status === "ended",
      );
      expect(row).toMatchObject({ version: "1.4.2", events: 1 });
      expect((await world.state(row.id)).state).toEqual({ level: 3, player: { hp: 100 } });
      expect(await world.series(row.id)).toMatchObject([{ name: "fps", last: 59.94 }]);
      expect((await world.summary(row.id)).ledger.dropped).toEqual({});
    },
  );
}
