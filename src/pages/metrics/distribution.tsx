/** The distribution of a metric's values as bars. */
import { formatNumber, formatQuantity, formatTick } from "../../core/text/format.ts";
import type { Bar } from "../../core/metrics/bars.ts";
import { Empty } from "../ui/empty.tsx";
import { distinctStep, scaleOf, shareOf } from "../../core/text/scale.ts";

/** A histogram: the width of a bar is the range of its values, the height their density, so that areas are proportional to counts. */
export function Bars({ bars, unit }: { bars: Bar[]; unit: string }) {
  if (bars.length === 0) return <Empty title="No values" />;
  const least = bars[0]?.from ?? 0;
  const most = bars.at(-1)?.to ?? 0;
  const share = (value: number) => shareOf(value, least, most);
  const drawn = bars.map((bar) => {
    const width = share(bar.to) - share(bar.from) || 1; // one value alone fills the plot
    const x = least === most ? 0 : share(bar.from);
    return { ...bar, x, width, density: bar.count / width };
  });
  const { ticks, step } = scaleOf(least, most, unit);
  const edgeStep = distinctStep(bars.flatMap(({ from, to }) => [from, to]));
  const densest = drawn.reduce((top, { density }) => Math.max(top, density), 0);
  return (
    <figure class="plot distribution">
      <div class="plot-y" aria-hidden="true">
        <span>{formatNumber(drawn.find(({ density }) => density === densest)?.count ?? 0)}</span>
        <span>0</span>
      </div>
      <svg
        class="plot-series"
        viewBox={`0 0 ${WIDTH} 100`}
        preserveAspectRatio="none"
        role="img"
        aria-label="Distribution of values"
      >
        {drawn.map(({ from, to, count, x, width, density }) => (
          <rect
            x={x * WIDTH + GAP / 2}
            width={Math.max(GAP, width * WIDTH - GAP)}
            y={100 - (density / densest) * 100}
            height={(density / densest) * 100}
          >
            <title>{`${formatQuantity(from, unit, edgeStep)} to ${formatQuantity(to, unit, edgeStep)}: ${formatNumber(count)}`}</title>
          </rect>
        ))}
      </svg>
      <svg class="plot-x" aria-hidden="true">
        {ticks
          .filter((tick) => tick >= least && tick <= most)
          .map((tick) => (
            <text x={`${share(tick) * 100}%`} y="1em" text-anchor="middle">
              {formatTick(tick, unit, step)}
            </text>
          ))}
      </svg>
    </figure>
  );
}

const WIDTH = 1_000;
/** The gap between bars, so that equal neighbours are distinguishable. */
const GAP = 1.5;
