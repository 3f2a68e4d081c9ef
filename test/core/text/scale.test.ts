import { expect, test } from "vitest";
import { formatQuantity, formatTick } from "../../../src/core/text/format.ts";
import {
  distinctStep,
  endStep,
  finerStep,
  logScaleOf,
  logShareOf,
  scaleOf,
  shareOf,
  stepBeside,
  timeTicks,
} from "../../../src/core/text/scale.ts";
import { randomFrom } from "../../pages/world.ts";
import { expectShown } from "../shown.ts";

const random = randomFrom(11);
const UNITS = ["", "bytes", "seconds", "percent", "threads"];
/** A finite double: of any magnitude, an integer, or a neighbour of `near`. */
function anyNumber(near: number): number {
  const kind = random();
  const sign = random() < 0.3 ? -1 : 1;
  if (kind < 0.1)
    return (
      [0, -0, 1.7e308, -Number.MAX_VALUE, 5e-324, 2.2250738585072014e-308][
        Math.floor(random() * 6)
      ] ?? 0
    );
  if (kind < 0.3) return Math.floor(random() * 10 ** (random() * 16)) * sign;
  if (kind < 0.5) return near + near * 2 ** -Math.floor(20 + random() * 33);
  if (kind < 0.7) return near + Math.floor(random() * 1_000);
  return sign * random() * 10 ** (random() * 620 - 315);
}

function anySeries(): number[] {
  const base = anyNumber(1);
  const values = Array.from({ length: 2 + Math.floor(random() * 8) }, () => anyNumber(base));
  return [base, ...values].filter(Number.isFinite);
}

test("what is shown is the value, and two different values of a series never look the same", () => {
  for (let round = 0; round < 3_000; round++) {
    const values = anySeries();
    const unit = UNITS[round % UNITS.length];
    const step = distinctStep(values);
    const texts = new Map<string, number>();
    for (const value of values) {
      const text = formatQuantity(value, unit, step);
      expectShown(value, text);
      const other = texts.get(text) ?? value;
      expect(other === value, `${other} and ${value} are both ${text}`).toBe(true);
      texts.set(text, value);
      expect(text.length).toBeLessThan(40);
    }
  }
});

test("a reading has no more digits than distinguish it from the other values and its scale", () => {
  for (let round = 0; round < 3_000; round++) {
    const values = anySeries();
    const unit = UNITS[round % UNITS.length] ?? "";
    const end = endStep(Math.min(...values), Math.max(...values), unit);
    const texts = new Map<string, number>();
    for (const value of values) {
      const text = formatQuantity(value, unit, finerStep(end, stepBeside(value, values)));
      expectShown(value, text);
      const other = texts.get(text) ?? value;
      expect(other === value, `${other} and ${value} are both ${text}`).toBe(true);
      texts.set(text, value);
    }
  }
  const mixed = [1e-300, 3.14, 0, 1e300];
  expect(formatQuantity(3.14, "", stepBeside(3.14, mixed))).toBe("3.14");
  expect(stepBeside(4, [4, 4])).toBeUndefined();
});

test("the ends of a range differ, and each is the value", () => {
  for (let round = 0; round < 3_000; round++) {
    const values = anySeries();
    const unit = UNITS[round % UNITS.length] ?? "";
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const [low, high] = [least, most].map((end) =>
      formatTick(end, unit, endStep(least, most, unit)),
    );
    expectShown(least, low ?? "");
    expectShown(most, high ?? "");
    if (least !== most) expect(low).not.toBe(high);
  }
});

test("ticks are few, in ascending order, around the values, and written differently", () => {
  for (let round = 0; round < 3_000; round++) {
    const values = anySeries();
    const unit = UNITS[round % UNITS.length] ?? "";
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const { low, high, ticks, step } = scaleOf(least, most, unit);
    expect(ticks.length).toBeGreaterThan(0);
    expect(ticks.length).toBeLessThanOrEqual(7);
    if (least !== most) expect([ticks[0], ticks.at(-1)]).toEqual([low, high]);
    expect(low).toBeLessThanOrEqual(least);
    expect(high).toBeGreaterThanOrEqual(most);
    ticks.forEach((tick, i) =>
      expect(i === 0 || tick > (ticks[i - 1] ?? 0), String(ticks)).toBe(true),
    );
    const texts = ticks.map((tick) => formatTick(tick, unit, step));
    expect(new Set(texts).size, String(texts)).toBe(ticks.length);
    ticks.forEach((tick, i) => expectShown(tick, texts[i] ?? ""));
    const shares = [low, least, most, high].map((value) => shareOf(value, low, high));
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
    expect(shares.toSorted((a, b) => a - b)).toEqual(shares);
  }
});

