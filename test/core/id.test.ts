import fc from "fast-check";
import { expect, test } from "vitest";
import { newId } from "../../src/core/id.ts";

const random = fc.uint8Array({ minLength: 10, maxLength: 10 });

test("an id is a UUIDv7 of its time and its random bytes", () => {
  const bytes = Uint8Array.of(0xff, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09);
  expect(newId(0x0198f3c2a1b0, bytes)).toBe("0198f3c2-a1b0-7f01-8203-040506070809");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), random, (now, at) => {
      expect(newId(now, at)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect(Number.parseInt(newId(now, at).replaceAll("-", "").slice(0, 12), 16)).toBe(now);
    }),
  );
});

test("ids sort by their time, and differ by their random bytes", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), random, random, (earlier, step, one, other) => {
      expect(newId(earlier, one) < newId(earlier + step + 1, other)).toBe(true);
    }),
  );
  expect(newId(1, new Uint8Array(10))).not.toBe(newId(1, new Uint8Array(10).fill(1)));
});
