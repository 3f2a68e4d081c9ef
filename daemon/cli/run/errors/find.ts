/** The error that a command printed last, in whatever format its runtime has. */
import { dotnet } from "./dotnet.ts";
import { go } from "./go.ts";
import { javascript } from "./javascript.ts";
import { jvm } from "./jvm.ts";
import { native } from "./native.ts";
import { withoutPrefix } from "../../../../src/core/stack/prefix.ts";
import type { PrintedError, Scanner } from "./printed-error.ts";
import { python } from "./python.ts";
import { rust } from "./rust.ts";
import { elixir, lua, perl, php, ruby } from "./scripting.ts";
import { shell } from "./shell.ts";

/** Those whose first line is unmistakable come first; shells' lines have the fewest features. */
const UNMISTAKABLE: Scanner[] = [python, go, rust, jvm, javascript, dotnet, php, elixir, native];
const ALL: Scanner[] = [...UNMISTAKABLE, ruby, lua, shell, perl];

/**
 * The last error in these lines. One that only repeats that another failed counts if there is no other. `isCertain`: only formats that
 * nothing else has, for a stream whose other lines are the program's ordinary output.
 */
export function lastError(lines: readonly string[], isCertain = false): PrintedError | undefined {
  const scanners = isCertain ? UNMISTAKABLE : ALL;
  const found = lastOf(lines, scanners);
  // Container and CI tools write the time or a name in front of each line.
  const bare = lines.map(withoutPrefix);
  if (bare.every((line, index) => line === lines[index])) return found;
  const behind = lastOf(bare, scanners);
  if (!behind || !found) return found ?? behind;
  // What was read with its prefix is wrong about it.
  if (bare[found.end - 1] !== lines[found.end - 1]) return behind;
  if (found.isWeak || behind.isWeak) return found.isWeak ? behind : found;
  return behind.end > found.end ? behind : found;
}

function lastOf(lines: readonly string[], scanners: Scanner[]): PrintedError | undefined {
  let last: PrintedError | undefined;
  let at = 0;
  while (at < lines.length) {
    const found = lines[at] === "" ? undefined : scan(lines, at, scanners);
    if (found && !found.isHarmless && (!last || last.isWeak || !found.isWeak)) last = found;
    at = found ? found.end : at + 1;
  }
  return last;
}

function scan(lines: readonly string[], at: number, scanners: Scanner[]): PrintedError | undefined {
  for (const scanner of scanners) {
    const found = scanner(lines, at);
    if (found) return found;
  }
  return undefined;
}
