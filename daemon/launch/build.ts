/**
 * `npm run build`: bundles the command and the daemon into dist/datacat.js, which needs no node_modules, with the licences of the
 * bundled packages. `npm pack` adds only the launchers, so an installed datacat has no dependencies.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const outfile = join(root, "dist/datacat.js");

const { metafile } = await build({
  entryPoints: [join(root, "daemon/launch/bundle.ts")],
  outfile,
  bundle: true,
  metafile: true,
  absWorkingDir: root,
  platform: "node",
  target: "node22.13",
  format: "esm",
  // Some packages are CommonJS and load Node's own modules with `require`.
  banner: {
    js: 'import { createRequire as createRequireOf } from "node:module";\nconst require = createRequireOf(import.meta.url);',
  },
  minifySyntax: true,
  minifyWhitespace: true, // names stay readable in stack traces
  legalComments: "none", // licenses.txt has them
  logLevel: "warning",
});
chmodSync(outfile, 0o755);

const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return name === undefined ? [] : [name];
  }),
);
const licences = [...packages].sort().map((name) => `${name}\n\n${licenceOf(name)}`);
writeFileSync(join(root, "dist/licenses.txt"), licences.join(`\n\n${"-".repeat(72)}\n\n`));

const size = Math.round(readFileSync(outfile).length / 1024);
console.log(`dist/datacat.js: ${size} KiB, with ${[...packages].sort().join(", ")}`);

function licenceOf(name: string): string {
  const folder = join(root, "node_modules", name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined || !existsSync(join(folder, file))) {
    throw new Error(`${name} is in the bundle but has no licence file.`);
  }
  return readFileSync(join(folder, file), "utf8").trim();
}
