/** The source lines around the frames of a stack, where the files are at hand. */
import type { Excerpt } from "../../../src/core/wire.ts";
import { SOURCE_EXCERPTS, SOURCE_LENGTH, SOURCE_LINES } from "../limits.ts";

/** Core's Excerpt, whose own declaration needs a library that the package does not have. */
export type SourceExcerpt = { file: string; first: number; lines: string[] };

type Place = { source_file?: string | undefined; source_line?: number | undefined };

/** The lines of a file that a frame names; undefined if it is of a library, or cannot be read. */
let linesOf: (file: string) => readonly string[] | undefined = () => undefined;

/** Pages and Workers have no files, so their clients do not call this. */
export function useFiles(read: typeof linesOf): void {
  linesOf = read;
}

/** Of each stack the innermost frames, which come first. */
export function sourcesOf(stacks: readonly (readonly Place[])[]): SourceExcerpt[] {
  const found = new Map<string, Excerpt>();
  for (const places of stacks)
    for (const { source_file: file, source_line: line } of places.slice(0, SOURCE_EXCERPTS)) {
      if (found.size >= SOURCE_EXCERPTS) return [...found.values()];
      if (file === undefined || line === undefined || found.has(`${file}:${line}`)) continue;
      const lines = linesOf(file);
      if (lines === undefined || line > lines.length) continue;
      const first = Math.max(1, line - SOURCE_LINES);
      const near = lines.slice(first - 1, line + SOURCE_LINES);
      const kept = near.map((text) => text.slice(0, SOURCE_LENGTH));
      found.set(`${file}:${line}`, { file, first, lines: kept });
    }
  return [...found.values()];
}
