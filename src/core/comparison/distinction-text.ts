/** Distinctions as text, for pages, the CLI and API texts. */
import type { Distinction } from "./distinctions.ts";
import type { DistinctionKind } from "./run.ts";
import { formatCount, formatDuration, formatNumber, formatQuantity } from "../text/format.ts";
import { nameLabel } from "../text/recorded-text.ts";
import { distinctStep } from "../text/scale.ts";
import type { Share } from "./significance.ts";

/** What distinguishes: "Version 2.1", "State renderer = “vulkan”", "Metric memory, maximum". */
export function subjectOf({ kind, name, value, label, figure }: Distinction): string {
  if (figure) {
    const tags =
      figure.tags.length > 0 ? ` (${figure.tags.map((tag) => nameLabel(tag)).join(", ")})` : "";
    const statistic = figure.statistic === "value" ? "" : `, ${figure.statistic}`;
    return `${KIND_LABELS[kind]} ${nameLabel(name)}${tags}${statistic}`;
  }
  if (kind === "state_value") return `State ${nameLabel(name)} = ${scalarLabel(value ?? "")}`;
  return `${KIND_LABELS[kind]} ${nameLabel(label ?? value ?? name, "(none)")}`;
}

const KIND_LABELS: { [kind in DistinctionKind]: string } = {
  version: "Version",
  state_value: "State",
  tag: "Tag",
  os: "System",
  language: "Runtime",
  browser: "Browser",
  machine: "Machine",
  figure: "Metric",
  event: "Event",
  state_path: "State path",
  metric: "Metric",
  exception: "Exception",
};

/** A value as core/state/values.ts stores it. */
function scalarLabel(text: string): string {
  return text.startsWith('"') ? `“${nameLabel(text.slice(1), "")}”` : text.slice(1);
}

/** How many have it, of this run and good ones: "in none of 40 good runs", "812 MiB; 310 MiB to 402 MiB in 40 good runs". */
export function amongGoodRuns(distinction: Distinction): string {
  const { change, others, figure, within_ms } = distinction;
  const runs = formatCount(others.of, "good run");
  if (figure) return `${figureText(distinction)}; in ${runs} ${rangeText(distinction)}`;
  if (change === "less") {
    const within =
      within_ms === undefined ? "" : ` within ${formatDuration(within_ms)} of the start`;
    return `missing; in ${ofText(others, "good run")}${within}`;
  }
  return `in ${ofText(others, "good run")}`;
}

/** How many have it, of two groups: "in 30 of 50 of these, in 2 of 50 of the others". */
export function betweenGroups(distinction: Distinction): string {
  const { these, others, figure } = distinction;
  if (!figure) return `in ${shareText(these)} of these, in ${shareText(others)} of the others`;
  const { value, median } = figure;
  const step = Math.abs(value - median) || undefined;
  const text = (amount: number) => quantityText(distinction, amount, step);
  return `median ${text(value)} in ${formatNumber(these.of)} of these, ${text(median)} in ${formatNumber(others.of)} of the others`;
}

function ofText(share: Share, what: string): string {
  return share.had === 0
    ? `none of ${formatCount(share.of, what)}`
    : `${formatNumber(share.had)} of ${formatCount(share.of, what)}`;
}

function shareText({ had, of }: Share): string {
  return `${had === 0 ? "none" : formatNumber(had)} of ${formatNumber(of)}`;
}

/** The figure of this run. */
function figureText(distinction: Distinction): string {
  const { value = NaN } = distinction.figure ?? {};
  return quantityText(distinction, value, stepOf(distinction));
}

/** The range of the good runs. */
function rangeText(distinction: Distinction): string {
  const { least = NaN, most = NaN } = distinction.figure ?? {};
  const text = (amount: number) => quantityText(distinction, amount, stepOf(distinction));
  return least === most ? `always ${text(least)}` : `${text(least)} to ${text(most)}`;
}

/** Different figures in one sentence are written differently. */
function stepOf({ figure }: Distinction): number | undefined {
  return figure && distinctStep([figure.value, figure.least, figure.most]);
}

function quantityText({ figure }: Distinction, amount: number, step: number | undefined): string {
  const text = formatQuantity(amount, nameLabel(figure?.unit ?? "", ""), step);
  return figure?.statistic === "rate" ? `${text} per second` : text;
}
