/**
 * The points of a series in columns. By type, each as long as the list of times:
 *   gauge      value [, count]
 *   counter    total after it [, count [, marks]]
 *   timer      value [, count]
 *   histogram  samples, sum, min, max, then one count per bound and one above the last (of this window, not cumulative)
 * The column `count` exists only if a point has a count; 0 means none. The column `marks` (rate.ts) exists only if a point is of
 * another lane than the point before, or is a total that was set lower; for other points it is 0.
 */

/** The column of a histogram's first bucket. */
export const FIRST_BUCKET = 4;

/** The column of a counter's marks. */
export const MARKS = 2;

/** Points of one series in columns. */
export type Columns = {
  at: number[];
  fields: number[][];
  /** The times by the program's own clock, if any differs. */
  recordedAt?: number[];
};

/** Notes the program's own times of the points that were added since there were `before` of them. */
export function noteRecorded(columns: Columns, before: number, offsetMs: number): void {
  if (offsetMs === 0 && !columns.recordedAt) return;
  const recordedAt = (columns.recordedAt ??= columns.at.slice(0, before));
  for (const at of columns.at.slice(recordedAt.length)) recordedAt.push(at + offsetMs);
}

/** Marks the next point. */
export function mark(columns: Columns, added: number): void {
  const { length } = columns.at;
  for (const index of [1, MARKS]) {
    const column = columnOf(columns, index);
    while (column.length < length) column.push(0);
  }
  const marks = columnOf(columns, MARKS);
  marks[length] = (marks[length] ?? 0) + added;
}

export function columnOf(columns: Columns, index: number): number[] {
  return (columns.fields[index] ??= []);
}
