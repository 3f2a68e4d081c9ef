/** A line of a stack, in the formats of several languages: which function, in which file, and whether that is the program's own. */
import { MAX_MATCHED_LENGTH } from "./limits.ts";
import { plainText } from "./recorded-text.ts";

export type Place = {
  function?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  /** The source line, if the frame has it. */
  source?: string | undefined;
};

/** What a frame names; of a frame of several lines (Go's, and Python's with its source line) the whole is passed. */
export function placeIn(frame: string): Place {
  const text = plainText(frame.slice(0, MAX_MATCHED_LENGTH));
  const where = fileIn(text);
  return where.file === undefined
    ? where
    : { function: functionIn(text), ...where, source: sourceIn(text) };
}

/** The file and line that a frame names, in the format of Python, of JavaScript, or of Go, Java, Rust and Ruby. */
export function fileIn(text: string): Omit<Place, "function" | "source"> {
  const [, pythonFile, pythonLine] = /File "([^"]+)", line (\d+)/.exec(text) ?? [];
  if (pythonFile !== undefined) return { file: pythonFile.trim(), line: Number(pythonLine) };

  let withoutColumn: Omit<Place, "function" | "source"> = {};
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

/** The function of a frame of Python, JavaScript or Go. */
function functionIn(text: string): string | undefined {
  const [first = "", second] = text.split("\n", 2);
  const python = /", line \d+, in (.+)$/.exec(first);
  if (python) return python[1];
  const javascript = /^\s*at (?:async )?(?:new )?([^\s(]+(?: \[as [^\]]+\])?) \(/.exec(first);
  if (javascript) return javascript[1];
  // Go's `main.(*Door).Open(0xc000012345)`, above its file.
  if (second?.startsWith("\t") !== true) return undefined;
  const called = first.startsWith("created by ") ? first.slice("created by ".length) : first;
  const open = called.endsWith(")") ? called.lastIndexOf("(") : -1;
  return open > 0 ? called.slice(0, open) : called;
}

/** Python has it below the frame. */
function sourceIn(text: string): string | undefined {
  const [first = "", second = ""] = text.split("\n", 2);
  return first.trimStart().startsWith('File "') ? second.trim() || undefined : undefined;
}

/** Whether a file belongs to a library or to the runtime. */
export function isForeign(file: string): boolean {
  return /node_modules|site-packages|dist-packages|[/\\]lib[/\\]python|^node:|[/\\]go[/\\]pkg[/\\]|[/\\]go[\d.]*[/\\]src[/\\]|<frozen|^<string>$/.test(
    file,
  );
}

/** The innermost frame of the program's own code, in frames with the innermost first; of foreign frames alone, the innermost. */
export function ownPlace(frames: string[]): Place | undefined {
  let innermost: Place | undefined;
  for (const frame of frames) {
    const place = placeIn(frame);
    if (place.file === undefined) continue;
    if (!isForeign(place.file)) return place;
    innermost ??= place;
  }
  return innermost;
}

/** "load_level (game.py:88)". */
export function placeText({ function: name, file = "", line }: Place): string {
  const base = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  const where = line === undefined ? base : `${base}:${line}`;
  return name === undefined ? where : `${name} (${where})`;
}
