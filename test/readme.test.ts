/** What the README and the guides name exists: files, folders, commands, variables, versions. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { programFor } from "../daemon/cli/program.ts";

const readme = readFileSync("README.md", "utf8");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
  engines: { node: string };
  devEngines: { runtime: { version: string } };
};

test("every file that the README names exists", () => {
  const named = [
    ...readme.matchAll(/`((?:src|daemon|clients|test|public|migrations)\/[\w./-]*)`/g),
  ].map(([, path]) => path ?? "");
  const linked = [...readme.matchAll(/\]\(([^):#]+)[#)]/g)].map(([, path]) => path ?? "");
  expect([...named, ...linked].filter((path) => !existsSync(path))).toEqual([]);
});

test("every name that the README places in a file or folder is there", () => {
  const places = [...readme.matchAll(/`([\w-]+)` in `([\w./-]+)`/g)];
  expect(places.length).toBeGreaterThan(4);
  for (const [sentence, name = "", path = ""] of places) {
    const files = path.endsWith("/") ? globSync(`${path}**/*.{ts,tsx,js}`) : [path];
    expect(
      files.some((file) => readFileSync(file, "utf8").includes(name)),
      sentence,
    ).toBe(true);
  }
});

test("every proof that the table of faults names exists", () => {
  const table = readFileSync("test/faults/README.md", "utf8");
  const named = [...table.matchAll(/`([\w./-]+\.(?:ts|py|go|c))`/g)].map(([, path]) => path ?? "");
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((path) => !existsSync(`test/faults/${path}`))).toEqual([]);
});

test("every npm command that the README names exists", () => {
  const commands = [
    ...readme.matchAll(/npm (?:run )?(start|test|check|dev|bench|build|deploy|migration)\b/g),
  ];
  expect(
    commands.map(([, name]) => name ?? "").filter((name) => !(name in manifest.scripts)),
  ).toEqual([]);
});

test("every folder of the server and of the daemon is in the README", () => {
  const folders = globSync(["src/*", "daemon/*", "clients/*"], { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => `${parentPath}/${name}/`.replace(`${process.cwd()}/`, ""));
  expect(folders.length).toBeGreaterThan(10);
  expect(folders.filter((folder) => !readme.includes(folder.slice(0, -1)))).toEqual([]);
});

test("every file of limits is in the README", () => {
  const files = globSync(["{src,daemon,clients}/**/limits.{ts,go}"], {
    exclude: ["**/node_modules/**", "**/dist/**"],
  });
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !readme.includes(`\`${file}\``))).toEqual([]);
});

test("every datacat command that a text shows exists, and is the installed one", async () => {
  const { commands: all } = await programFor([]);
  const commands = all.map((command) => command.name());
  const texts = globSync(
    ["README.md", ".github/**/*.md", "clients/**/README.md", "src/pages/**/*.tsx"],
    {
      exclude: ["**/node_modules/**"],
    },
  );
  for (const file of texts) {
    const text = readFileSync(file, "utf8");
    // Outside a clone npx would fetch whatever is published under that name.
    expect(text, file).not.toMatch(/npx (?:--\S+ )*datacat/);
    const code = text.match(/```[^]*?```|`[^`]+`|<code>[^<]+/g) ?? [];
    const shown = code.flatMap((each) =>
      [...each.matchAll(/^(?:`|<code>)?(?:\w+=\S+ )?datacat ([a-z][\w-]*)/gm)].map(
        ([, name]) => name ?? "",
      ),
    );
    expect(
      shown.filter((name) => !commands.includes(name)),
      file,
    ).toEqual([]);
  }
});

test("every variable that the code reads is documented", () => {
  const documented = readme + readFileSync("clients/README.md", "utf8");
  const sources = globSync([
    "src/**/*.ts",
    "daemon/**/*.ts",
    "clients/typescript/{*,*/*}.ts",
    "clients/python/datacat.py",
    "clients/go/*.go",
    "clients/go/internal/**/*.go",
  ]);
  const read = sources
    .filter((file) => !file.endsWith("_test.go"))
    .flatMap((file) => readFileSync(file, "utf8").match(/\bDATACAT_[A-Z]+(?:_[A-Z]+)*\b/g) ?? []);
  expect([...new Set(read)].filter((name) => !documented.includes(name))).toEqual([]);
});

test("every option of npm start is documented", () => {
  const source = readFileSync("daemon/serve/main.ts", "utf8");
  const names = [...source.matchAll(/"(--[a-z-]+)(?: <\w+>)?"/g)].map(([, name]) => name ?? "");
  expect(names.length).toBeGreaterThan(2);
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

test("the versions of Node that the manifest names are those that the launcher takes", () => {
  const launcher = readFileSync("daemon/launch/launch.mjs", "utf8");
  const bundle = /FOR_BUNDLE = \[(\d+), (\d+)\]/.exec(launcher) ?? [];
  // Of the packed command. A clone starts on an older one and installs its own.
  expect(manifest.engines.node).toBe(`>=${bundle[1]}.${bundle[2]}`);
  expect(readme).toContain(`Node ${bundle[1]}.${bundle[2]}`);
  expect(readme).toContain(`any Node from ${manifest.devEngines.runtime.version.slice(2)} on`);
  expect(readFileSync(".node-version", "utf8").trim()).toBe(manifest.devDependencies["node"]);
});
