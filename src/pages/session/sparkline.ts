/** A chart as an SVG image, for pages without script. It has only numbers, so no recorded text can become markup. */

/**
 * What charts.js draws: per series its readings over the range, [time since `from`, value, least, most]; least and most are left out
 * where a reading is one point. Six digits exceed the resolution of a screen.
 */
export type DrawnSeries = {
  id: number;
  from: number;
  readings: number[][];
  /** Of a counter: its increase per second, [time since `from`, rate]. */
  rates?: number[][];
};

const WIDTH = 600;
const HEIGHT = 72;

/** An image has no stylesheet: these colours are visible on light and dark backgrounds. */
const TRACE = "#3d8fc4";
const CURSOR = "#e8590c";

type Range = { from: number; to: number; at?: number | undefined };

export function sparklineSvg(
  { from: base, readings }: DrawnSeries,
  { from, to, at }: Range,
): string {
  const points = readings.map(([since = 0, value = 0, least = value, most = value]) => ({
    at: base + since,
    value,
    least,
    most,
  }));
  const bottom = points.reduce((low, { least }) => Math.min(low, least), Infinity);
  const top = points.reduce((high, { most }) => Math.max(high, most), -Infinity);
  const x = (time: number) => (((time - from) / Math.max(1, to - from)) * WIDTH).toFixed(1);
  const y = (value: number) =>
    top > bottom
      ? (HEIGHT - 4 - ((value - bottom) / (top - bottom)) * (HEIGHT - 8)).toFixed(1)
      : String(HEIGHT / 2);

  const line = points.map((point) => `${x(point.at)} ${y(point.value)}`).join("L");
  const there = points.map((point) => `${x(point.at)} ${y(point.most)}`).join("L");
  const back = points
    .toReversed()
    .map((point) => `${x(point.at)} ${y(point.least)}`)
    .join("L");
  const stroke = `fill="none" vector-effect="non-scaling-stroke" stroke-linecap="round"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">`,
    points.length === 0
      ? ""
      : `<path d="M${there}L${back}z" fill="${TRACE}" fill-opacity="0.3"/>` +
        // One point has no length; with round ends it is drawn as a dot.
        `<path d="M${line}h0" ${stroke} stroke="${TRACE}" stroke-width="${points.length === 1 ? 6 : 1.5}"/>`,
    at === undefined || at < from || at > to
      ? ""
      : `<path d="M${x(at)} 0V${HEIGHT}" ${stroke} stroke="${CURSOR}" stroke-width="2"/>`,
    "</svg>",
  ].join("");
}
