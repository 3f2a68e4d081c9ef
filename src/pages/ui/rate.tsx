/** A share as a percentage that never rounds a failure away: 1 crash in 100,000 is not "100 %". */
export function Rate({ whole, failed, word }: { whole: number; failed: number; word: string }) {
  if (whole === 0) return <span class="quiet">–</span>;
  const share = ((whole - failed) / whole) * 100;
  const shown = failed === 0 ? "100" : Math.min(share, 99.99).toFixed(share > 99 ? 2 : 1);
  return (
    <span
      class="rate"
      data-level={failed === 0 ? "good" : share >= 99 ? "fair" : "poor"}
      title={`${formatNumber(whole - failed)} of ${formatNumber(whole)} sessions ${word}`}
    >
      {shown} %
    </span>
  );
}
import { formatNumber } from "../../core/format.ts";
