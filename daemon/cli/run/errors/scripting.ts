/** Errors of Ruby, PHP, Perl, Elixir and Lua. */
import {
  asCause,
  fileAndLine,
  linesWhile,
  ownSource,
  type PrintedError,
  type Scanner,
  type Source,
  typed,
} from "./printed-error.ts";

/** "cart.rb:3:in 'Cart#total': undefined method 'price' for nil (NoMethodError)", then `\tfrom` lines and the causes. */
export const ruby: Scanner = (lines, at) => {
  const error = rubyLink(lines, at);
  if (!error) return undefined;
  const causes: NonNullable<PrintedError["causes"]> = [];
  let end = error.end;
  for (let cause = rubyLink(lines, end); cause; cause = rubyLink(lines, end)) {
    causes.push(asCause(cause));
    end = cause.end;
  }
  return { ...error, causes, end };
};

function rubyLink(lines: readonly string[], at: number): PrintedError | undefined {
  const line = lines[at] ?? "";
  const marker = line.indexOf(":in ");
  const place = marker < 0 ? undefined : fileAndLine(line.slice(0, marker));
  const close = line.indexOf("': ", marker);
  if (!place || /\s/.test(place.file) || close < 0) return undefined;
  const own = line.slice(close + 3);
  // The type stands at the end of the message's first line.
  const open = own.lastIndexOf(" (");
  const type = own.slice(open + 2, -1);
  if (open < 0 || !own.endsWith(")") || !/^[A-Z][\w:]*$/.test(type)) return undefined;
  const between = linesWhile(lines, at + 1, (text) => !text.startsWith("\tfrom "), 20);
  const hasFrames = (lines[at + 1 + between.length] ?? "").startsWith("\tfrom ");
  const from = at + 1 + (hasFrames ? between.length : 0);
  const callers = linesWhile(lines, from, (text) => /^\t(?:from | ?\.\.\. )/.test(text));
  const first = line.slice(0, close + 1);
  const name = line.slice(marker + 5, close);
  const sources = [{ ...place, function: name }, ...callers.map(rubyPlace)];
  const stack = [first, ...callers];
  return {
    type,
    message: own.slice(0, open),
    stack,
    source: ownSource(sources),
    end: from + callers.length,
  };
}

function rubyPlace(line: string): Source | undefined {
  const text = line.replace(/^\tfrom /, "");
  const marker = text.indexOf(":in ");
  const place = fileAndLine(marker < 0 ? text : text.slice(0, marker));
  return place && { ...place, function: marker < 0 ? undefined : text.slice(marker + 5, -1) };
}

/** Lines of PHP's report of one exception with its stack. */
const REPORT_LINES = 500;
const PHP = /^(?:PHP )?(Fatal error|Parse error|Recoverable fatal error): {1,2}/;

/** "PHP Fatal error:  Uncaught TypeError: message in /app/cart.php:3" with a stack; earlier exceptions come first, after each "Next". */
export const php: Scanner = (lines, at) => {
  const [prefix, kind = ""] = PHP.exec(lines[at] ?? "") ?? [];
  if (prefix === undefined) return undefined;
  const text = (lines[at] ?? "").slice(prefix.length);
  if (!text.startsWith("Uncaught ")) {
    const on = text.lastIndexOf(" on line ");
    const where = text.lastIndexOf(" in ", on);
    if (where < 0 || !/^\d{1,9}$/.test(text.slice(on + 9))) return undefined;
    const source = { file: text.slice(where + 4, on), line: Number(text.slice(on + 9)) };
    return { type: kind, message: text.slice(0, where), stack: [], source, end: at + 1 };
  }
  const report = linesWhile(
    lines,
    at + 1,
    (line) => !line.startsWith("  thrown in "),
    REPORT_LINES,
  );
  const end = Math.min(lines.length, at + 2 + report.length);
  const links = phpLinks([text.slice(9), ...report]);
  const last = links.pop();
  return last && { ...last, causes: links.reverse().map(asCause), end };
};

