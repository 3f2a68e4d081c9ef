/** The code that a frame names, and `file:line:column`, as most languages print where it is. */

/** Languages whose frames have a format, or names, of their own. "script": Ruby, PHP, Perl, Elixir, Lua, Dart and GDScript. */
type Language = "python" | "javascript" | "go" | "jvm" | "dotnet" | "rust" | "native" | "script";

/** The code that a frame names. */
export type Place = {
  language: Language;
  /** The function, with its class or package where the line has it, without arguments and addresses; "" if it has none. */
  name: string;
  /** What contains it, if it is no part of the name: a module of Java, an application of Elixir, a library or program file. */
  module?: string;
  /** As printed, with its folders. */
  file?: string;
  line?: number;
  column?: number;
  /** The source line, where the frame has it. */
  source?: string;
};

export type Position = { file: string; line: number; column?: number };

/** The position that is the whole text. Undefined if it has no line. */
export function addressOf(text: string): Position | undefined {
  const last = numberAtEnd(text);
  if (!last) return undefined;
  const line = numberAtEnd(last.before);
  const [file, position] = line
    ? [line.before, { line: line.number, column: last.number }]
    : [last.before, { line: last.number }];
  return file === "" ? undefined : { file, ...position };
}

function numberAtEnd(text: string): { before: string; number: number } | undefined {
  const colon = text.lastIndexOf(":");
  const digits = text.slice(colon + 1);
  // More digits are no line number, and no exact number either.
  if (colon < 0 || !/^\d{1,9}$/.test(digits)) return undefined;
  return { before: text.slice(0, colon), number: Number(digits) };
}

/** The last part of a path or address, without query and fragment. */
export function baseName(path: string): string {
  const [plain = ""] = path.split(/[?#]/, 1);
  return plain.slice(Math.max(plain.lastIndexOf("/"), plain.lastIndexOf("\\")) + 1);
}

/** The folder that contains it, without those above. */
export function folderName(path: string): string {
  const parts = path.split(/[\\/]/);
  return parts.at(-2) ?? "";
}
