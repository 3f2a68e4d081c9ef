/** The values at one path of the state on the time axis: numbers as a line, everything else as bands. */
import type { StateCharts } from "../../core/answers/state.ts";
import type { StateChart, StateSpan } from "../../core/state/charts.ts";
import type { valueAt } from "../../core/state/merge.ts";
import { writePath } from "../../core/state/path.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/text/format.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import { endStep, finerStep, shareOf, stepBeside } from "../../core/text/scale.ts";
import { keyLabel, textOf } from "../ui/tree.tsx";
import { short } from "./event.tsx";

/** A time in which a value may have been another than the one that is drawn. */
export type Gap = { from: number; to: number; why: string };

type RowProps = {
  chart: StateChart;
  charts: StateCharts;
  gaps: Gap[];
  current: ReturnType<typeof valueAt>;
  history: string;
};

export function ChartRow({ chart, charts, gaps, current, history }: RowProps) {
  const { from, to, until } = charts;
  const keys = chart.path.map(keyLabel);
  const name = keys.join(".");
  const { spans } = chart;
  const isNumeric = spans.every(({ has_text }) => !has_text);
  const format = formatOf(spans);
  const range = rangeOf(spans);
  const x = (at: number) => percent(shareOf(at, from, Math.max(to, from + 1)));
  const ends = spans.map((_, i) => Math.min(spans[i + 1]?.at ?? Infinity, until, to));
  return (
    <div
      class="row state-chart"
      data-path={writePath(chart.path)}
      data-spans={JSON.stringify(spans.map((span) => readingOf(span, format)))}
    >
      <span class="row-name">
        <a href={history} title={name} data-history>
          {keys.length < 2 ? null : <span>{keys.slice(0, -1).join(".")}.</span>}
          <span>{keys.at(-1)}</span>
        </a>
        <output class="reading" aria-label="Value at the cursor">
          {current === undefined
            ? "–"
            : typeof current === "number"
              ? format(current)
              : short(plainText(textOf(current)))}
        </output>
        {isNumeric && range ? (
          <small class="quiet">
            {range.least === range.most
              ? "constant"
              : `${format(range.least)} to ${format(range.most)}`}
          </small>
        ) : null}
      </span>
      <svg
        class="row-plot"
        width="100%"
        height={isNumeric && range ? LINE_HEIGHT : BAND_HEIGHT}
        role="img"
        aria-label={`${name}: ${formatCount(changesIn(spans), "change")} in view`}
      >
        {isNumeric && range ? (
          <NumberLine spans={spans} ends={ends} charts={charts} range={range} />
        ) : (
          spans.map((span, i) => (
            <Band span={span} end={ends[i] ?? to} known={chart.known} x={x} format={format} />
          ))
        )}
        {gaps.map((gap) => (
          <rect
            class="unknown"
            x={`${x(gap.from)}%`}
            width={`${Math.max(LEAST_WIDTH, x(gap.to) - x(gap.from))}%`}
            height="100%"
          >
            <title>{gap.why}</title>
          </rect>
        ))}
      </svg>
    </div>
  );
}

/** Pixels. */
const LINE_HEIGHT = 36;
const BAND_HEIGHT = 18;
/** In per cent of the width: a value that lasts for a shorter time is still visible. */
const LEAST_WIDTH = 0.15;
/** Of a character on a laptop, in per cent of the width. A band has its text if that begins in it. */
const CHARACTER_WIDTH = 0.95;
const LABEL_CHARACTERS = 6;

function percent(share: number): number {
  return Number((share * 100).toFixed(3));
}

function changesIn(spans: StateSpan[]): number {
  return spans.reduce((sum, { changes }) => sum + changes, 0);
}

type Format = (value: number) => string;

/** Each two different numbers of the chart are written differently. */
function formatOf(spans: StateSpan[]): Format {
  const values = spans.flatMap(({ least, most, number }) =>
    [least, most, number].filter((value) => value !== undefined),
  );
  const range = rangeOf(spans);
  const end = range && endStep(range.least, range.most, "");
  return (value) => formatNumber(value, finerStep(end, stepBeside(value, values)));
}

