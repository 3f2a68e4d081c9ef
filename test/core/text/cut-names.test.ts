/** Names over the limits of the wire, which 1.x did not have, are cut so that every op is taken; each cut field is reported. */
import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { withNamesCut } from "../../../src/core/text/cut-names.ts";
import { Op } from "../../../src/core/wire.ts";

const long = fc.string({ unit: "grapheme", maxLength: 600, size: "max" });
const maybe = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: undefined });
const list = maybe(fc.array(long, { maxLength: 80 }));
const at = fc.constant(1);
const op = fc.oneof(
  fc.record({ op: fc.constant("start"), at, product: maybe(long), version: maybe(long), tags: list }),
  fc.record({ op: fc.constant("tags"), at, tags: fc.array(long, { maxLength: 80 }) }),
  fc.record({ op: fc.constant("event"), at, name: long, category: maybe(long), group: maybe(long), labels: list, message: maybe(long) }),
  fc.record({
    op: fc.constant("metric"), at, type: fc.constant("histogram"), name: long, legacy_type: maybe(long), unit: maybe(long), tags: list,
    value: fc.constant(1), buckets: maybe(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 300 })),
  }),
) as fc.Arbitrary<Op>; // prettier-ignore

test("every op is within the limits, is unchanged if it was, and names what was cut", () => {
  fc.assert(
    fc.property(op, (whole) => {
      const [kept, ...reports] = withNamesCut(whole);
      expect(v.safeParse(Op, kept).success).toBe(true);
      for (const report of reports) expect(v.safeParse(Op, report).success).toBe(true);
      if (v.safeParse(Op, whole).success) expect([kept, reports]).toEqual([whole, []]);
      else expect(reports.length).toBeGreaterThan(0);
      for (const [field, value] of Object.entries(kept ?? {})) {
        const before = whole[field as keyof Op];
        const isReported = reports.some(
          (report) => report.op === "dropped" && report.detail === `${whole.op}.${field}`,
        );
        expect(isReported).toBe(JSON.stringify(value) !== JSON.stringify(before));
        if (typeof value === "string") expect(value.isWellFormed()).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});
