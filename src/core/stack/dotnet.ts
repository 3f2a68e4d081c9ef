/** Frames of .NET, and of Mono as Unity prints them. */
import { addressOf, type Place } from "./place.ts";

/**
 * `at Game.Door.Open(String name) in C:\src\Door.cs:line 12`, `at Game.Door.Open () [0x00012] in <3f2a>:0`,
 * `Door.Open () (at Assets/Door.cs:12)`, `UnityEngine.Debug:Log(Object)`.
 */
export function dotnetPlace(line: string): Place | undefined {
  const text = line.trim().replace(/\[\[.*\]\]/, ""); // type arguments with their assemblies
  const at = /^ *at |^ {3}(?:bei|à|en|in|em|w|в|在|場所) /.exec(line)?.[0].trimStart() ?? "";
  const isAt = at !== "";
  const call = text.slice(at.length);
  const open = call.indexOf("(", call.startsWith("(") ? 1 : 0);
  const close = call.indexOf(")", open);
  const name = call.slice(0, open).trimEnd();
  if (
    open <= 0 ||
    close < 0 ||
    !/^[^\s()]+[.:][^\s()]+$/.test(name.replace(/^\(wrapper [\w-]+\) /, ""))
  )
    return undefined;
  const rest = call.slice(close + 1).trim();
  const isPlaced = isAt ? rest === "" || IN_FILE.test(rest) : /^\(at .+\)$/.test(rest);
  const isLogCall = !isAt && rest === "" && /^UnityE\w+\.\w+:/.test(name);
  if (!isPlaced && !isLogCall) return undefined;
  const where = rest
    .replace(/^\(at (.+)\)$/, "$1")
    .replace(IN_FILE, "")
    .replace(/:\p{L}+ (\d+)\.?$/u, ":$1");
  const position = where === "" ? undefined : addressOf(where);
  const isFile = position && !position.file.startsWith("<");
  return { language: "dotnet", name, ...(isFile && position) };
}

/** In the language of the system: ` in door.cs:line 12`, ` dans door.cs:ligne 12`. */
const IN_FILE = /^(?:\[0x[0-9a-f]+\] )?(?:in|dans|en|em|w|в|位置) (?=\S)/;

/** A method's name without what the compiler numbers: async and iterator state machines, lambdas, local functions, closures. */
export function dotnetName(name: string): string {
  return name
    .replace(/\.?<>c(?:__DisplayClass\d+_\d+)?(?=\.)/, "")
    .replace("<<Main>$>", "<Main>") // of statements outside methods
    .replace(/<<(\w+)>b__\d+(?:_\d+)?>d\.MoveNext$/, "$1.lambda")
    .replace(/<(\w*)>[bg]__(\w*?)\|?\d+(?:_\d+)?$/, (_, method: string, local: string) =>
      local === "" ? `${method}.lambda` : `${method}.${local}`,
    )
    .replace(/<(\w+)>d(?:__\d+)?(?:`\d+)?(?:\[[^\]]*\])?\.MoveNext$/, "$1")
    .replace(/`\d+(?:\[[^\]]*\])?/g, "")
    .replace(/lambda_method\d+/, "lambda_method");
}