test.each([
  [
    [1_795_864_000, 1_795_864_059],
    "",
    ["1,795,864,000", "1,795,864,020", "1,795,864,040", "1,795,864,060"],
  ],
  [[48.137, 48.1372], "", ["48.137", "48.13705", "48.1371", "48.13715", "48.1372"]],
  [
    [2 ** 33, 2 ** 33 + 240 * 1_024],
    "bytes",
    ["8,192 MiB", "8,192.06 MiB", "8,192.13 MiB", "8,192.19 MiB", "8,192.25 MiB"],
  ],
  [[98_765_432, 98_765_432], "", ["98,765,432"]],
  [[98_765_432, 98_765_432], "bytes", ["94.2 MiB"]],
  [[700.05, 700.2], "", ["700.05", "700.1", "700.15", "700.2"]],
  [[0, 2.225_073_858_507_201_4e-308], "", ["0", "1e-308", "2e-308", "3e-308"]],
  [[-1.7e308, 1.7e308], "", ["-1.7e308", "1.7e308"]],
  [[1e16, 1e16 + 2], "", ["1e16", "1.0000000000000002e16"]],
])("the ticks of %j %s", ([least = 0, most = 0], unit, texts) => {
  const { ticks, step } = scaleOf(least, most, unit);
  expect(ticks.map((tick) => formatTick(tick, unit, step))).toEqual(texts);
});

test("a value is placed in a range that is wider than the largest double", () => {
  const most = Number.MAX_VALUE;
  expect([-most, 0, most].map((value) => shareOf(value, -most, most))).toEqual([0, 0.5, 1]);
  expect(shareOf(5e-324, 0, 1e-323)).toBe(0.5);
  expect(shareOf(4, 4, 4)).toBe(0.5);
});

test.each<[values: [number, number], unit: string, texts: string[]]>([
  [[3, 240], "", ["1", "10", "100", "1,000"]],
  [[1, 1], "", ["1", "2"]],
  [[135.2, 135.9], "", ["100", "200"]],
  [[9, 61], "", ["5", "10", "20", "50", "100"]],
  [[0.5, 0.9], "seconds", ["500 ms", "1 s"]],
  [[10, 1_000], "", ["10", "100", "1,000"]],
  [[0.002, 0.5], "seconds", ["1 ms", "10 ms", "100 ms", "1 s"]],
  [[1_000, 5_000], "bytes", ["512 B", "1 KiB", "2 KiB", "4 KiB", "8 KiB"]],
  [[1e-9, 1e9], "", ["1e-9", "0.00001", "0.1", "1,000", "10,000,000", "100,000,000,000"]],
])("the ticks of a logarithmic axis for %j %s", ([least, most], unit, texts) => {
  const { ticks } = logScaleOf(least, most, unit);
  expect(ticks.map((tick) => formatTick(tick, unit, tick))).toEqual(texts);
});

test("a logarithmic axis has all positive values in it, at ticks of equal distances unless it is short", () => {
  for (let round = 0; round < 1_000; round++) {
    const a = 10 ** (random() * 600 - 300);
    const b = round % 3 === 0 ? a * 10 ** random() : 10 ** (random() * 600 - 300);
    const unit = round % 2 === 0 ? "" : "bytes";
    const { low, high, ticks } = logScaleOf(Math.min(a, b), Math.max(a, b), unit);
    expect(ticks.length).toBeLessThanOrEqual(7);
    const shares = ticks.map((tick) => logShareOf(tick, low, high));
    const isShort = high / low < 1_000;
    if (isShort) expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    else shares.forEach((share, i) => expect(share).toBeCloseTo(i / (ticks.length - 1), 6));
    for (const value of [a, b]) {
      expect(logShareOf(value, low, high)).toBeGreaterThanOrEqual(-1e-12);
      expect(logShareOf(value, low, high)).toBeLessThanOrEqual(1 + 1e-12);
    }
  }
});

test("values that are equal have no step, and a range of infinite width has one", () => {
  expect(distinctStep([])).toBeUndefined();
  expect(distinctStep([3, 3, 3])).toBeUndefined();
  expect(distinctStep([7, 1, 4, 4])).toBe(3);
  expect(distinctStep([-Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Infinity);
});

test("an axis of time has few ticks, whatever its range", () => {
  for (let round = 0; round < 1_000; round++) {
    const from = Math.floor(random() * 1.8e12);
    const to = from + 10 ** (random() * 13);
    const ticks = timeTicks(from, to);
    expect(ticks.length).toBeLessThanOrEqual(7);
    expect(ticks.every((at) => at >= from && at <= to)).toBe(true);
  }
});
