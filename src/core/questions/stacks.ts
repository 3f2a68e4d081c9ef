/** The stacks of threads that a session has: of its last hang, and of the end of its process. The index has where each is in the log. */
import type { StackRow } from "../answers/stacks.ts";
import type { Observations } from "../status/observations.ts";
import type { Segments } from "../segments/segments.ts";

/** The newest first. A sample in a damaged segment is left out. */
export function stacksOf(store: Segments, { hangSamples, diedIn }: Observations): StackRow[] {
  const seqs = [...hangSamples, ...(diedIn ? [diedIn] : [])].map(({ seq }) => seq);
  seqs.sort((a, b) => b - a);
  return seqs.flatMap((seq) => {
    const info = store.find({ seq });
    const others = (info && store.open(info)?.reader.others()) ?? [];
    const found = others.find((op) => op.seq === seq);
    if (found?.op !== "stacks") return [];
    const { op: _, ...row } = found;
    return [row];
  });
}
