/** A stack trace as frames with links that open the line in an editor, for the formats of several languages. */

import { address } from "./address.ts";

export type Frame = {
  text: string;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
};

/** The formats of "file, line"; the first that matches is used. */
const PLACES = [
  /File "(?<file>[^"]+)", line (?<line>\d+)/, // Python
  /\(?(?:file:\/\/)?(?<file>(?:[A-Za-z]:)?[\w./\\@ -]+\.[A-Za-z]\w{0,4}):(?<line>\d+):(?<column>\d+)\)?/, // JavaScript
  /(?<file>(?:[A-Za-z]:)?[\w./\\@ -]*\.[A-Za-z]\w{0,4}):(?<line>\d+)/, // Go, Java, Rust, Ruby
];

/** One frame per line; a Python frame and its source line are one. */
export function framesOf(stacktrace: string[]): Frame[] {
  return stacktrace
    .flatMap((entry) => joined(entry.split("\n")))
    .filter((text) => text.trim() !== "")
    .map((text) => {
      const place = PLACES.map((pattern) => pattern.exec(text)?.groups).find(Boolean);
      return {
        text,
        file: place?.file?.trim(),
        line: place?.line === undefined ? undefined : Number(place.line),
        column: place?.column === undefined ? undefined : Number(place.column),
      };
    });
}

/** Python prints the source line of a frame below it, with more indentation. */
function joined(lines: string[]): string[] {
  const frames: string[] = [];
  for (const line of lines) {
    const last = frames.at(-1);
    const isSource = /^\s{4,}\S/.test(line) && last !== undefined && /^\s*File "/.test(last);
    if (isSource) frames[frames.length - 1] = `${last}\n${line}`;
    else frames.push(line);
  }
  return frames;
}

export function Frames({ frames }: { frames: Frame[] }) {
  if (frames.length === 0) return null;
  return (
    <ol class="frames">
      {frames.map((frame) => (
        <li class="frame" data-own={frame.file && !isForeign(frame.file) ? "" : undefined}>
          <code>{frame.text}</code>
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