function phpLinks(report: string[]): PrintedError[] {
  const links: PrintedError[] = [];
  let own: string[] = [];
  for (const line of report) {
    if (line.startsWith("Next ")) own = [line.slice(5)];
    else if (line === "Stack trace:") {
      const text = own.join("\n").trimEnd();
      const where = text.lastIndexOf(" in ");
      const exception = typed(where < 0 ? text : text.slice(0, where));
      const source = fileAndLine(text.slice(where + 4));
      if (exception) links.push({ ...exception, stack: [], source, end: 0 });
    } else if (/^#\d+ /.test(line)) links.at(-1)?.stack.push(line);
    else own.push(line);
  }
  return links;
}

/** "message at cart.pl line 3." or "…, <STDIN> line 5."; below it the callers, if Carp printed them. */
export const perl: Scanner = (lines, at) => {
  const line = (lines[at] ?? "").replace(/, <[^<>]{0,80}> (?:line|chunk) \d+\.$/, ".");
  const number = line.lastIndexOf(" line ");
  const where = line.lastIndexOf(" at ", number);
  const after = line.slice(number + 6);
  if (where < 1 || number < where + 5 || /^\s/.test(line)) return undefined;
  const found = /^(\d{1,9})(?:\.$|, near |, at end of line)/.exec(after);
  if (!found) return undefined;
  const file = line.slice(where + 4, number);
  if (/\s/.test(file)) return undefined;
  const stack = linesWhile(lines, at + 1, (text) => /^\t.* called at \S+ line \d+$/.test(text));
  // The folders of @INC may fill a screen.
  const own = line.slice(0, where).replace(/ \((?:you may need to install|@INC )[^]*/, "");
  const message = own + (after.includes(", near ") ? after.slice(after.indexOf(", near ")) : "");
  // These follow the error that they are about.
  const isWeak = /^(?:BEGIN failed|Compilation failed|Use of uninitialized)/.test(line);
  const source = { file, line: Number(found[1]) };
  return { type: "die", message, stack, source, isWeak, end: at + 1 + stack.length };
};

/** "** (KeyError) key :price not found", then the frames. */
export const elixir: Scanner = (lines, at) => {
  const [prefix, type = ""] = /^\*\* \(([\w.: ]{1,200})\) /.exec(lines[at] ?? "") ?? [];
  if (prefix === undefined) return undefined;
  const more = linesWhile(lines, at + 1, (line) => line !== "" && !isElixirFrame(line), 20);
  const hasFrames = isElixirFrame(lines[at + 1 + more.length] ?? "");
  const from = at + 1 + (hasFrames ? more.length : 0);
  const stack = linesWhile(lines, from, isElixirFrame);
  const message = [(lines[at] ?? "").slice(prefix.length), ...(hasFrames ? more : [])].join("\n");
  const source = ownSource(stack.filter((line) => !line.startsWith("    (")).map(elixirPlace));
  return { type, message, stack, source, end: from + stack.length };
};

const isElixirFrame = (line: string): boolean =>
  /^ {4}(?:\([\w. -]{1,80}\) )?(?:\S+:\d{1,9}: \S|\S+\/\d{1,3}$)/.test(line);

function elixirPlace(line: string): Source | undefined {
  const [, file, number, name] = /^ {4}([^:]+):(\d{1,9}): (.*)$/.exec(line) ?? [];
  return file === undefined ? undefined : { file, line: Number(number), function: name };
}

/** "lua: cart.lua:3: attempt to index a nil value", then "stack traceback:". */
export const lua: Scanner = (lines, at) => {
  const [prefix] = /^(?:lua|luajit|lua5\.\d|lua\d{2}): /.exec(lines[at] ?? "") ?? [];
  if (prefix === undefined) return undefined;
  const text = (lines[at] ?? "").slice(prefix.length);
  const [, file, number, message] = /^([^:]+):(\d{1,9}): (.*)$/.exec(text) ?? [];
  const hasStack = lines[at + 1] === "stack traceback:";
  const stack = hasStack ? linesWhile(lines, at + 2, (line) => line.startsWith("\t")) : [];
  if (file === undefined && !hasStack) return undefined;
  const caller = stack.find((line) => line.includes(`${file}:${number}: in `)) ?? "";
  const name = / in (?:function |local |method |upvalue |field )*['<]?([^'<>]+)['>]?$/.exec(
    caller,
  )?.[1];
  const source = file === undefined ? undefined : { file, line: Number(number), function: name };
  const end = at + 1 + (hasStack ? 1 : 0) + stack.length;
  return { type: "Lua error", message: message ?? text, stack, source, end };
};
