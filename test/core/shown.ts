/** Reads the numbers that Datacat shows, as a person does. */
import { expect } from "vitest";

/** Values of the scale of a unit's name, in the metric's own unit. */
const FACTORS: Record<string, number> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
  ms: 1e-3,
  µs: 1e-6,
  ns: 1e-9,
};

/** What a reader takes from a text, and half of its last digit. */
function parse(text: string): { value: number; half: number } {
  const [, sign, number = "", name = ""] = /^([-−]?)([\d.,]+(?:e-?\d+)?) ?(.*)$/.exec(text) ?? [];
  expect(number, text).not.toBe("");
  const [digits = "", exponent = "0"] = number.replaceAll(",", "").split("e");
  const places = digits.split(".")[1]?.length ?? 0;
  const factor = FACTORS[name] ?? 1;
  const scaled = (written: string, power: number) => {
    // The decimal point is moved in the text, so that parsing does not round.
    const decimal = factor < 1 ? Math.round(Math.log10(factor)) : 0;
    const whole = Number(`${written}e${power + decimal}`) * (factor < 1 ? 1 : factor);
    return Math.min(Number.MAX_VALUE, whole); // in PiB the largest double is rounded up
  };
  const value = scaled(digits, Number(exponent)) * (sign ? -1 : 1);
  return { value, half: scaled("0.5", Number(exponent) - places) };
}

/** The distance of two neighbouring doubles here, by which arithmetic rounds. */
function rounding(value: number): number {
  return Math.max(Number.MIN_VALUE, Math.abs(value) * 2 ** -51);
}

/** Expects that a text is the value, to half of its last digit. */
export function expectShown(value: number, text: string): void {
  const { value: read, half } = parse(text);
  expect(Math.abs(value - read), `${value} as ${text}`).toBeLessThanOrEqual(half + rounding(value));
}
