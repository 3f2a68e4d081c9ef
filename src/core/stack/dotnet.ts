/** Frames of .NET, and of Mono as Unity prints them. */
import { addressOf, type Place } from "./place.ts";

/**
 * `at Game.Door.Open(String name) in C:\src\Door.cs:line 12`, `at Game.Door.Open () [0x00012] in <3f2a>:0`,
 * `Door.Open () (at Assets/Door.cs:12)`, `UnityEngine.Debug:Log(Object)`.
 */
export function dotnetPlace(line: string): Place | undefined {
  const text = line.trim();
  const isAt = text.startsWith("at ");
  const call = isAt ? text.slice(3) : text;
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
  if (isAt ? rest !== "" && !/^(?:\[0x[0-9a-f]+\] )?in \S/.test(rest) : !/^\(at .+\)$/.test(rest))
    return undefined;
  const where = rest
    .replace(/^\(at (.+)\)$/, "$1")
    .replace(/^(?:\[0x[0-9a-f]+\] )?in /, "")
    .replace(/:line (\d+)$/, ":$1");
  const position = where === "" ? undefined : addressOf(where);
  const isFile = position && !position.file.startsWith("<");
  return { language: "dotnet", name, ...(isFile && position) };
}

/** A method's name without what the compiler numbers: async and iterator state machines, lambdas, local functions, closures. */
export function dotnetName(name: string): string {
  return name
    .replace(/\.?<>c(?:__DisplayClass\d+_\d+)?(?=\.)/, "")
    .replace(/<(\w*)>[bg]__(\w*?)\|?\d+(?:_\d+)?$/, (_, method: string, local: string) =>
      local === "" ? `${method}.lambda` : `${method}.${local}`,
    )
    .replace(/<(\w+)>d(?:__\d+)?(?:`\d+)?(?:\[[^\]]*\])?\.MoveNext$/, "$1")
    .replace(/`\d+(?:\[[^\]]*\])?/g, "")
    .replace(/lambda_method\d+/, "lambda_method");
}
