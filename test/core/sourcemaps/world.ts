/** A small program that bundlers minify, its real stack, and a store of blocks in memory. */
import { build } from "esbuild";
import { rolldown } from "rolldown";
import {
  lookUp,
  type MapIndex,
  type Original,
  storeMap,
} from "../../../src/core/sourcemaps/blocks.ts";
import { readMapFile } from "../../../src/core/sourcemaps/map-file.ts";

const FILES: Record<string, string> = {
  "/game/src/main.ts": `import { openDoor } from "./door.ts";
import { twice } from "../node_modules/twice/index.js";

export function startGame(level: number): unknown {
  const doors = Array.from({ length: level }, (_, index) => index);
  return doors.map((door) => twice(() => openDoor({ door, isLocked: door === 2 })));
}
`,
  "/game/src/door.ts": `type Door = { door: number; isLocked: boolean };

class Lock {
  turnKey(door: Door): string {
    // The lock of this door is broken.
    if (door.isLocked) throw new RangeError("The lock of door " + door.door + " is stuck");
    return "open";
  }
}

export function openDoor(door: Door): string {
  const usedLock = new Lock();
  return usedLock.turnKey(door) + " ☃";
}
`,
  "/game/node_modules/twice/index.js": `export function twice(action) {
  action();
  return action();
}
`,
};

type Bundle = { code: string; map: string };

const files = (path: string) => FILES[path.replace(/^.*?(?=\/game\/)/, "")];

/** `more`: further code of the first file, by which names and columns change. */
export async function bundledByEsbuild(more = ""): Promise<Bundle> {
  const { outputFiles } = await build({
    entryPoints: ["/game/src/main.ts"],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    globalName: "game",
    sourcemap: "external",
    outfile: "/game/dist/app.js",
    absWorkingDir: "/",
    plugins: [
      {
        name: "files",
        setup(bundler) {
          bundler.onResolve({ filter: /./ }, ({ path, importer }) => ({
            path: importer === "" ? path : new URL(path, `file://${importer}`).pathname,
            namespace: "file",
          }));
          bundler.onLoad({ filter: /./ }, ({ path }) => ({
            contents: `${files(path) ?? ""}${path.endsWith("main.ts") ? more : ""}`,
            loader: path.endsWith(".ts") ? "ts" : "js",
          }));
        },
      },
    ],
  });
  const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
  return { code: textOf("app.js"), map: textOf(".map") };
}

export async function bundledByRolldown(): Promise<Bundle> {
  const bundle = await rolldown({
    input: "/game/src/main.ts",
    logLevel: "silent",
    plugins: [
      {
        name: "files",
        resolveId: (id, importer) => (importer ? new URL(id, `file://${importer}`).pathname : id),
        load: (id) => files(id) ?? null,
      },
    ],
  });
  const { output } = await bundle.generate({
    dir: "/game/dist",
    format: "iife",
    name: "game",
    minify: true,
    sourcemap: true,
  });
  await bundle.close();
  const [{ code, map }] = output;
  return { code, map: JSON.stringify(map) };
}

/** The stack of the program's error, as V8 has it for this file. */
export function stackOf(code: string, file: string): string[] {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- it is the code whose stack is tested
    new Function(`${code}\nreturn game`)().startGame(4);
  } catch (error) {
    if (!(error instanceof Error) || error.stack === undefined) throw error;
    return error.stack
      .split("\n")
      .filter((line) => line.includes("<anonymous>:") || !line.includes("("))
      .map((line) =>
        line.replace(
          /\(?eval at .*<anonymous>:(\d+):(\d+)\)?/,
          (_, row: string, column: string) => `(${file}:${Number(row) - 2}:${column})`,
        ),
      );
  }
  throw new Error("The program did not fail.");
}

/** A map as it is stored. */
export function stored(map: string | Uint8Array, path = "dist/app.js") {
  const bytes = typeof map === "string" ? new TextEncoder().encode(map) : map;
  const blocks: Uint8Array[] = [];
  const index: MapIndex = storeMap(readMapFile(bytes), path, (block) => blocks.push(block.slice()));
  const read = (number: number) => {
    const block = blocks[number];
    if (!block) throw new Error(`There is no block ${number}.`);
    reads.push(block.length);
    return block;
  };
  const reads: number[] = [];
  return {
    blocks,
    index,
    /** The lengths of the blocks that were read. */
    reads,
    at: (line: number, column: number, withExcerpt = true): Original | undefined =>
      lookUp(index, read, { line, column }, withExcerpt),
  };
}
