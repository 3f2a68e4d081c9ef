/** A stack trace as frames: whichever language printed it, a file and a line can be opened in an editor. */

import { address } from "./address.ts";

export type Frame = {
  text: string;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
};

/** How languages write "this file, this line". The first that matches wins. */
const PLACES = [
  /File "(?<file>[^"]+)", line (?<line>\d+)/, // Python
  /\(?(?:file:\/\/)?(?<file>(?:[A-Za-z]:)?[\w./\\@ -]+\.[A-Za-z]\w{0,4}):(?<line>\d+):(?<column>\d+)\)?/, // JavaScript
  /(?<file>(?:[A-Za-z]:)?[\w./\\@ -]*\.[A-Za-z]\w{0,4}):(?<line>\d+)/, // Go, Java, Rust, Ruby
];

/** One frame per entry; an entry of several lines (Python's with its source line) stays one. */
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

/** Python prints a frame's source line under it, further in: they belong together. */
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

/** Code that someone else wrote is drawn paler. */
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
