/** Mutants that survive because they mean the same as the original, each with the reason. */

export type Equivalent = { file: string; before: string; after: string; reason: string };

export const EQUIVALENT: Equivalent[] = [
  {
    file: "src/core/state/values.ts",
    before: "for (const text of texts.slice(0, MAX_PATH_VALUES + 1))",
    after: "for (const text of texts.slice(0, MAX_PATH_VALUES + 2))",
    reason: "one more than the limit already marks the path",
  },
  {
    file: "src/core/segments/column.ts",
    before: "const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];",
    after:
      "const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1000000001, 1e10, 1e11, 1e12];",
    reason: "values are restored with any scale; only their size differs",
  },
  {
    file: "src/core/metrics/points.ts",
    before:
      'if (counts || columns.fields.length > 1 || op.type === "counter" || series.points === 0) {',
    after:
      'if (counts || columns.fields.length >= 1 || op.type === "counter" || series.points === 0) {',
    reason: "the general path gives the same result, only slower",
  },
  {
    file: "src/core/parse.ts",
    before: "const result = v.safeParse(schema, value, { abortEarly: true });",
    after: "const result = v.safeParse(schema, value, { abortEarly: false });",
    reason: "only the first issue is used",
  },
];
