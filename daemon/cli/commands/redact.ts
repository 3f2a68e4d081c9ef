/** `datacat redact --test`: prints which parts of a text are redacted, without printing them whole. */
import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { formatCount } from "../../../src/core/text/format.ts";
import { Redactor } from "../../../src/core/secrets/redact.ts";
import { readSettings, rulesOf } from "../../config.ts";
import { type Environment, home } from "../../home.ts";
import { JSON_OPTION } from "../options.ts";
import { print, printJson } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

export function addRedact(program: Command): void {
  program
    .command("redact")
    .description("Print what of a text would be redacted: line, column, rule, and what is written.")
    .requiredOption("--test <file>", "the text; - for standard input")
    .option(...JSON_OPTION)
    .action(({ test, json }) => testText(process.env, test, json));
}

function testText(env: Environment, file: string, json?: boolean): void {
  const text = textOf(file);
  const settings = readSettings(home(env, process.platform).config);
  const { rules, problem } = rulesOf(env, settings);
  if (problem !== undefined) throw new Trouble("failed", `${problem}. Nothing of it is used.`);
  const found = new Redactor(rules).findings(text);

  let line = 1;
  let lineStart = 0;
  let at = 0;
  const rows = found.map(({ start, end, mark, rule }) => {
    for (; at < start; at++) {
      if (text[at] !== "\n") continue;
      line++;
      lineStart = at + 1;
    }
    return {
      line,
      column: start - lineStart + 1,
      rule,
      secret: outline(text.slice(start, end)),
      mark,
    };
  });
  if (json === true) return printJson(rows);
  for (const row of rows)
    print(`${file}:${row.line}:${row.column}: ${row.rule}: ${row.secret} → ${row.mark}`);
  print(`${formatCount(rows.length, "secret")} would be redacted.`);
}

function textOf(file: string): string {
  if (file !== "-" && !existsSync(file))
    throw new Trouble("not_found", `There is no file ${file}.`);
  return readFileSync(file === "-" ? 0 : file, "utf8");
}

/** The beginning of a long secret, by which its owner recognises it, and its length. */
function outline(secret: string): string {
  const shown = secret.length >= MIN_SHOWN ? secret.slice(0, SHOWN) : "";
  return `${shown.replace(/[^\x20-\x7e]/g, ".")}… (${formatCount(secret.length, "character")})`;
}

/** Four of sixteen characters leave twelve unknown. */
const MIN_SHOWN = 16;
const SHOWN = 4;
