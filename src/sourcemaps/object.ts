/**
 * The Durable Object of the source maps of one version of a product. A map is stored in compressed blocks, so that a position is found by
 * reading some four of them, whatever the size of the map. Other folders call it through client.ts.
 */
import { DurableObject } from "cloudflare:workers";
import { deflateRawSync, gunzipSync, inflateRawSync } from "node:zlib";
import { lookUp, type MapIndex, type Original, storeMap } from "../core/sourcemaps/blocks.ts";
import { MAX_MAP_BYTES } from "../core/sourcemaps/limits.ts";
import { readMapFile } from "../core/sourcemaps/map-file.ts";
import { FileMatcher } from "../core/sourcemaps/paths.ts";
import type { Asked } from "../core/sourcemaps/resolve.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { CACHED_BLOCKS, CACHED_INDEXES, MAX_FILES, MAX_VERSION_BYTES } from "./limits.ts";

/** A stored map, as it is listed. */
export type SourceMapFile = {
  /** Of the generated file: `assets/app.js`. */
  file: string;
  /** Of the map itself, decompressed, in hexadecimal digits. */
  sha256: string;
  bytes: number;
  stored_bytes: number;
  debug_id: string | null;
  uploaded_at: number;
  uploaded_by: string;
};

/** What a version has. */
export type Totals = { files: number; bytes: number };

type Reply<Value> = { value: Value } | { refusal: string };
export type Upload = { file: string; body: Uint8Array; isGzip: boolean; at: number; by: string };
export type Uploaded = { stored: SourceMapFile; totals: Totals; rows: number };

