/**
 * Resolves the stacks of exceptions and hangs by source maps that lie beside the program on this machine, as their batch is built: the program
 * does nothing for it. Only files of this user are read, in the program's own folder: that of the nearest package.json, or of the script.
 */
import { existsSync, lstatSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { refusalOf } from "../../src/core/refusal.ts";
import { lookUp, type Original, storeMap } from "../../src/core/sourcemaps/blocks.ts";
import { CONTEXT_LINES, MAX_SOURCE_LINE } from "../../src/core/sourcemaps/limits.ts";
import { readMapFile } from "../../src/core/sourcemaps/map-file.ts";
import {
  type Asked,
  boundedResolved,
  boundedThreads,
  keyOf,
  positionsOf,
  stacksIn,
} from "../../src/core/sourcemaps/resolve.ts";
import type { Event, Resolved, Stacks } from "../../src/core/wire.ts";
import {
  LOCAL_ANSWERS,
  LOCAL_MAP_BYTES,
  LOCAL_MAPS_PER_MINUTE,
  LOCAL_SOURCE_BYTES,
} from "../limits.ts";
import { isWithin, mapOf, readRegular } from "./read.ts";

export class LocalMaps {
  readonly #now: () => number;
  /** What is known of positions of files as they were; null: no map has it. */
  readonly #answers = new Map<string, Original | null>();
  #minute = 0;
  #reads = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined if no file that the stacks name has a map here. Never throws. */
  resolve(event: Event): Resolved | undefined {
    if (!event.exception_type || event.resolved) return undefined;
    const found = this.#find(stacksIn(event));
    return found.size === 0 ? undefined : boundedResolved(event, found);
  }

  /** The same for the stacks of a hang, or of the end of a process. */
  resolveThreads({ threads, resolved }: Stacks): Stacks["resolved"] {
    if (resolved) return undefined;
    const found = this.#find(threads.map(({ frames }) => frames));
    return found.size === 0 ? undefined : boundedThreads(threads, found);
  }

  /** By keyOf. */
  #find(stacks: string[][]): Map<string, Original> {
    const found = new Map<string, Original>();
    try {
      const asked = positionsOf(stacks);
      for (const [file, positions] of Map.groupBy(asked, (position) => position.file))
        for (const [position, original] of this.#inFile(file, positions))
          found.set(keyOf(position), original);
    } catch {
      found.clear(); // a file changed while it was read
    }
    return found;
  }

  #inFile(file: string, asked: Asked[]): [Asked, Original][] {
    const script = scriptOf(file);
    if (script === undefined) return [];
    const { path, version } = script;
    const key = (position: Asked) => `${version}\n${keyOf(position)}\n${position.withExcerpt}`;
    if (!asked.every((position) => this.#answers.has(key(position)))) {
      if (!this.#mayRead()) return [];
      const read = reader(path);
      if (this.#answers.size > LOCAL_ANSWERS) this.#answers.clear();
      for (const position of asked) this.#answers.set(key(position), read(position) ?? null);
    }
    return asked.flatMap((position): [Asked, Original][] => {
      const original = this.#answers.get(key(position));
      return original ? [[position, original]] : [];
    });
  }

  #mayRead(): boolean {
    const minute = Math.floor(this.#now() / 60_000);
    if (minute !== this.#minute) [this.#minute, this.#reads] = [minute, 0];
    return ++this.#reads <= LOCAL_MAPS_PER_MINUTE;
  }
}

/** A regular file of this user that a frame names, and what changes with its content. */
function scriptOf(file: string): { path: string; version: string } | undefined {
  if (!/^(?:file:\/\/|\/|[A-Za-z]:[\\/])/.test(file) || !/\.[cm]?js$/.test(file)) return undefined;
  const path = file.startsWith("file://") ? fileURLToPath(file) : file;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > 4 * LOCAL_MAP_BYTES) return undefined;
  const map = statSync(`${path}.map`, { throwIfNoEntry: false });
  return { path, version: [path, stat.mtimeMs, stat.size, map?.mtimeMs, map?.size].join("\n") };
}

/** What the map of a script has. Without a map, or with a malformed one, nothing. */
function reader(script: string): (asked: Asked) => Original | undefined {
  const path = realpathSync(script);
  const root = rootOf(dirname(path));
  const map = mapOf(path, root, { limit: LOCAL_MAP_BYTES, isOwn: true });
  if (map === undefined || typeof map === "string") return () => undefined;
  try {
    const blocks: Uint8Array[] = [];
    const generated = path.slice(root.length).replaceAll("\\", "/").replace(/^\//, "");
    const index = storeMap(readMapFile(map), generated, (block) => blocks.push(block));
    const read = (number: number) => blocks[number] ?? new Uint8Array();
    return ({ withExcerpt, ...position }) => {
      const found = lookUp(index, read, position, withExcerpt);
      return found && onDisk(found, root, withExcerpt);
    };
  } catch (error) {
    if (!refusalOf(error)) throw error;
    return () => undefined;
  }
}

/** The folder of the program: what the map may name outside it is not read. */
function rootOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return at;
    if (dirname(at) === at) return folder;
  }
}

/** With the source's path on this machine, so that editors open it, and its lines, if the map does not have them. */
function onDisk(original: Original, root: string, withExcerpt: boolean): Original {
  const path = join(root, original.file);
  if (!SOURCE.test(path) || !isWithin(path, root) || !existsSync(path)) return original;
  const content =
    withExcerpt && !original.excerpt
      ? readRegular(path, { limit: LOCAL_SOURCE_BYTES, isOwn: true })
      : undefined;
  if (content === undefined || typeof content === "string") return { ...original, file: path };
  const lines = content.toString().split(/\r?\n/);
  if (original.line > lines.length) return original;
  const first = Math.max(1, original.line - CONTEXT_LINES);
  const near = lines.slice(first - 1, original.line + CONTEXT_LINES);
  const excerpt = { first, lines: near.map((line) => line.slice(0, MAX_SOURCE_LINE)) };
  return { ...original, file: path, excerpt };
}

const SOURCE = /\.(?:[cm]?[jt]sx?|vue|svelte|astro|coffee|elm|re|res|civet)$/;
