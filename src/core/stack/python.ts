/** Frames of Python, of its fault handler, and of notebooks. */
import type { Place } from "./place.ts";

/** `File "door.py", line 12, in open`; `line 12 in open` of the fault handler. A syntax error names its own place without a function. */
export function pythonPlace(line: string): Place | undefined {
  const [, file, number, name = ""] =
    /^[\s|]*File "([^"]+)", line (\d{1,9})(?:,? in (.+))?$/.exec(line) ?? [];
  if (file !== undefined) return { language: "python", name, file, line: Number(number) };
  return notebookPlace(line);
}

/** Also within an exception group, whose lines begin with bars. */
export function isPythonFrame(line: string): boolean {
  return /^[\s|]*File "/.test(line);
}

/** `File ~/door.py:12, in open(name)`, `Cell In[3], line 1, in open(name)`, whose number is the order of execution. */
function notebookPlace(line: string): Place | undefined {
  const [, file, fileLine, cell, cellLine, call = ""] =
    /^(?:File (\S.*\.pyx?):(\d{1,9})|(Cell In) ?\[\d+\], line (\d{1,9}))(?:, in ([^(]+).*)?$/.exec(
      line,
    ) ?? [];
  const where = file ?? cell;
  if (where === undefined) return undefined;
  return { language: "python", name: call, file: where, line: Number(fileLine ?? cellLine) };
}