export class SourceMaps extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  readonly #blocks = new Kept<Uint8Array>(CACHED_BLOCKS);
  readonly #indexes = new Kept<{ id: number; index: MapIndex }>(CACHED_INDEXES);
  #matcher: FileMatcher | undefined;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#sql = context.storage.sql;
  }

  #createTables(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS files (
        id INTEGER PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL,
        debug_id TEXT, uploaded_at INTEGER NOT NULL, uploaded_by TEXT NOT NULL, blocks TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, block BLOB NOT NULL);`);
  }

  get #isEmpty(): boolean {
    const [table] = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'files'");
    return table === undefined;
  }

  /** Stores a map in place of the one that the file had. All of it, or nothing after a refusal. */
  async put({ file, body, isGzip, at, by }: Upload): Promise<Reply<Uploaded>> {
    return replyOf(async () => {
      const bytes = isGzip ? inflated(body) : body;
      if (bytes.length > MAX_MAP_BYTES) throw mapTooLarge();
      const map = readMapFile(bytes);
      const sha256 = hex(await crypto.subtle.digest("SHA-256", bytes));
      // No await from here on.
      return this.ctx.storage.transactionSync(() => {
        this.#createTables();
        const before = this.#fileOf(file);
        const known = this.list().find((each) => each.file === file);
        if (known?.sha256 === sha256) return { stored: known, totals: this.#totals(), rows: 0 };
        const totals = this.#totals();
        if (!before && totals.files >= MAX_FILES)
          throw new Refusal("too_large", `A version may have ${MAX_FILES} source maps.`);
        let rows = before ? this.#removeFile(file) : 0;
        const id = this.#nextId();
        let [number, stored] = [0, 0];
        const blocks = storeMap(map, file, (block) => {
          const compressed = deflateRawSync(block, { level: 6 });
          stored += compressed.length;
          if (totals.bytes - (before?.stored_bytes ?? 0) + stored > MAX_VERSION_BYTES)
            throw new Refusal(
              "too_large",
              `The source maps of a version may have ${MAX_VERSION_BYTES / 1024 / 1024} MiB compressed. Delete some, or upload fewer.`,
            );
          this.#sql.exec("INSERT INTO blocks VALUES (?, ?)", blockId(id, number++), compressed);
        });
        const entry = {
          file,
          sha256,
          bytes: bytes.length,
          stored_bytes: stored,
          debug_id: map.debugId ?? null,
          uploaded_at: at,
          uploaded_by: by,
        };
        this.#sql.exec(
          "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
          id,
          ...Object.values(entry),
          JSON.stringify(blocks),
        );
        rows += number + 1;
        this.#forget();
        return { stored: entry, totals: this.#totals(), rows };
      });
    });
  }

  list(): SourceMapFile[] {
    if (this.#isEmpty) return [];
    return [
      ...this.#sql.exec<SourceMapFile>(
        "SELECT file, sha256, bytes, stored_bytes, debug_id, uploaded_at, uploaded_by FROM files ORDER BY file",
      ),
    ];
  }

  /** Removes one map; what is left then, and null if there was none. */
  remove(file: string): Totals | null {
    if (this.#isEmpty || !this.#fileOf(file)) return null;
    this.ctx.storage.transactionSync(() => this.#removeFile(file));
    this.#forget();
    return this.#totals();
  }

  /** Removes every one. */
  async erase(): Promise<Totals> {
    const totals = this.#isEmpty ? { files: 0, bytes: 0 } : this.#totals();
    await this.ctx.storage.deleteAll();
    this.#forget();
    return totals;
  }

  /** Where each position is in its source; null where no map fits. */
  resolve(asked: Asked[]): (Original | null)[] {
    if (this.#isEmpty) return asked.map(() => null);
    this.#matcher ??= new FileMatcher(this.list().map(({ file }) => file));
    const found = new Map<string, string | undefined>();
    return asked.map(({ file, withExcerpt, ...position }) => {
      if (!found.has(file)) found.set(file, this.#matcher?.find(file));
      const path = found.get(file);
      const map = path === undefined ? undefined : this.#indexOf(path);
      if (!map) return null;
      const read = (number: number) => this.#block(map.id, number);
      return lookUp(map.index, read, position, withExcerpt) ?? null;
    });
  }

  #indexOf(file: string): { id: number; index: MapIndex } | undefined {
    return this.#indexes.get(file, () => {
      const [row] = this.#sql.exec<{ id: number; blocks: string }>(
        "SELECT id, blocks FROM files WHERE file = ?",
        file,
      );
      return row && { id: row.id, index: JSON.parse(row.blocks) as MapIndex }; // as `put` wrote it
    });
  }

  #block(file: number, number: number): Uint8Array {
    const id = blockId(file, number);
    const block = this.#blocks.get(String(id), () => {
      const [row] = this.#sql.exec<{ block: ArrayBuffer }>(
        "SELECT block FROM blocks WHERE id = ?",
        id,
      );
      return row && inflateRawSync(new Uint8Array(row.block));
    });
    if (!block) throw new Error(`Block ${number} of source map ${file} is missing.`);
    return block;
  }

  #fileOf(file: string): { id: number; stored_bytes: number } | undefined {
    const [row] = this.#sql.exec<{ id: number; stored_bytes: number }>(
      "SELECT id, stored_bytes FROM files WHERE file = ?",
      file,
    );
    return row;
  }

  #totals(): Totals {
    const [row] = this.#sql.exec<Totals>(
      "SELECT count(*) AS files, coalesce(sum(stored_bytes), 0) AS bytes FROM files",
    );
    return row ?? { files: 0, bytes: 0 };
  }

  #nextId(): number {
    const [row] = this.#sql.exec<{ id: number }>(
      "SELECT coalesce(max(id), 0) + 1 AS id FROM files",
    );
    return row?.id ?? 1;
  }

  /** The rows that this wrote: deleting one is one. */
  #removeFile(file: string): number {
    const { id } = this.#fileOf(file) ?? { id: 0 };
    const { rowsWritten } = this.#sql.exec(
      "DELETE FROM blocks WHERE id >= ? AND id < ?",
      blockId(id, 0),
      blockId(id + 1, 0),
    );
    this.#sql.exec("DELETE FROM files WHERE id = ?", id);
    return rowsWritten + 1;
  }

  #forget(): void {
    this.#matcher = undefined;
    this.#blocks.clear();
    this.#indexes.clear();
  }
}

/** The newest values that were asked for. */
class Kept<Value> {
  readonly #values = new Map<string, Value>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, read: () => Value | undefined): Value | undefined {
    const value = this.#values.get(key) ?? read();
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > this.#limit && oldest !== undefined) this.#values.delete(oldest);
    return value;
  }

  clear(): void {
    this.#values.clear();
  }
}

/** A map has fewer blocks than this: a block a BLOCK_LENGTH and kind, and one a section. */
const BLOCKS_OF_FILE = 2 ** 20;

function blockId(file: number, number: number): number {
  return file * BLOCKS_OF_FILE + number;
}

function inflated(body: Uint8Array): Uint8Array {
  try {
    return gunzipSync(body, { maxOutputLength: MAX_MAP_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw mapTooLarge();
    throw new Refusal(
      "invalid_encoding",
      "The body is declared as gzip, but cannot be decompressed.",
    );
  }
}

function mapTooLarge(): Refusal {
  return new Refusal("too_large", `A source map may have ${MAX_MAP_BYTES / 1024 / 1024} MiB.`);
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A refusal as a value: an error that crosses RPC is logged as uncaught. */
async function replyOf<Value>(answer: () => Promise<Value>): Promise<Reply<Value>> {
  try {
    return { value: await answer() };
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return { refusal: JSON.stringify(refusal) };
  }
}
