/** What the repository takes from others: the packages of the lock file, vendored files, and the modules of the Go and Python clients. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COPIES } from "../src/pages/vendor.mjs";

type Package = {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  hasInstallScript?: boolean;
};
type Manifest = {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  allowScripts?: Record<string, boolean>;
};

const read = <Content>(path: string) => JSON.parse(readFileSync(path, "utf8")) as Content;
const lock = read<{ packages: Record<string, Package> }>("package-lock.json");
const manifest = read<Manifest>("package.json");
const installed = Object.entries(lock.packages).filter(([path]) => path !== "");
const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + 13);

/** Licences under which a package may be used, changed and passed on with ours (SPDX). */
const ALLOWED = new Set(
  "MIT ISC 0BSD BSD-0-Clause BSD-2-Clause BSD-3-Clause Apache-2.0 CC0-1.0 BlueOak-1.0.0".split(" "),
);
/** Others, only for packages that the tools load as they are and that nothing we pass on contains. */
const FOR_TOOLS: [licence: string, packages: RegExp][] = [
  ["MPL-2.0", /^(axe-core|lightningcss(-.*)?)$/], // the tests' check of pages; vitest's CSS
  ["LGPL-3.0-or-later", /^@img\/sharp-/], // Miniflare's images, a library of its own
];

function isAllowed(name: string, licence: string): boolean {
  const allowed = (one: string) =>
    ALLOWED.has(one) || FOR_TOOLS.some(([other, names]) => other === one && names.test(name));
  const text = licence.replace(/^\((.*)\)$/, "$1");
  if (text.includes(" OR ")) return text.split(" OR ").some((one) => allowed(one));
  return text.split(" AND ").every((one) => allowed(one));
}

test("every package of the lock file has a licence that is allowed", () => {
  expect(installed.length).toBeGreaterThan(200);
  const refused = installed.map(([path, { license = "none" }]) => [nameOf(path), license] as const);
  expect(refused.filter(([name, licence]) => !isAllowed(name, licence))).toEqual([]);
  for (const licence of ["none", "GPL-3.0", "MIT AND GPL-3.0", "MPL-2.0", "SEE LICENSE"])
    expect(isAllowed("any", licence), licence).toBe(false);
});

test("what we pass on contains only packages with a plain licence, and their texts", () => {
  for (const { from } of COPIES) {
    const [, folder = ""] = /(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(from) ?? [];
    const { license } = read<{ license: string }>(`${folder}/package.json`);
    expect(ALLOWED.has(license), folder).toBe(true);
  }
  // dist/licenses.txt has the texts of the packages in the command: the build refuses one without.
  expect(readFileSync("daemon/launch/build.ts", "utf8")).toContain("has no licence file");
  expect(readFileSync("LICENSE", "utf8")).toContain("MIT");
});

/** The rule where `npm audit` is not answered: nothing is installed that was not chosen, and nothing chosen changes by itself. */
test("every package comes from the registry with its checksum, and every one we chose is pinned", () => {
  for (const [path, { resolved = "", integrity = "" }] of installed) {
    // npm leaves out the address of a package that comes from the configured registry.
    expect(resolved, path).toMatch(/^(https:\/\/registry\.npmjs\.org\/.*)?$/);
    expect(integrity, path).toMatch(/^sha512-/);
  }
  expect(manifest.dependencies).toBeUndefined();
  for (const [name, version] of Object.entries(manifest.devDependencies ?? {})) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    expect(lock.packages[`node_modules/${name}`]?.version).toBe(version);
  }
});

test("only the packages that are named may run a script when they are installed", () => {
  const running = installed.filter(([, { hasInstallScript }]) => hasInstallScript);
  const names = new Set(running.map(([path]) => nameOf(path)));
  const unnamed = [...names].filter((name) => !(name in (manifest.allowScripts ?? {})));
  expect(unnamed.filter((name) => name !== "fsevents")).toEqual([]); // macOS only, for development
});

test("the Go and Python clients have no dependencies", () => {
  const module = readFileSync("clients/go/go.mod", "utf8");
  expect(module).not.toMatch(/^\s*(require|replace)\b/m);
  expect(existsSync("clients/go/go.sum")).toBe(false);
  const python = globSync("clients/python/{pyproject.toml,setup.{py,cfg},requirements*.txt}");
  expect(python.length).toBeGreaterThan(0);
  for (const file of python)
    expect(readFileSync(file, "utf8"), file).not.toMatch(
      /^\s*(dependencies|install_requires)\b\s*=\s*\[?\s*["'\w]/m,
    );
});

test("the TypeScript client has no dependencies", () => {
  const client = read<Manifest>("clients/typescript/package.json");
  expect(client.dependencies ?? {}).toEqual({});
});
