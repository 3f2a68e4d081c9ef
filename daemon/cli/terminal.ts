/** The commands' output: plain text, with colours on a terminal only, or JSON for programs. */
import { formatZone } from "../../src/core/text/format.ts";
import { plainText, safeJson, withStyles } from "../../src/core/text/recorded-text.ts";
import { styleText } from "node:util";
import { hasFailed, labelOf, type Outcome } from "../../src/core/status/outcome.ts";
import type { Status } from "../../src/core/vocabulary.ts";

// `datacat export last | head`: a reader that closes the pipe is not an error. Not in main.ts, because `datacat run` must not open
// standard output before its command has it.
process.stdout.on("error", (error) => {
  if ("code" in error && error.code === "EPIPE") process.exit(0);
});

type Style = Parameters<typeof styleText>[0];

/** Text in a style, if standard output is a terminal and NO_COLOR is not set. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export const bold = (text: string): string => styled("bold", text);
export const dim = (text: string): string => styled("dim", text);

const STATUS_STYLES: Record<Status, Style> = {
  active: "green",
  suspended: "yellow",
  hung: ["red", "bold"],
  crashed: ["red", "bold"],
  ended: "dim",
};

/** A session's label in its colour, followed by its headline unless that starts with the label. */
export function outcomeLine(outcome: Outcome, headline = ""): string {
  const label = labelOf(outcome);
  const style = hasFailed(outcome) ? "red" : STATUS_STYLES[outcome.status];
  if (headline.startsWith(label)) return styled(style, headline);
  return `${styled(style, label)}${headline === "" ? "" : `  ${headline}`}`;
}

const CATEGORY_STYLES: Record<string, Style> = {
  debug: "dim",
  warning: "yellow",
  error: "red",
  critical: ["red", "bold"],
};

export function category(value: string): string {
  const style = CATEGORY_STYLES[value];
  return style ? styled(style, value) : value;
}

/** Prints a line for people. Recorded text in it may contain control characters, which are removed. */
export function print(line = ""): void {
  process.stdout.write(`${withoutControls(line)}\n`);
}

/** Prints JSON for programs, in which recorded text has no control characters for the terminal either. */
export function printJson(value: unknown, indent = process.stdout.isTTY ? 2 : undefined): void {
  process.stdout.write(`${safeJson(JSON.stringify(value, null, indent))}\n`);
}

/** Prints rows in columns, each as wide as its widest cell. `below`: lines that follow a row. */
export function printTable(
  titles: string[],
  rows: string[][],
  below: (row: number) => string[] = () => [],
): void {
  const all = [titles.map(dim), ...rows];
  const widths = titles.map((_, column) =>
    Math.max(...all.map((row) => plainText(row[column] ?? "").length)),
  );
  for (const [index, row] of all.entries()) {
    const cells = row.map((cell, column) => {
      const missing = (widths[column] ?? 0) - plainText(cell).length;
      return column === row.length - 1 ? cell : cell + " ".repeat(missing);
    });
    print(cells.join("  ").trimEnd());
    if (index > 0) for (const line of below(index - 1)) print(`  ${line}`);
  }
}

/** "2026-11-23 09:00:00 UTC+1", in this machine's time zone. */
export function moment(at: number): string {
  const time = new Date(at);
  return `${time.toLocaleString("sv-SE")} ${formatZone(-time.getTimezoneOffset())}`;
}

/** "09:00:00.123" */
export function clock(at: number): string {
  return `${new Date(at).toLocaleTimeString("sv-SE")}.${String(Math.floor(at) % 1000).padStart(3, "0")}`;
}

/** Removes control sequences, which a terminal would act on. Colours stay, on a terminal only. */
function withoutControls(text: string): string {
  return process.stdout.isTTY ? withStyles(text) : plainText(text);
}

/** Shows the progress of long work on one line, on a terminal only. Empty text removes the line. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}
