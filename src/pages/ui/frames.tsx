/** A stack trace as frames with links that open the line in an editor, for the formats of several languages. */

import { plainText } from "../../core/recorded-text.ts";
import { Coloured } from "./coloured.tsx";
import { MAX_MATCHED_LENGTH, MAX_STACK_LINES } from "../../core/limits.ts";
import { address } from "./address.ts";

export type Frame = {
  text: string;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
};

/** One frame per line; a Python frame and its source line are one. Frames after MAX_STACK_LINES have no place. */
export function framesOf(stacktrace: string[]): Frame[] {
  return stacktrace
    .flatMap((entry) => joined(entry.split("\n")))
    .filter((text) => text.trim() !== "")
    .map((text, index) =>
      index < MAX_STACK_LINES
        ? { text, ...placeIn(plainText(text.slice(0, MAX_MATCHED_LENGTH))) }
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

/** The file and line that a frame names, in the format of Python, of JavaScript, or of Go, Java, Rust and Ruby. */
function placeIn(text: string): Omit<Frame, "text"> {
  const [, pythonFile, pythonLine] = /File "([^"]+)", line (\d+)/.exec(text) ?? [];
  if (pythonFile !== undefined) return { file: pythonFile.trim(), line: Number(pythonLine) };

  let withoutColumn: Omit<Frame, "text"> = {};
  // Each run of a path's characters is looked at once: a pattern for path and line would start at each character of the run.
  for (const { 0: path, index } of text.matchAll(/[\w./\\@ -]+/g)) {
    const end = index + path.length;
    const [, line, column] = /^:(\d+)(?::(\d+))?/.exec(text.slice(end)) ?? [];
    if (line === undefined || !/\.[A-Za-z]\w{0,4}$/.test(path.slice(-6))) continue;
    const before = text.slice(0, index);
    const isUrl = before.endsWith("file:") && path.startsWith("//");
    const drive = /[A-Za-z]:$/.exec(before.slice(-2))?.[0] ?? "";
    const file = isUrl ? path.slice(2).trim() : (drive + path).trim();
    if (column !== undefined) return { file, line: Number(line), column: Number(column) };
    if (withoutColumn.file === undefined) withoutColumn = { file, line: Number(line) };
  }
  return withoutColumn;
}

export function Frames({ frames }: { frames: Frame[] }) {
  if (frames.length === 0) return null;
  return (
    <ol class="frames">
      {frames.map((frame) => (
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

/** Frames of libraries are drawn paler. */
function isForeign(file: string): boolean {
  return /node_modules|site-packages|dist-packages|\/lib\/python|^node:|\/go\/pkg\/|<frozen/.test(
    file,
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
