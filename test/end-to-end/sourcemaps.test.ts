/** `datacat sourcemaps` with a real bundler, a real program that fails, and a real server. */
import { build } from "esbuild";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { World } from "./world.ts";

const SOURCES = {
  "src/main.ts": `import { openDoor } from "./door.ts";\n\nopenDoor({ door: 2, isLocked: true } as const);\n`,
  "src/door.ts": `export function openDoor(door: { door: number; isLocked: boolean }): void {\n  // Only open doors are opened.\n  if (door.isLocked) throw new RangeError("Door " + door.door + " is locked");\n}\n`,
};

/** Built into `dist`. */
async function buildGame(folder: string): Promise<void> {
  for (const [path, text] of Object.entries(SOURCES)) {
    mkdirSync(join(folder, "src"), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await build({
    entryPoints: [join(folder, "src/main.ts")],
    outfile: join(folder, "dist/js/app.js"),
    bundle: true,
    minify: true,
    sourcemap: true,
    logLevel: "silent",
  });
}

test("a crash of a minified program names its source once its map is uploaded", async () => {
  await using world = await World.make();
  await world.startServer();
  const game = join(world.folder, "game");
  await buildGame(game);
  const release = ["--product", "game", "--version", "1.0"];
  const upload = ["sourcemaps", "upload", join(game, "dist"), ...release];

  const dry = await world.run([...upload, "--dry-run"]);
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  expect(dry.stdout).toMatch(/^js\/app\.js {2}\S+ .*\n1 source map would be sent for game 1\.0/);
  expect((await world.run(["sourcemaps", "list"])).stdout).toBe("No source maps.\n");

  expect((await world.run(upload)).stdout).toMatch(
    /^1 source map uploaded for game 1\.0 \(.*\)\n$/,
  );
  expect((await world.run(upload)).stdout).toMatch(
    /^0 source maps uploaded .*, 1 already there\n$/,
  );
  // The daemon would find them here.
  rmSync(join(game, "dist/js/app.js.map"));
  const listed = await world.run(["sourcemaps", "list", ...release, "--json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject([{ file: "js/app.js" }]);

  const env = { DATACAT_VERSION: "1.0" };
  await world.run(
    ["run", "--product", "game", "--", process.execPath, join(game, "dist/js/app.js")],
    { env },
  );
  await world.findSession(({ product, status }) => product === "game" && status !== "active");
  const why = await world.run(["why", "last"]);
  expect(why.stdout).toContain("openDoor (src/door.ts:3:28)");
  expect(why.stdout).toContain(
    "Where: openDoor (door.ts:3): if (door.isLocked) throw new RangeError",
  );
  const { exception } = JSON.parse((await world.run(["why", "last", "--json"])).stdout) as {
    exception: { stacktrace: string[]; resolved: { stacktrace: string[] } };
  };
  expect(exception.stacktrace.join("\n")).toContain("dist/js/app.js:1:");
  expect(exception.resolved.stacktrace.join("\n")).toContain("src/main.ts:3:1");

  expect((await world.run(["sourcemaps", "delete", ...release])).stdout).toBe(
    "1 source map deleted.\n",
  );
  expect((await world.run(["sourcemaps", "delete", ...release])).code).toBe(4);
});

test("a map that is refused is named, and exit codes show what failed", async () => {
  await using world = await World.make();
  await world.startServer();
  const dist = join(world.folder, "dist");
  const release = ["--product", "game", "--version", "1.0"];
  mkdirSync(dist);
  writeFileSync(join(dist, "bad.js"), "go()");
  expect(await world.run(["sourcemaps", "upload", dist, ...release])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("has no source maps"),
  });
  writeFileSync(join(dist, "bad.js.map"), '{"version":3,"mappings":"!"}');
  for (const more of [["--dry-run"], []]) {
    const { code, stdout } = await world.run(["sourcemaps", "upload", dist, ...release, ...more]);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/Refused: bad.js: This is no source map.*\n.*1 refused/),
    ]);
  }
  expect((await world.run(["sourcemaps", "upload", join(dist, "none"), ...release])).code).toBe(4);
  expect((await world.run(["sourcemaps", "upload", dist])).code).toBe(2);
});
