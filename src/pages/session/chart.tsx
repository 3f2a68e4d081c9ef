/** The chart of one metric: its name, its value at the cursor, its statistics, and the canvas that charts.js draws on. */
import type { SeriesSummary } from "../../core/answers/metrics.ts";
import { formatDuration, formatQuantity, formatTick } from "../../core/text/format.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { endStep } from "../../core/text/scale.ts";
import { readTag } from "../../core/text/tag.ts";
import { CHART_POINTS, SPARKLINE_POINTS } from "../limits.ts";
import { Tag } from "../ui/tag.tsx";
import { Brief, Statistics, unitOf } from "./statistics.tsx";
import type { TagColours } from "./tag-colours.tsx";

type ChartRowProps = {
  series: SeriesSummary;
  colours: TagColours;
  value: number | undefined;
  picture: string | undefined;
  /** The time that each part of the picture's line aggregates, where it has more points than parts. */
  partMs: number;
};

export function ChartRow({ series, colours, value, picture, partMs }: ChartRowProps) {
  const { id, type, tags, min, max } = series;
  const unit = unitOf(series);
  const name = nameLabel(series.name);
  const step = endStep(min, max, unit);
  const label = `${name} from ${formatQuantity(min, unit, step)} to ${formatQuantity(max, unit, step)}, last ${formatQuantity(series.last, unit, step)}`;
  return (
    <article
      id={`chart-${id}`}
      class="chart"
      data-series={id}
      data-colour={colours.colourOf(series)}
      data-type={type}
      data-unit={unit}
      data-points={CHART_POINTS}
      data-first-at={series.first_at}
      aria-label={`${name}, ${type}`}
    >
      <header class="row-name">
        <h3 title={name}>{name}</h3>
        {tags.map((tag) => (
          <Tag text={tag} isColoured={readTag(tag).key === colours.key} />
        ))}
        <output class="reading" data-reading aria-label="Value at the cursor" title={exact(value)}>
          {value === undefined ? "–" : formatQuantity(value, unit, step)}
        </output>
        <small class="drawn" data-drawn></small>
        {picture === undefined || series.points <= SPARKLINE_POINTS ? null : (
          <noscript>
            <small class="drawn">
              {type === "counter" ? "last" : "mean and range"} of {formatDuration(partMs)}, if over{" "}
              {SPARKLINE_POINTS} points
            </small>
          </noscript>
        )}
        {type === "counter" ? (
          <button class="tool rate" type="button" aria-pressed="false" data-rate>
            per second
          </button>
        ) : (
          <button class="tool rate" type="button" aria-pressed="false" data-quantiles>
            percentiles
          </button>
        )}
        <span class="scale" aria-hidden="true">
          <span data-most>{formatTick(max, unit, step)}</span>
          <span data-least>{min === max ? "" : formatTick(min, unit, step)}</span>
        </span>
      </header>
      <div class="row-plot" hx-morph-skip>
        <canvas role="img" aria-label={label}></canvas>
        {picture === undefined ? null : (
          <noscript>
            <img class="chart-sparkline" src={picture} alt={label} />
          </noscript>
        )}
      </div>
      <details class="statistics">
        <summary>
          <span class="hidden">{name}: </span>
          <Brief series={series} />
        </summary>
        <Statistics series={series} />
      </details>
    </article>
  );
}

/** All digits, where the text is rounded. */
function exact(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
