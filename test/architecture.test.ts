import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** Files at the daemon's top that its rooms may import; `main`, `daemon` and `loop` only import rooms. */
const daemonTop = [
  "builtin",
  "clock",
  "config",
  "home",
  "id",
  "limits",
  "lock",
  "log",
  "version",
].map((name) => `daemon/${name}.ts`);

/** Who may import whom (DESIGN.md §6). Read it top to bottom: arrows only ever point up. */
const MAY_IMPORT: Record<string, string[]> = {
  "src/core": [],
  "src/catalog": ["src/core", "src/env.ts"],
  "src/registry": ["src/core", "src/env.ts"],
  "src/session": ["src/core", "src/catalog", "src/registry", "src/env.ts"],
  "src/access": ["src/core", "src/registry", "src/env.ts"],
  "src/api": ["src/core", "src/session", "src/catalog", "src/registry", "src/access", "src/env.ts"],
  "src/pages": [
    "src/core",
    "src/session",
    "src/catalog",
    "src/registry",
    "src/access",
    "src/env.ts",
    // What is written about the clients, not their code.
    ...["", "go/", "python/", "typescript/"].map((client) => `clients/${client}README.md`),
  ],
  daemon: ["src/core", "package.json"],
  "daemon/lanes": ["src/core", ...daemonTop],
  "daemon/send": ["src/core", "daemon/lanes", ...daemonTop],
  "daemon/watch": ["src/core", "daemon/lanes", ...daemonTop],
  "daemon/api": ["src/core", "daemon/lanes", "daemon/send", "daemon/watch", ...daemonTop],
  "clients/typescript": ["src/core"],
};

test.each(Object.entries(MAY_IMPORT))("%s imports only what it may", (folder, allowed) => {
  for (const file of globSync(`${folder}/**/*.{ts,tsx}`, {
    exclude: ["**/dist/**", "**/node_modules/**"],
  })) {
    for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
      const target = normalize(join(dirname(file), path ?? ""));
      const inside = [folder, ...allowed].some(
        (home) => target === home || target.startsWith(`${home}/`),
      );
      expect(inside, `${file} must not import ${target}`).toBe(true);
    }
  }
});
