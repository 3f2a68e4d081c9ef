/**
 * Stack traces as frames, in the formats in which the languages print them. One frame may have several lines: Python prints the source
 * line below it, Go and Rust the place. Takes time proportional to the text's length: lines are cut before they are matched.
 */
import { MAX_MATCHED_LENGTH, MAX_STACK_LINES } from "../limits.ts";
import { plainText } from "../text/recorded-text.ts";
import { dotnetPlace } from "./dotnet.ts";
import { goPlace } from "./go.ts";
import { javascriptPlace } from "./javascript.ts";
import { jvmPlace } from "./jvm.ts";
import { isLibrary } from "./library.ts";
import { nativePlace } from "./native.ts";
import { addressOf, baseName, type Place } from "./place.ts";
import { withoutPrefix } from "./prefix.ts";
import { pythonPlace, isPythonFrame } from "./python.ts";
import { rustPlace } from "./rust.ts";
import { scriptPlace } from "./scripts.ts";

export type Frame = {
  /** Its lines, as recorded. */
  text: string;
  /** Undefined for lines that are no frames: headings, messages, markers. */
  place?: Place;
  /** Of the program itself, and not of a library or the runtime. */
  isOwn: boolean;
};

const READERS: ((line: string) => Place | undefined)[] = [
  pythonPlace,
  javascriptPlace,
  jvmPlace,
  dotnetPlace,
  scriptPlace,
  rustPlace,
  nativePlace,
  goPlace,
];

/** The frames and the other lines of a stack trace, in their order. Frames after MAX_STACK_LINES lines have no place. */
export function framesOf(stacktrace: readonly string[]): Frame[] {
  const frames: Frame[] = [];
  let count = 0;
  for (const entry of stacktrace)
    for (const text of entry.split("\n")) {
      if (text.trim() === "") continue;
      const isMatched = ++count <= MAX_STACK_LINES;
      const line = isMatched ? plainText(text.slice(0, MAX_MATCHED_LENGTH)).trimEnd() : "";
      const found = isMatched ? readLine(line, frames.at(-1)) : undefined;
      const last = frames.at(-1);
      if (last && found === "continues") last.text += `\n${text}`;
      else frames.push({ text, place: found === "continues" ? undefined : found, isOwn: false });
    }
  for (const frame of frames) frame.isOwn = frame.place !== undefined && !isLibrary(frame.place);
  return frames;
}

/** The place that a line names, if it does not belong to the frame before it. A log may have added a time and the like to each line. */
function readLine(line: string, last: Frame | undefined): Place | "continues" | undefined {
  if (last && continues(last, line)) return "continues";
  const place = placeIn(line);
  const bare = place ? line : withoutLogPrefix(line);
  if (bare === line) return place;
  return last && continues(last, bare) ? "continues" : placeIn(bare);
}

/** Whether a line belongs to the frame before it. Adds the position that it has to that frame. */
function continues(frame: Frame, line: string): boolean {
  const hasOneLine = !frame.text.includes("\n");
  switch (frame.place?.language) {
    case "python":
      if (!/^[\s|]{4,}[^\s|]/.test(line) || isPythonFrame(line)) return false;
      if (hasOneLine) frame.place.source = line.replace(/^[\s|]+/, "");
      return true;
    case "go":
      return hasOneLine && addPosition(frame.place, GO_POSITION.exec(line)?.[1]);
    case "rust":
      return hasOneLine && addPosition(frame.place, /^\s+at (\S.*)$/.exec(line)?.[1]);
    case undefined:
      // Go's line of where a goroutine was started is no frame, and its position is none either.
      return hasOneLine && frame.text.startsWith("created by ") && GO_POSITION.test(line);
    default:
      return false;
  }
}

const GO_POSITION = /^\s*(\S.*\.go:\d+)(?: \+0x[0-9a-f]+)?$/;

function addPosition(place: Place, text: string | undefined): boolean {
  const position = text === undefined || place.file !== undefined ? undefined : addressOf(text);
  if (position) Object.assign(place, position);
  return position !== undefined;
}

function placeIn(line: string): Place | undefined {
  for (const read of READERS) {
    const place = read(line);
    if (place) return place;
  }
  return undefined;
}

/** Without the time, the name and the level that a log has in front of each line. */
function withoutLogPrefix(line: string): string {
  const rest = withoutPrefix(line);
  return rest === line ? line : rest.replace(/^(?:ERROR|WARN(?:ING)?|CRITICAL|FATAL|INFO) /i, "");
}

/** `load_level (game.py:88)`. */
export function placeText({
  name,
  file = "",
  line,
}: Pick<Place, "name" | "file" | "line">): string {
  const base = baseName(file);
  const where = line === undefined ? base : `${base}:${line}`;
  if (where === "") return name;
  return name === "" ? where : `${name} (${where})`;
}
