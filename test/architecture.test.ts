import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

/** Files at the daemon's top that its rooms may import; `main`, `daemon` and `loop` only import rooms. */
const daemonTop = [
  "builtin",
  "clock",
  "config",
  "home",
  "id",
  "json",
  "limits",
  "local-token",
  "lock",
  "log",
  "peer",
  "program-path",
  "version",
].map((name) => `daemon/${name}.ts`);

/** Which folder may import which. Read from top to bottom: a folder imports only folders above it. */
const MAY_IMPORT: Record<string, string[]> = {
  "src/core": [],
  "src/catalog": ["src/core", "src/env.ts"],
  "src/registry": ["src/core", "src/env.ts"],
  "src/sourcemaps": ["src/core", "src/registry", "src/env.ts"],
  "src/session": ["src/core", "src/catalog", "src/registry", "src/sourcemaps", "src/env.ts"],
  "src/access": ["src/core", "src/registry", "src/env.ts"],
  "src/api": [
    "src/core",
    "src/sourcemaps",
    "src/session",
    "src/catalog",
    "src/registry",
    "src/access",
    "src/env.ts",
  ],
  "src/jobs": [
    "src/core",
    "src/sourcemaps",
    "src/session",
    "src/catalog",
    "src/registry",
    "src/env.ts",
  ],
  "src/pages": [
    "src/core",
    "src/sourcemaps",
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
  "daemon/sourcemaps": ["src/core", ...daemonTop],
  "daemon/send": ["src/core", "daemon/lanes", "daemon/sourcemaps", ...daemonTop],
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

const sources = globSync("{src,daemon,clients/typescript,public}/**/*.{ts,tsx,js,mjs}", {
  exclude: ["**/dist/**", "**/node_modules/**", "public/vendor/**"],
}).map((file) => ({ file, text: readFileSync(file, "utf8") }));

test("the core takes time, randomness and ids as arguments", () => {
  const reads = /Date\.now|new Date\(\)|performance\.|Math\.random|crypto\.|setTimeout/;
  const found = sources.filter(
    ({ file, text }) => file.startsWith("src/core/") && reads.test(text),
  );
  expect(found.map(({ file }) => file)).toEqual([]);
});

test("session objects are reached by src/session alone, whose client passes on who asks", () => {
  const files = globSync("src/**/*.{ts,tsx}").filter((file) => !file.startsWith("src/session/"));
  const users = files.filter((file) => /\.SESSIONS\b/.test(readFileSync(file, "utf8")));
  expect(users).toEqual([]);
});

test("objects of source maps are reached by src/sourcemaps alone", () => {
  const files = globSync("src/**/*.{ts,tsx}").filter((file) => !file.startsWith("src/sourcemaps/"));
  expect(files.filter((file) => /\.SOURCE_MAPS\b/.test(readFileSync(file, "utf8")))).toEqual([]);
});

test("no file imports itself through others, types included", () => {
  const imports = new Map(
    sources.map(({ file, text }) => [
      file,
      [...text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)].map(([, path]) =>
        normalize(join(dirname(file), path ?? "")),
      ),
    ]),
  );
  // The binding of a Durable Object is typed by its class, and the class by its bindings.
  imports.set("src/env.ts", []);
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (finished.has(file) || path.includes(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    finished.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

/** What a file takes from others: the names by the path of the file; "*" stands for all. */
function takenBy({ file, text }: { file: string; text: string }): [path: string, name: string][] {
  const taken: [string, string][] = [];
  const take = (path: string, names: string[]) => {
    for (const name of names) taken.push([normalize(join(dirname(file), path)), name]);
  };
  const named = (list = "") => list.match(/\w+(?= as )|(?<! as )\b(?!type\b)\w+/g) ?? [];

  for (const [, list, path = ""] of text.matchAll(/ \{([^}]*)\}\s*from "(\.[^"]+)"/g))
    take(path, named(list));
  for (const [, path = ""] of text.matchAll(/export \* from "(\.[^"]+)"/g)) take(path, ["*"]);
  for (const [, space = "", path = ""] of text.matchAll(/import \* as (\w+) from "(\.[^"]+)"/g))
    take(path, text.match(new RegExp(`(?<=\\b${space}\\.)\\w+`, "g")) ?? ["*"]);
  // An import() whose names are taken in another way counts for all.
  const later = /(?:\{([^{}]*)\} = await )?import\(\s*"(\.[^"]+)"\s*\)\)?(?:\.(?!then\b)(\w+))?/g;
  for (const [, list, path = "", name] of text.matchAll(later))
    take(path, name !== undefined ? [name] : list === undefined ? ["*"] : named(list));
  return taken;
}

/** Exports that are taken in another way. */
const TAKEN_BY_NAME = [
  "src/index.ts: owner", // by the server of `npm start`, as an entrypoint
  "src/api/openapi/page.tsx: pageOf", // by generate.mjs, which bundles the file
  "src/core/text/format.ts: formatAge", // by scripts of pages, in the copy that `npm run vendor` makes
];

describe("exports", () => {
  const isPublic = /^clients\/typescript\/(?:\w+\.ts$|integrations\/\w+\.ts$)/;
  const tests = globSync("test/**/*.{ts,tsx,mjs}").map((file) => ({
    file,
    text: readFileSync(file, "utf8"),
  }));
  const declaration =
    /^export (?:abstract )?(?:async )?(?:const|let|function\*?|class|type|interface) (\w+)/gm;
  const exports = sources
    // drizzle-kit reads the tables of a schema; `npm run vendor` writes these two scripts whole.
    .filter(({ file }) => !isPublic.test(file) && !file.endsWith("/schema.ts"))
    .filter(({ file }) => !/^public\/(?:format|scale)\.js$/.test(file))
    .flatMap(({ file, text }) =>
      Array.from(text.matchAll(declaration), ([, name = ""]) => ({ file, text, name })),
    )
    .filter(({ file, name }) => !TAKEN_BY_NAME.includes(`${file}: ${name}`));

  const notTaken = (files: typeof sources) => {
    const taken = new Set(files.flatMap(takenBy).map(([path, name]) => `${path}: ${name}`));
    return exports.filter(
      ({ file, name }) => !taken.has(`${file}: ${name}`) && !taken.has(`${file}: *`),
    );
  };

  test("each is used by another file", () => {
    const unused = notTaken([...sources, ...tests]);
    expect(exports.length).toBeGreaterThan(1_000);
    expect(unused.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });

  test("each is used by more than tests", () => {
    const unused = notTaken(sources).filter(
      ({ name, text }) => text.match(new RegExp(`\\b${name}\\b`, "g"))?.length === 1,
    );
    expect(unused.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });
});