function rangeOf(spans: StateSpan[]): { least: number; most: number } | undefined {
  const least = spans.reduce((low, span) => Math.min(low, span.least ?? Infinity), Infinity);
  const most = spans.reduce((high, span) => Math.max(high, span.most ?? -Infinity), -Infinity);
  return least <= most ? { least, most } : undefined;
}

/** What state-values.js shows: from when on, from when on the value is the last one, that value, and what is known before. */
function readingOf(span: StateSpan, format: Format): [number, number, string, string?] {
  const text = labelOf(span, format) ?? "–";
  if (span.changes < 2) return [span.at, span.last_at, text];
  return [span.at, span.last_at, text, severalOf(span, format)];
}

function labelOf({ text, number }: StateSpan, format: Format): string | undefined {
  if (number !== undefined) return format(number);
  return text === undefined ? undefined : short(plainText(text));
}

/** What is known of the values of a span with more than one. */
function severalOf({ changes, least, most, has_text }: StateSpan, format: Format): string {
  return has_text || least === undefined || most === undefined
    ? formatCount(changes, "value")
    : `${format(least)} to ${format(most)}`;
}

type BandProps = {
  span: StateSpan;
  end: number;
  known: string[];
  x: (at: number) => number;
  format: Format;
};

function Band({ span, end, known, x, format }: BandProps) {
  const { at, last_at } = span;
  if (end < at) return null;
  const label = labelOf(span, format);
  const since = span.changes > 1 ? Math.min(last_at, end) : at;
  const width = Math.max(LEAST_WIDTH, x(end) - x(since));
  return (
    <>
      {label === undefined ? null : (
        <svg
          class="state-value"
          x={`${x(since)}%`}
          width={`${width}%`}
          height={BAND_HEIGHT}
          data-line={lineOf(span.text ?? "", known)}
        >
          <title>{`${label}, for ${formatDuration(end - since)}`}</title>
          <rect width="100%" height="100%" />
          <line y2="100%" />
          {width < (Math.min(label.length, LABEL_CHARACTERS) + 1) * CHARACTER_WIDTH ? null : (
            <text x="5" y="13">
              {label}
            </text>
          )}
        </svg>
      )}
      {span.changes > 1 ? (
        <rect
          class="changing"
          x={`${x(at)}%`}
          width={`${Math.max(LEAST_WIDTH, x(since) - x(at))}%`}
          height="100%"
        >
          <title>{severalOf(span, format)}</title>
        </rect>
      ) : null}
    </>
  );
}

/** The colour of a value: by its place among those of the whole session, so that it is the same in every range. */
function lineOf(text: string, known: string[]): number {
  const place = known.indexOf(text);
  if (place >= 0) return place % COLOURS;
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0;
  return hash % COLOURS;
}
const COLOURS = 6;

type LineProps = {
  spans: StateSpan[];
  ends: number[];
  charts: StateCharts;
  range: { least: number; most: number };
};

/** A line with steps, because a value stays until the next change. Where the path has no value there is none. */
function NumberLine({ spans, ends, charts: { from, to }, range }: LineProps) {
  const x = (at: number) => (shareOf(at, from, Math.max(to, from + 1)) * WIDTH).toFixed(1);
  const y = (value: number) => (95 - shareOf(value, range.least, range.most) * 90).toFixed(1);
  const line: string[] = [];
  const boxes: string[] = [];
  let isDrawing = false;
  spans.forEach(({ at, last_at, changes, number, least, most }, i) => {
    const end = ends[i] ?? to;
    if (end < at) return;
    if (changes > 1 && least !== undefined && most !== undefined) {
      const width = Math.max(1, Number(x(Math.min(last_at, end))) - Number(x(at)));
      boxes.push(`M${x(at)} ${y(least)}V${y(most)}h${width.toFixed(1)}V${y(least)}z`);
    }
    if (number === undefined) isDrawing = false;
    else {
      const since = x(changes > 1 ? Math.min(last_at, end) : at);
      line.push(`${isDrawing ? `H${since}V` : `M${since} `}${y(number)}H${x(end)}`);
      isDrawing = true;
    }
  });
  return (
    <svg width="100%" height="100%" viewBox={`0 0 ${WIDTH} 100`} preserveAspectRatio="none">
      {boxes.length === 0 ? null : <path class="state-range" d={boxes.join("")} />}
      <path class="state-line" d={line.join("")} />
    </svg>
  );
}

const WIDTH = 1_000;
