import { formatCount, formatNumber } from "../../core/text/format.ts";

/** A share in percent. It is never rounded to 100 % if there was a failure. */
export function Rate({ whole, failed, label }: { whole: number; failed: number; label: string }) {
  if (whole === 0) return <span class="quiet">–</span>;
  const share = ((whole - failed) / whole) * 100;
  const shown = failed === 0 ? "100" : Math.min(share, 99.99).toFixed(share > 99 ? 2 : 1);
  return (
    <span
      class="rate"
      data-level={failed === 0 ? "good" : share >= 99 ? "fair" : "poor"}
      title={`${formatNumber(whole - failed)} of ${formatCount(whole, "session")} ${label}`}
    >
      {shown} %
    </span>
  );
}
