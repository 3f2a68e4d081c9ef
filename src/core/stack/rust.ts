/** Frames of Rust: the line of the function. The line below it has the file. */
import type { Place } from "./place.ts";

/** `12: game::door::open::h0123456789abcdef`, also with an address. */
export function rustPlace(line: string): Place | undefined {
  const found = /^\s*\d+:\s+(?:0x[0-9a-f]+ - )?(\S.*)$/.exec(line);
  const name = found?.[1]?.replace(/::h[0-9a-f]{16}$/, "");
  if (name === undefined || !/^[\w<>:{}#&*,$ .[\]()'-]+$/.test(name) || /:\d+$/.test(name))
    return undefined;
  return { language: "rust", name };
}
