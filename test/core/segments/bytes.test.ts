import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../src/core/segments/bytes.ts";

test("values are read in the order in which they were written", () => {
  const item = fc.oneof(
    fc.record({ kind: fc.constant("varint" as const), value: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant("float" as const), value: fc.double() }),
    fc.record({ kind: fc.constant("byte" as const), value: fc.nat(255) }),
  );
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const writer = new ByteWriter(1);
      for (const { kind, value } of items) writer[kind](value);
      expect(writer.finish()).toHaveLength(writer.length);
      const reader = new ByteReader(writer.finish());
      for (const { kind, value } of items) expect(reader[kind]()).toStrictEqual(value);
      expect(reader.done).toBe(true);
    }),
  );
});

test("the largest integers keep every digit", () => {
  const numbers = [0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1];
  const writer = new ByteWriter(1);
  for (const number of numbers) writer.varint(number);
  const reader = new ByteReader(writer.finish());
  expect(numbers.map(() => reader.varint())).toEqual(numbers);
});

test("bytes that end too early are an error, not an endless loop or a wrong value", () => {
  expect(() => new ByteReader(new Uint8Array([0x80])).varint()).toThrow(RangeError);
  expect(() => new ByteReader(new Uint8Array(20).fill(0xff)).varint()).toThrow(RangeError);
  expect(() => new ByteReader(new Uint8Array(7)).float()).toThrow(RangeError);
  expect(() => new ByteReader(new Uint8Array([5, 1])).section()).toThrow(RangeError);
  expect(() => new ByteReader(new Uint8Array([0xff])).rest()).toThrow(TypeError);
});
