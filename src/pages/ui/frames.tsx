/** A stack trace as frames with links that open the line in an editor, for the formats of several languages. */

import { fileIn, isForeign, type Place } from "../../core/frame.ts";
import { plainText } from "../../core/recorded-text.ts";
import { Coloured } from "./coloured.tsx";
import { MAX_MATCHED_LENGTH, MAX_STACK_LINES } from "../../core/limits.ts";
import { address } from "./address.ts";

export type Frame = { text: string } & Omit<Place, "function" | "source">;

/** One frame per line; a Python frame and its source line are one. Frames after MAX_STACK_LINES have no place. */
export function framesOf(stacktrace: string[]): Frame[] {
  return stacktrace
    .flatMap((entry) => joined(entry.split("\n")))
    .filter((text) => text.trim() !== "")
    .map((text, index) =>
      index < MAX_STACK_LINES
        ? { text, ...fileIn(plainText(text.slice(0, MAX_MATCHED_LENGTH))) }
        : { text },
    );
}

/** Python prints the source line of a frame below it, with more indentation. */
function joined(lines: string[]): string[] {
  const frames: string[][] = [];
  for (const line of lines) {
    const last = frames.at(-1);
    const isSource = /^\s{4,}\S/.test(line) && last?.[0] && /^\s*File "/.test(last[0]);
    if (isSource) last.push(line);
    else frames.push([line]);
  }
  return frames.map((parts) => parts.join("\n"));
}

export function Frames({ frames }: { frames: Frame[] }) {
  if (frames.length === 0) return null;
  return (
    <ol class="frames">
      {frames.map((frame) => (
        // Frames of libraries are drawn paler.
        <li class="frame" data-own={frame.file && !isForeign(frame.file) ? "" : undefined}>
          <code>
            <Coloured text={frame.text} />
          </code>
          {frame.file === undefined ? null : <Editors frame={frame} file={frame.file} />}
        </li>
      ))}
    </ol>
  );
}

function Editors({ frame: { line = 1, column = 1 }, file }: { frame: Frame; file: string }) {
  const path = encodeURI(file.replaceAll("\\", "/"));
  const absolute = path.startsWith("/") ? path : `/${path}`;
  return (
    <span class="editors">
      <a href={`vscode://file${absolute}:${line}:${column}`}>VS Code</a>
      <a href={address("jetbrains://idea/navigate/reference", { path: `${file}:${line}` })}>
        JetBrains
      </a>
      <button type="button" data-copy={`${file}:${line}`} hidden>
        Copy path
      </button>
    </span>
  );
}
