/**
 * What makes exceptions the same failure in all sessions and versions, version 2: their type and where they arose. Line numbers, folders,
 * addresses and values do not count. Stacks that source maps resolved count as resolved. A fingerprint that the program gives is
 * used in place of all of this.
 */
import { hash } from "../hash.ts";
import { MAX_GROUPED_CAUSES, MAX_GROUPED_FRAMES, MAX_STACK_LINES } from "../limits.ts";
import { dotnetName } from "../stack/dotnet.ts";
import { type Frame, framesOf } from "../stack/frame.ts";
import { goName } from "../stack/go.ts";
import { isMinified, withoutHash } from "../stack/javascript.ts";
import { isGenerated, jvmName } from "../stack/jvm.ts";
import { baseName, folderName, type Place } from "../stack/place.ts";
import { scriptName } from "../stack/scripts.ts";
import { asResolved } from "../sourcemaps/resolved.ts";
import { templateOf } from "./template.ts";
import type { Event } from "../wire.ts";

export type Thrown = Pick<
  Event,
  "exception_type" | "exception_msg" | "stacktrace" | "causes" | "fingerprint" | "resolved"
>;

/** Why exceptions are in one group. */
type Grouping = {
  /** program: it gave the fingerprint. frames: functions of the program, or of libraries if there are no others. message: its template. */
  by: "program" | "frames" | "message";
  /** One part a line: the type, then what `by` names, and the same of each cause. */
  parts: string[];
};

/** 16 hexadecimal digits. Those that the program gave in this format are its fingerprint unchanged, so that an export can be imported. */
export function fingerprint(thrown: Thrown): string {
  if (thrown.fingerprint && /^[0-9a-f]{16}$/.test(thrown.fingerprint)) return thrown.fingerprint;
  const { by, parts } = groupingOf(thrown);
  return hash(["2", by, ...parts].join("\n"));
}

/** Why a stored exception is in its group. Its own fingerprint is stored in place of the computed one, from which it differs. */
export function storedGrouping(thrown: Thrown): Grouping {
  const resolved = { ...thrown, fingerprint: undefined };
  // Source maps may have been uploaded after it was recorded.
  const recorded = { ...resolved, resolved: undefined };
  const computed = [resolved, recorded].find((each) => fingerprint(each) === thrown.fingerprint);
  return computed ? groupingOf(computed) : { by: "program", parts: [thrown.fingerprint ?? ""] };
}

export function groupingOf(thrown: Thrown): Grouping {
  if (thrown.fingerprint) return { by: "program", parts: [thrown.fingerprint] };
  // The names and columns of minified code differ from build to build.
  const shown = asResolved(thrown);
  const own = partsOf(shown);
  const causes = (shown.causes ?? []).slice(0, MAX_GROUPED_CAUSES).map(partsOf);
  return {
    by: [own, ...causes].some(({ hasFrames }) => hasFrames) ? "frames" : "message",
    parts: [own, ...causes].flatMap(({ parts }) => parts),
  };
}

type Single = Pick<Event, "exception_type" | "exception_msg" | "stacktrace">;

function partsOf({ exception_type = "", exception_msg = "", stacktrace = [] }: Single): {
  parts: string[];
  hasFrames: boolean;
} {
  const frames = framesOf(stacktrace.slice(0, MAX_STACK_LINES));
  const calls = callsOf(frames);
  // The file alone does not distinguish what is wrong in it.
  const isPlaceless = frames.every(({ place }) => !place || place.name === "");
  const message = calls.length === 0 || isPlaceless ? [templateOf(exception_msg)] : [];
  return { parts: [exception_type, ...calls, ...message], hasFrames: calls.length > 0 };
}

/** The functions of the program itself, each once, so that the depth of a recursion does not count; without any, those of libraries. */
function callsOf(frames: Frame[]): string[] {
  const placed = frames.filter(({ place }) => place && !isGeneratedCall(place));
  const own = placed.filter(({ isOwn }) => isOwn);
  const chosen = own.length > 0 ? own : placed;
  const calls = new Set(chosen.flatMap(({ place }) => (place ? callOf(place) || [] : [])));
  // Without symbols, the program files are all that lasts.
  const known = calls.size > 0 ? calls : new Set(chosen.flatMap(({ place }) => imageOf(place)));
  return [...known].slice(0, MAX_GROUPED_FRAMES);
}

function imageOf(place: Place | undefined): string[] {
  const { module, file = module } = place ?? {};
  return file === undefined ? [] : [baseName(file)];
}

function isGeneratedCall({ language, name }: Place): boolean {
  return language === "jvm" && isGenerated(name);
}

/** A function as it is called in all versions and on all machines. Empty if the frame names nothing that lasts. */
function callOf(place: Place): string {
  const { language, name, file, module, column } = place;
  switch (language) {
    case "go":
      return goName(name) || fileOf(file ?? "");
    case "jvm":
      return jvmName(name);
    case "dotnet":
      return dotnetName(name);
    case "rust":
      return name.replace(/\{\{closure\}\}(?:::\{\{closure\}\})*/g, "{{closure}}");
    case "native":
      return name === "" ? (file === undefined ? "" : baseName(file)) : name;
    case "python":
      // Since Python 3.12 these are no frames of their own.
      return /^<(?:list|set|dict)comp>$/.test(name) ? "" : `${fileOf(file ?? "")} ${name}`.trim();
    case "javascript": {
      const at = isMinified(place) ? ` ${column}` : "";
      return `${fileOf(file ?? "")} ${name}${at}`.trim();
    }
    case "script": {
      const where = file === undefined ? (module ?? "") : fileOf(file);
      return `${where} ${scriptName(name, file)}`.trim();
    }
    default:
      return language satisfies never;
  }
}

/** A file without its folders; one that has the name of its folder's entry, with the folder. */
function fileOf(file: string): string {
  const base = baseName(file);
  const name = withoutHash(base);
  // Bundles, and what a web server sends, are all in one folder.
  const hasOwnFolder = name === base && !/^https?:/.test(file);
  return hasOwnFolder && ENTRY.test(name) ? `${folderName(file)}/${name}` : name;
}

/** Names that many folders have one file of. */
const ENTRY = /^(?:index\.\w+|__init__\.py|__main__\.py|(?:page|layout|route)\.\w+|init\.lua)$/;
