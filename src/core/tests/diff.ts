/** The difference of two texts by lines, for assertions. Linear in their length, but for a bounded number of differing lines. */
import { MAX_DIFF_EDITS, MAX_DIFF_LINES } from "./limits.ts";

/** "-": expected and not there; "+": there and not expected; " ": the same in both; "…": lines left out. */
export type DiffLine = { sign: "-" | "+" | " " | "…"; text: string };

/** The lines of both texts. Those far from a difference are left out; without `expected` or `actual` all lines are of the other one. */
export function diffLines(expected = "", actual = ""): DiffLine[] {
  const [a, b] = [linesOf(expected), linesOf(actual)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (
    end < a.length - start &&
    end < b.length - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  )
    end++;
  const middle = edits(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const same = (lines: string[]): DiffLine[] => lines.map((text) => ({ sign: " ", text }));
  return shortened([...same(a.slice(0, start)), ...middle, ...same(end > 0 ? a.slice(-end) : [])]);
}

/** The lines of a comparison that the runner printed, each with its sign. */
export function printedDiff(text: string): DiffLine[] {
  return linesOf(text).map((line) => {
    const sign = line[0] === "-" || line[0] === "+" ? line[0] : " ";
    return { sign, text: sign === " " ? line : line.slice(1) };
  });
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n", MAX_DIFF_LINES);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Myers' greedy algorithm (1986), up to MAX_DIFF_EDITS; with more, all of one text and then all of the other. */
function edits(a: string[], b: string[]): DiffLine[] {
  const removed = a.map((text): DiffLine => ({ sign: "-", text }));
  const added = b.map((text): DiffLine => ({ sign: "+", text }));
  if (a.length === 0 || b.length === 0) return [...removed, ...added];
  const furthest = new Map([[1, 0]]);
  const trace: Map<number, number>[] = [];
  const most = Math.min(a.length + b.length, MAX_DIFF_EDITS);
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const [below = -1, above = -1] = [furthest.get(k - 1), furthest.get(k + 1)];
      let x = k === -d || (k !== d && below < above) ? above : below + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) return path(a, b, trace);
    }
  }
  return [...removed, ...added];
}

function path(a: string[], b: string[], trace: Map<number, number>[]): DiffLine[] {
  const lines: DiffLine[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d--) {
    const furthest = trace[d];
    const k = x - y;
    const [below = -1, above = -1] = [furthest?.get(k - 1), furthest?.get(k + 1)];
    const isDown = k === -d || (k !== d && below < above);
    const fromX = isDown ? above : below;
    const fromY = fromX - (isDown ? k + 1 : k - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      x--;
      y--;
      lines.push({ sign: " ", text: a[x] ?? "" });
    }
    if (d === 0) break;
    if (isDown) lines.push({ sign: "+", text: b[--y] ?? "" });
    else lines.push({ sign: "-", text: a[--x] ?? "" });
  }
  return lines.reverse();
}

/** Lines around a difference that are shown. */
const CONTEXT = 3;

function shortened(lines: DiffLine[]): DiffLine[] {
  const isNear = (index: number) =>
    lines
      .slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1)
      .some(({ sign }) => sign === "+" || sign === "-");
  const shown: DiffLine[] = [];
  let left = 0;
  for (const [index, line] of lines.entries()) {
    const isShown = line.sign !== " " || isNear(index);
    if (isShown && left > 0) shown.push(leftOut(left));
    left = isShown ? 0 : left + 1;
    if (isShown) shown.push(line);
  }
  if (left > 0) shown.push(leftOut(left));
  return shown;
}

function leftOut(lines: number): DiffLine {
  return { sign: "…", text: lines === 1 ? "1 equal line" : `${lines} equal lines` };
}
