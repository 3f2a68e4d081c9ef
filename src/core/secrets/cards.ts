/** Card numbers: with the prefix and length of a known issuer and a right check digit, in one piece or in the groups of a card. */
import { type Finding, markOf, runEnd } from "./text.ts";

/** A card number, in one piece or grouped. Those of issuers begin with 2 to 6. */
export const NUMBER = "[2-6][0-9][0-9][0-9](?:[0-9]{8}|[ -][0-9]{4})";
const IS_NUMBER = new RegExp(NUMBER);
const DIGIT_RUN = /[0-9]+/y;

/** Whether a text may have a card number. */
export function isNumber(text: string): boolean {
  return IS_NUMBER.test(text);
}

/** Where a search for numbers goes on: behind the digits at `at`, or the other character there. */
export function numberEnd(text: string, at: number): number {
  return isDigit(text[at]) ? runEnd(DIGIT_RUN, text, at) : at + 1;
}

/** The card number at `start`. */
export function card(text: string, start: number): Finding | undefined {
  if (!isDigit(text[start])) return undefined;
  const before = text[start - 1] ?? "";
  if (/[\w.]/.test(before) || (before === "-" && isDigit(text[start - 2]))) return undefined;
  const end = cardEnd(text, start);
  return end === undefined ? undefined : { start, end, mark: markOf("card"), rule: "card" };
}

function isDigit(character = ""): boolean {
  return character >= "0" && character <= "9";
}

/** Sizes of the groups that follow a first group of four digits. */
const GROUPS = [
  [4, 4, 4, 3],
  [4, 4, 4],
  [6, 5],
  [6, 4],
];

/** The end of the card number that begins at `start`, where a digit is; undefined if there is none. */
function cardEnd(text: string, start: number): number | undefined {
  const first = digitsAt(text, start);
  if (first.length !== 4)
    return isCard(first) && isEnd(text, start + first.length) ? start + first.length : undefined;
  const separator = text[start + 4] ?? "";
  if (separator !== " " && separator !== "-") return undefined;
  for (const sizes of GROUPS) {
    let digits = first;
    let at = start + 4;
    for (const size of sizes) {
      const group = text[at] === separator ? digitsAt(text, at + 1) : "";
      if (group.length !== size) break;
      digits += group;
      at += 1 + size;
    }
    const length = sizes.reduce((sum, size) => sum + size, 4);
    if (digits.length === length && isCard(digits) && isEnd(text, at)) return at;
  }
  return undefined;
}

function digitsAt(text: string, at: number): string {
  DIGIT_RUN.lastIndex = at;
  return DIGIT_RUN.exec(text)?.[0] ?? "";
}

/** Not within a longer number or name. */
function isEnd(text: string, at: number): boolean {
  return !/^(?:[A-Za-z0-9_]|[.-][0-9])/.test(text.slice(at, at + 2));
}

function isCard(digits: string): boolean {
  return digits.length >= 13 && digits.length <= 19 && isIssued(digits) && isChecked(digits);
}

/** Prefixes and lengths of ISO/IEC 7812 issuers. Times in milliseconds to nanoseconds begin with 1 until 2033, which no issuer has. */
function isIssued(digits: string): boolean {
  const { length } = digits;
  const two = Number(digits.slice(0, 2));
  const three = Number(digits.slice(0, 3));
  const four = Number(digits.slice(0, 4));
  if (digits.startsWith("4")) return length === 13 || length === 16 || length === 19; // Visa
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return length === 16; // Mastercard
  if (two === 34 || two === 37) return length === 15; // American Express
  if (two === 36 || two === 38 || (three >= 300 && three <= 305)) return length === 14; // Diners Club
  if (four === 6011 || two === 65 || (three >= 644 && three <= 649)) return length === 16; // Discover
  if (four >= 3528 && four <= 3589) return length === 16; // JCB
  return two === 62 && length >= 16; // UnionPay
}

/** Luhn (ISO/IEC 7812-1, annex B). */
function isChecked(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    sum += i % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit;
  }
  return sum % 10 === 0;
}
