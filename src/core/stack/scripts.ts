/** Frames of Ruby, PHP, Perl, Elixir and Erlang, Lua, Dart and GDScript. */
import { addressOf, type Place } from "./place.ts";

export function scriptPlace(line: string): Place | undefined {
  const text = line.trim();
  return (
    rubyPlace(text) ??
    phpPlace(text) ??
    dartPlace(text) ??
    elixirPlace(text) ??
    erlangPlace(text) ??
    perlPlace(text) ??
    godotPlace(text) ??
    luaPlace(text) ??
    plainPlace(text)
  );
}

/** `from door.rb:12:in 'Door#open'`, before Ruby 3.4 with a backtick: `` in `open' ``. */
function rubyPlace(text: string): Place | undefined {
  const split = text.indexOf(":in ");
  const [, name] = /^:in [`']([^']+)'/.exec(text.slice(Math.max(0, split))) ?? [];
  const position = split < 0 ? undefined : addressOf(text.slice(0, split).replace(/^from /, ""));
  if (name === undefined || !position) return undefined;
  return { language: "script", name: name.replace(/^block \(\d+ levels\)/, "block"), ...position };
}

/** `#0 /srv/Door.php(12): Door->open('x')`, `#1 [internal function]: {closure}()`, `#2 {main}`. */
function phpPlace(text: string): Place | undefined {
  const call = /^#\d+ (\S.*)$/.exec(text)?.[1];
  if (call === undefined) return undefined;
  if (call === "{main}") return { language: "script", name: "" };
  const colon = call.indexOf(": ");
  const where = call.slice(0, Math.max(0, colon));
  const name = call.slice(colon + 2).replace(/\([^]*$/, "");
  if (where === "[internal function]") return { language: "script", name };
  const [, file, number] = /^([^()]+)\((\d+)\)$/.exec(where) ?? [];
  if (file === undefined) return undefined;
  return { language: "script", name, file, line: Number(number) };
}

/** `#0      Door.open (package:game/door.dart:12:5)`, `package:game/door.dart 12:5  Door.open`. */
function dartPlace(text: string): Place | undefined {
  const [, name = "", where = ""] =
    /^#\d+\s+(\S[^()]*?) \(((?:package|dart|file):[^()]+)\)$/.exec(text) ?? [];
  const position = addressOf(where);
  if (position)
    return {
      language: "script",
      name: name.replace(/<anonymous closure>/g, "closure"),
      ...position,
    };
  const [, file, line, column, short = ""] =
    /^(\S+\.dart) (\d{1,9})(?::(\d{1,9}))?\s+(\S+)$/.exec(text) ?? [];
  if (file === undefined) return undefined;
  return {
    language: "script",
    name: short.replace(/<fn>/g, "closure"),
    file,
    line: Number(line),
    column: Number(column ?? 1),
  };
}

/** `(game 0.1.0) lib/game/door.ex:12: Game.Door.open/2`. */
function elixirPlace(text: string): Place | undefined {
  const [, module, where = "", name = ""] =
    /^(?:\((\w+)(?: [\d.][^()]*)?\) )?([^\s:]+\.(?:exs?|erl):\d+): (\S.*)$/.exec(text) ?? [];
  const position = addressOf(where);
  return position ? { language: "script", name, module, ...position } : undefined;
}

/** `{door,open,1,[{file,"src/door.erl"},{line,12}]}`, `in function  door:open/1 (src/door.erl, line 12)`. */
function erlangPlace(text: string): Place | undefined {
  const [, module, name = "", arity, file = "", line] =
    /^\[?\{(\w+),([^,"{}]+),(\d+),\[\{file,"([^"]+)"\},\{line,(\d{1,9})\}\]\}/.exec(text) ?? [];
  if (module !== undefined)
    return { language: "script", name: `${module}:${name}/${arity}`, file, line: Number(line) };
  const [, call, source, number] =
    /^(?:in function|in call from)\s+(\S+) \(([^,()]+), line (\d{1,9})\)$/.exec(text) ?? [];
  if (call === undefined) return undefined;
  return { language: "script", name: call, file: source, line: Number(number) };
}

/** `at door.pl line 12.`, `main::open("x") called at door.pl line 12`. A path may contain blanks. */
function perlPlace(text: string): Place | undefined {
  const [end, number] = / line (\d{1,9})\.?(?:, <\w+> line \d+\.)?$/.exec(text) ?? [];
  if (end === undefined) return undefined;
  const before = ` ${text.slice(0, -end.length)}`;
  const at = before.lastIndexOf(" at ");
  const file = before.slice(at + 4);
  if (at < 0 || file.includes('"') || (/\s/.test(file) && !/[./\\]/.test(file))) return undefined;
  const name = /^ ([\w:]+)\(.* called$/.exec(before.slice(0, at))?.[1] ?? "";
  return { language: "script", name, file, line: Number(number) };
}

/** `at: open (res://door.gd:12)`, `[0] open (res://door.gd:12)`, `res://door.gd:12 @ open()`. */
function godotPlace(text: string): Place | undefined {
  const [, before, where] = /^(?:at:|\[\d+\]) (\S+) \((res:\/\/[^()]+)\)$/.exec(text) ?? [];
  const [, address, after] =
    /^(?:<GDScript Source>|(?=res:))(\S+) @ ([\w.]+)\(.*\)$/.exec(text) ?? [];
  const position = addressOf(where ?? address ?? "");
  return position ? { language: "script", name: before ?? after ?? "", ...position } : undefined;
}

/** `door.lua:12: in function 'open'`, `[C]: in ?`. */
function luaPlace(text: string): Place | undefined {
  const split = text.indexOf(": in ");
  const where = text.slice(0, Math.max(0, split));
  const call = text.slice(split + 5);
  if (split < 0 || !/^(?:\?|main chunk|(?:function|upvalue|local|method|field|global) )/.test(call))
    return undefined;
  const name = /'([^'<>]+)'$/.exec(call)?.[1] ?? "";
  if (where === "[C]") return { language: "script", name, module: "[C]" };
  const position = addressOf(where);
  return position ? { language: "script", name, ...position } : undefined;
}

/** Other languages: `door.zig:12:5 in open`. */
function plainPlace(text: string): Place | undefined {
  const [, where = "", name = ""] =
    /^([^\s:()]+\.[A-Za-z]{1,4}:\d+(?::\d+)?)(?::? in |: )?(\S*)$/.exec(text) ?? [];
  const position = addressOf(where);
  return position ? { language: "script", name, ...position } : undefined;
}

/**
 * A function without what versions print differently: the class and the blocks of Ruby, the namespace, file and line of a closure of PHP.
 */
export function scriptName(name: string, file = ""): string {
  if (file.endsWith(".rb"))
    return name
      .replace(/^(?:[a-z]+(?: \(\d+ levels\))? in )+/, "")
      .replace(/^[\w:]+[#.](?=\w+[?!=]?$)/, "");
  return name.replace(/(?:[\w\\]+\\)?\{closure(?::[^{}]*)?\}/, "{closure}");
}
