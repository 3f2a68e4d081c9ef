/** How much of each kind happened when, as a line of blocks. */
import type { Timeline } from "../../../src/core/answers/timeline.ts";
import { formatDuration, formatNumber } from "../../../src/core/text/format.ts";
import { bold, clock, dim, print } from "../terminal.ts";

const BLOCKS = "▁▂▃▄▅▆▇█";

const ROWS = [
  ["states", "state changes"],
  ["events", "events"],
  ["exceptions", "exceptions"],
  ["heartbeats", "heartbeats"],
  ["points", "points"],
] as const;

export function printTimeline(timeline: Timeline): void {
  const { from, to, step_ms } = timeline;
  const rows = ROWS.map(([kind, label]) => ({ label, counts: timeline[kind] })).filter(
    ({ counts }) => counts.some((count) => count > 0),
  );
  if (rows.length === 0) return;
  const step = formatDuration(step_ms);
  print(`\n${bold("Timeline")}  ${dim(`${clock(from)} to ${clock(to)}, ${step} a column`)}`);
  for (const { label, counts } of rows) {
    const sum = counts.reduce((total, count) => total + count, 0);
    print(`${label.padEnd(13)} ${blocksOf(counts)} ${formatNumber(sum)}`);
  }
}

/** A column without any is blank; the highest is a full block. */
function blocksOf(counts: number[]): string {
  const most = Math.max(...counts);
  return counts
    .map((count) => (count === 0 ? " " : BLOCKS[Math.ceil((count / most) * BLOCKS.length) - 1]))
    .join("");
}
