/**
 * CSV (RFC 4180) that a spreadsheet shows as text and numbers. Names come from any sender, so no part of one may begin a formula: neither
 * at the start of a cell, nor after a character at which a spreadsheet divides the line where the list separator is not the comma.
 */

export type Cell = string | number | boolean | null | undefined;

/** In countries with a decimal comma, spreadsheets divide lines at semicolons. */
export type CsvFormat = { separator: "," | ";" | "\t"; decimal: "." | "," };

const COMMAS: CsvFormat = { separator: ",", decimal: "." };

/** A header and its rows. */
export function csvOf(columns: string[], rows: Cell[][]): string {
  return [columns, ...rows].map((row) => csvLine(row)).join("");
}

/** A line, ended by CRLF. */
export function csvLine(cells: Cell[], { separator, decimal } = COMMAS): string {
  const written = cells.map((cell, column) =>
    typeof cell === "number" && decimal !== "."
      ? String(cell).replace(".", decimal)
      : cellOf(cell, column === 0),
  );
  return `${written.join(separator)}\r\n`;
}

function cellOf(value: Cell, isFirst: boolean): string {
  if (typeof value !== "string") return value === null || value === undefined ? "" : String(value);
  // Where the separator is another one, the first cell and the rest of its line are one cell.
  const text = !isFirst && NUMBER.test(value) ? value : value.replace(FORMULA, "'");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Text that is a number is no formula, also with a sign. */
const NUMBER = /^[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,4})?$/;

/**
 * What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"): at the start, or after a separator or a line break.
 * Blanks and quotes before it are skipped by some programs. An apostrophe before it makes it text.
 */
const FORMULA = /(?<=^|[,;|\t\r\n])(?=[" ]*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20])/g;
