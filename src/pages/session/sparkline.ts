/** A chart as an SVG image, for pages without script. It has only numbers, so no recorded text can become markup. */
import { runsOf } from "../../core/metrics/gaps.ts";
import { shareOf } from "../../core/text/scale.ts";
import type { DrawnSeries } from "./drawn-series.ts";

const WIDTH = 600;
const HEIGHT = 72;
const MARGIN = 4;

/** An image has no stylesheet: these colours are visible on light and dark backgrounds. */
const TRACE = "#3d8fc4";
/** Of the values of a tag: those after the last colour, and each of TAG_COLOURS. */
const TAGGED = ["#7d878c", "#e8702a", "#2f9d6c", "#9a63d6", "#b07d1e", "#2b9a9a", "#cf5a9c"];
const CURSOR = "#e8590c";
const REFUSED = "#cf1d3c";

type Range = {
  from: number;
  to: number;
  at?: number | undefined;
  /** As `tagColours` has it. */
  colour?: number | undefined;
};
type Reading = { since: number; until: number; value: number; least: number; most: number };

export function sparklineSvg(
  { from: base, readings, gap = Infinity, refused }: DrawnSeries,
  { from, to, at, colour = -1 }: Range,
): string {
  const trace = TAGGED[colour] ?? TRACE;
  const points = readings.map(readingOf);
  const bottom = points.reduce((low, { least }) => Math.min(low, least), Infinity);
  const top = points.reduce((high, { most }) => Math.max(high, most), -Infinity);
  const x = (time: number) => (shareOf(time, from, Math.max(from + 1, to)) * WIDTH).toFixed(1);
  const y = (value: number) =>
    (HEIGHT - MARGIN - shareOf(value, bottom, top) * (HEIGHT - 2 * MARGIN)).toFixed(1);
  const xOf = ({ since, until }: Reading) => x(base + (since + until) / 2);

  const runs = runsOf(points, (a, b) => b.since - a.until <= gap);
  const band = (run: Reading[]) => {
    const there = run.map((point) => `${xOf(point)} ${y(point.most)}`).join("L");
    const back = run.toReversed().map((point) => `${xOf(point)} ${y(point.least)}`);
    return `M${there}L${back.join("L")}z`;
  };
  const line = (run: Reading[]) =>
    `M${run.map((point) => `${xOf(point)} ${y(point.value)}`).join("L")}`;
  // One point has no length; with round ends it is drawn as a dot.
  const dots = runs.filter((run) => run.length === 1).map((run) => `${line(run)}h0`);
  const stroke = `fill="none" vector-effect="non-scaling-stroke" stroke-linecap="round"`;
  const path = (d: string[], attributes: string) =>
    d.length === 0 ? "" : `<path d="${d.join("")}" ${attributes}/>`;
  const isInside = at !== undefined && at >= from && at <= to;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">`,
    path(runs.map(band), `fill="${trace}" fill-opacity="0.3"`),
    path(
      runs.filter((run) => run.length > 1).map(line),
      `${stroke} stroke="${trace}" stroke-width="1.5"`,
    ),
    path(dots, `${stroke} stroke="${trace}" stroke-width="${points.length === 1 ? 6 : 4}"`),
    path(
      refused.map(([since]) => `M${x(base + since)} 0v8`),
      `${stroke} stroke="${REFUSED}" stroke-width="2"`,
    ),
    path(
      isInside ? [`M${x(at)} 0V${HEIGHT}`] : [],
      `${stroke} stroke="${CURSOR}" stroke-width="2"`,
    ),
    "</svg>",
  ].join("");
}

function readingOf([since = 0, ...rest]: number[]): Reading {
  if (rest.length === 1) {
    const [value = 0] = rest;
    return { since, until: since, value, least: value, most: value };
  }
  const [until = since, value = 0, least = value, most = value] = rest;
  return { since, until, value, least, most };
}
