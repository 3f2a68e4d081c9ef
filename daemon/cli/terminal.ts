/** How the commands speak: plain text, colours only where there is a terminal to show them, JSON for programs. */
import { stripVTControlCharacters, styleText } from "node:util";
import type { Status } from "../../src/core/vocabulary.ts";

// `datacat export last | head`: a reader that has seen enough is no failure. Here and not in main.ts, because `datacat run` must
// not touch standard output before it knows whether it is its own.
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

export function status(value: Status): string {
  return styled(STATUS_STYLES[value] ?? "bold", value);
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

/** A line for a person. Whatever a program recorded may be in it, so nothing in it acts on this terminal. */
export function print(line = ""): void {
  process.stdout.write(`${harmlessText(line)}\n`);
}

/** For a program, as it is: JSON escapes what a terminal would act on. */
export function printJson(value: unknown, indent = process.stdout.isTTY ? 2 : undefined): void {
  process.stdout.write(`${JSON.stringify(value, null, indent)}\n`);
}

/** Rows in columns as wide as their widest cell; the last one as wide as it likes. */
export function printTable(head: string[], rows: string[][]): void {
  const all = [head.map(dim), ...rows];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => stripVTControlCharacters(row[column] ?? "").length)),
  );
  for (const row of all) {
    const cells = row.map((cell, column) => {
      const missing = (widths[column] ?? 0) - stripVTControlCharacters(cell).length;
      return column === row.length - 1 ? cell : cell + " ".repeat(missing);
    });
    print(cells.join("  ").trimEnd());
  }
}

/** "2026-11-23 09:00:00", by this machine's clock and zone. */
export function moment(at: number): string {
  return new Date(at).toLocaleString("sv-SE");
}

/** "09:00:00.123" */
export function clock(at: number): string {
  return `${new Date(at).toLocaleTimeString("sv-SE")}.${String(Math.floor(at) % 1000).padStart(3, "0")}`;
}

/** Control characters would act on this terminal: only colours get through, and only to a terminal. */
function harmlessText(text: string): string {
  if (!process.stdout.isTTY) return stripVTControlCharacters(text);
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    /\u001B(?!\[[\d;]*m)|[\u0000-\u0008\u000B-\u001A\u001C-\u001F\u007F-\u009F]/g,
    "",
  );
}

/** Says how far long work is, on one line that goes away; nothing where nobody looks. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}
