/**
 * Frames of compiled programs: gdb, glibc's backtrace(), AddressSanitizer, Android, Apple's crash reports, Unreal Engine, Unity,
 * Windows debuggers.
 */
import { addressOf, type Position, type Place } from "./place.ts";

export function nativePlace(line: string): Place | undefined {
  const text = line.trim();
  return (
    numbered(text) ?? glibcPlace(text) ?? applePlace(text) ?? imagePlace(text) ?? unityPlace(text)
  );
}

/** `#1 …` of gdb, AddressSanitizer and Android. */
function numbered(text: string): Place | undefined {
  const call = /^#\d+:?\s+(.+)$/.exec(text)?.[1];
  if (call === undefined) return undefined;
  const android =
    /^pc [0-9a-f]+\s+(\S+)(?: \(offset 0x[0-9a-f]+\))?(?: \((.+)\))?(?: \(BuildId: \w+\))?$/.exec(
      call,
    );
  if (android) return placed(android[2]?.replace(/\+\d+\)?.*$/, "") ?? "", android[1]);
  const bare = call.replace(/^0x[0-9a-f]+ (?:in )?/, "");
  const isAddressed = bare !== call;
  const [, gdbName, gdbRest] =
    /^([^()]+(?:\([^()]*\)(?: const)?(?=.*\())?) \((.*)$/.exec(bare) ?? [];
  const gdbWhere = gdbRest && /\) (?:at|from) (\S.*)$/.exec(gdbRest)?.[1];
  if (gdbName !== undefined && gdbWhere !== undefined) return placed(gdbName, gdbWhere);
  const [, name, where] =
    /^(.*?)\s*(\((?:\/|[A-Za-z]:)[^()]*\)|\S+:\d+(?::\d+)?)?(?: \(BuildId: \w+\))?$/.exec(bare) ??
    [];
  if (where !== undefined)
    return placed(name ?? "", where.replace(/^\((.+?)(?:\+0x[0-9a-f]+)?\)$/, "$1"));
  return isAddressed || gdbRest?.endsWith(")") ? placed(gdbName ?? bare, undefined) : undefined;
}

/** `./prog(door_open+0x1d) [0x401136]`; without a symbol `./prog(+0x1139)[0x55…]`. */
function glibcPlace(text: string): Place | undefined {
  const found = /^(\S[^()]*)\(([^()+]*)(?:\+0x[0-9a-f]+)?\)\s?\[0x[0-9a-f]+\]$/.exec(text);
  return found ? placed(found[2] ?? "", found[1]) : undefined;
}

/** `3   MyApp   0x0000000104eabc Door.open() + 123 (Door.swift:12)`. */
function applePlace(text: string): Place | undefined {
  const found = /^\d+\s+(\S[^\t]*?)\s+0x[0-9a-f]{6,}\s+(\S.*)$/.exec(text);
  if (!found) return undefined;
  const [, image = "", call = ""] = found;
  const where = / \(([^()\s]+:\d+)\)$/.exec(call)?.[1];
  const name = call.replace(/ \([^()]*:\d+\)$/, "").replace(/ \+ \d+$/, "");
  const isAddress = /^(?:0x[0-9a-f]+|imageBase)$/.test(name);
  return { ...placed(isAddress ? "" : name, where), module: image.trim() };
}

/** `UnrealEditor_MyGame!ADoor::Open() [D:\src\Door.cpp:12]`, `02 game!door_open+0x1d [door.c @ 12]`, `game.exe!Door::Open(int n) Line 12`. */
function imagePlace(text: string): Place | undefined {
  const found = /^(?:[0-9a-f`]+ )*(?:\[?0x[0-9a-f]+\]?:? )?([\w.+-]+)!(\S.*)$/i.exec(
    text.replace(/^\[[\d.:-]+\].*\[Callstack\] /, ""),
  );
  if (!found) return undefined;
  const [, image = "", call = ""] = found;
  const [, bracket] = / \[([^[\]]+)\]$/.exec(call) ?? [];
  const [, number] = / Line (\d+)$/.exec(call) ?? [];
  const name = call
    .replace(/ \[[^[\]]+\]$/, "")
    .replace(/ Line \d+$/, "")
    .replace(/\+0x[0-9a-f]+$/, "");
  const place = placed(
    name,
    bracket?.replace(/ @ (\d+)$/, ":$1").replace(/ : (\d+) \+ 0x[0-9a-f]+$/, ":$1"),
  );
  return { ...place, module: image, ...(number !== undefined && { line: Number(number) }) };
}

/** `0x00007ff6 (UnityPlayer) UnityMain`, `0x0000000a (Mono JIT Code) Door:Open ()`. */
function unityPlace(text: string): Place | undefined {
  const found = /^0x[0-9a-f]+ \(([^()]+)\) (\S.*)$/i.exec(text);
  return found ? { ...placed(found[2] ?? "", undefined), module: found[1] } : undefined;
}

function placed(name: string, where: string | undefined): Place {
  const position = where === undefined ? undefined : addressOf(where);
  const inLibrary = where === undefined || position ? {} : { module: where };
  return { language: "native", name: nativeName(name), ...position, ...inLibrary } satisfies Place &
    Partial<Position>;
}

/** A function without its parameters: `ADoor::Open(int, char const*) const`. Objective-C's `-[Door open:]` has none. */
function nativeName(name: string): string {
  if (/^[-+]\[/.test(name) || name === "??") return name === "??" ? "" : name;
  const open = name.indexOf("(", name.startsWith("(anonymous namespace)") ? 21 : 1);
  const plain = open < 0 ? name : name.slice(0, open);
  return plain.replace(/^(?:specialized|closure #\d+ in|partial apply for|@objc) /, "").trim();
}
