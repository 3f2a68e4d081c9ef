/** Frames of Go: the line of the function. The line below it has the file. */
import { addressOf, type Place } from "./place.ts";

/** `main.(*Door).Open(0xc000012345, {0x4a1b2c, 0x5})`, `created by main.Start in goroutine 1`. The arguments contain no parentheses. */
export function goPlace(line: string): Place | undefined {
  const [, where = ""] = /^\s*(\S[^:]*\.go:\d+)(?: \+0x[0-9a-f]+)?$/.exec(line) ?? [];
  const position = addressOf(where);
  if (position) return { language: "go", name: "", ...position };
  if (/^\s/.test(line)) return undefined;
  const call = line.replace(TYPE_ARGUMENTS, "[...]");
  const open = call.lastIndexOf("(");
  const name = call.slice(0, Math.max(0, open));
  // The last dot that has a character after it: what follows it is the name within the package, without a path.
  const plain = goName(name);
  const dot = plain.lastIndexOf(".", plain.length - 2);
  const isFunction =
    dot > 0 && /^[\w./*()~-]+$/.test(plain) && !plain.includes("/", dot) && call.endsWith(")");
  if (!isFunction) return undefined;
  const parameters = call.slice(open + 1, -1);
  if (!/^(?:0x[0-9a-f]+\??|\.\.\.|[{},? ])*$/.test(parameters)) return undefined;
  return { language: "go", name };
}

/** `[...]`, `[go.shape.int,go.shape.[]string]`: nothing else in the line of a function has brackets. */
const TYPE_ARGUMENTS = /\[.*\]/;

/** The package of a function: `net/http` of `net/http.(*conn).serve`. */
export function goPackage(name: string): string {
  const dot = name.indexOf(".", name.lastIndexOf("/") + 1);
  return dot < 0 ? name : name.slice(0, dot);
}

/** A function's name without the numbers of closures and the type arguments of generic functions. */
export function goName(name: string): string {
  return name
    .replace(TYPE_ARGUMENTS, "")
    .replace(/(?:\.func\d+|\.gowrap\d+|\.\d+|-range\d+|-fm)+$/, ".func");
}
