/** The timeline: the status and the counts of each kind on one time axis, which the charts below share. */
import { plainText } from "../../core/text/recorded-text.ts";
import { formatDuration, formatNumber } from "../../core/text/format.ts";
import type { AttachmentRow } from "../../core/answers/attachments.ts";
import type { Summary } from "../../core/answers/summary.ts";
import type { Timeline } from "../../core/answers/timeline.ts";
import { FAILED_LABEL, hasFailed, outcomeOf } from "../../core/status/outcome.ts";
import { STATUS_LABELS } from "../../core/vocabulary.ts";
import { StatusIcon } from "../ui/status.tsx";
import { Time } from "../ui/time.tsx";
import { REFRESH_MS } from "../limits.ts";
import { AttachmentsOnAxis } from "./attachments.tsx";
import { lastMoment, type View, viewQuery } from "./view.ts";

type TimelineProps = {
  summary: Summary;
  timeline: Timeline;
  attachments: AttachmentRow[];
  view: View;
};

export function TimelinePanel({ summary, timeline, attachments, view }: TimelineProps) {
  const { id } = summary;
  const { from, to } = timeline;
  return (
    <div
      id="timeline"
      class="timeline"
      data-from={from}
      data-to={to}
      data-last={lastMoment(summary)}
      data-series={summary.counts.series}
      data-step={timeline.step_ms}
      data-crash={summary.verdict.status === "crashed" ? summary.verdict.since : undefined}
      hx-get={`/sessions/${id}/timeline`}
      hx-include="#view, #state-charts [name^=path]"
      hx-trigger={`range from:body, live-timeline from:body throttle:${REFRESH_MS.timeline}ms`}
      hx-swap="outerMorph"
      hx-sync="this:queue last"
    >
      <div class="timeline-header">
        <span class="timeline-start">
          <Time at={from} show="full" />
        </span>
        <span class="timeline-span">
          {formatDuration(to - from)}
          {view.from === undefined && view.to === undefined ? (
            <>
              {" in total"} <small class="quiet drag-hint">drag over a plot to zoom</small>
            </>
          ) : (
            <>
              {" of "}
              {formatDuration(Math.max(0, lastMoment(summary) - summary.created_at))}{" "}
              <a class="timeline-whole" href={`/sessions/${id}${viewQuery({ at: view.at })}`}>
                Whole session
              </a>{" "}
              <small class="quiet drag-hint">or double-click</small>
            </>
          )}
        </span>
        <span class="timeline-end">
          <Time at={to} show="clock" />
        </span>
      </div>
      <Ruler summary={summary} timeline={timeline} />
      <StatusRow summary={summary} timeline={timeline} />
      <Row
        kind="exceptions"
        label="Exceptions"
        timeline={timeline}
        total={summary.counts.exceptions}
      />
      <Row kind="events" label="Events" timeline={timeline} total={summary.counts.events} />
      <Row kind="states" label="State" timeline={timeline} total={summary.counts.states} />
      <Row
        kind="heartbeats"
        label="Heartbeats"
        timeline={timeline}
        total={summary.counts.heartbeats}
      />
      <Row kind="points" label="Points" timeline={timeline} total={summary.counts.points} />
      <AttachmentsOnAxis id={id} attachments={attachments} from={from} to={to} />
      <noscript>
        <StaticCursor at={view.at ?? lastMoment(summary)} timeline={timeline} />
      </noscript>
    </div>
  );
}

/** The cursor of a page without script. */
function StaticCursor({ at, timeline: { from, to } }: { at: number; timeline: Timeline }) {
  if (at < from || at > to) return null;
  const x = `${percent(at, from, Math.max(1, to - from))}%`;
  return (
    <svg class="static-cursor" aria-hidden="true">
      <line x1={x} x2={x} y1="0" y2="100%" />
    </svg>
  );
}

/** Steps of the ruler in milliseconds: round durations. */
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5,
  18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 24192e5, 72576e5,
];

/** Ticks are relative to the session's start, so they are the same in every time zone. */
function Ruler({ summary, timeline: { from, to } }: { summary: Summary; timeline: Timeline }) {
  const span = Math.max(1, to - from);
  const step = STEPS.find((each) => span / each <= 8) ?? span;
  const first = Math.ceil((from - summary.created_at) / step) * step;
  const ticks: number[] = [];
  for (let offset = first; offset <= to - summary.created_at && ticks.length < 12; offset += step) {
    ticks.push(offset);
  }
  return (
    <div class="row ruler" aria-hidden="true">
      <span class="row-name">Since start</span>
      <svg class="row-plot" width="100%" height="18">
        {ticks.map((offset) => {
          const at = `${percent(summary.created_at + offset, from, span)}%`;
          return (
            <>
              <line x1={at} x2={at} y1="12" y2="18" />
              <text x={at} y="10" text-anchor={anchor(summary.created_at + offset, from, span)}>
                {offset === 0 ? "0" : formatDuration(offset)}
              </text>
            </>
          );
        })}
      </svg>
    </div>
  );
}

function anchor(at: number, from: number, span: number): string {
  const where = (at - from) / span;
  return where < 0.03 ? "start" : where > 0.97 ? "end" : "middle";
}

/** The statuses over time, one coloured band each. */
function StatusRow({ summary, timeline: { from, to } }: { summary: Summary; timeline: Timeline }) {
  const span = Math.max(1, to - from);
  const failed = hasFailed(outcomeOf(summary));
  const bands = summary.transitions.map(({ at, status, headline }, index) => ({
    status,
    headline,
    start: Math.max(from, index === 0 ? Math.min(at, summary.created_at) : at),
    end: Math.min(to, summary.transitions[index + 1]?.at ?? Infinity),
  }));
  return (
    <div class="row status-row">
      <span class="row-name">
        <StatusIcon status={summary.verdict.status} failed={failed} />
        Status
      </span>
      <svg
        class="row-plot"
        width="100%"
        height="10"
        role="img"
        aria-label={statusLabels(summary, failed)}
      >
        {bands
          .filter(({ start, end }) => end >= start && start <= to)
          .map(({ status, headline, start, end }) => (
            <rect
              class="band"
              data-status={status}
              data-failed={failed && status === "ended" ? "" : undefined}
              x={`${percent(start, from, span)}%`}
              width={`${Math.max(0.35, ((end - start) / span) * 100)}%`}
              y="0"
              height="10"
            >
              <title>{plainText(headline)}</title>
            </rect>
          ))}
      </svg>
    </div>
  );
}

function statusLabels({ transitions, verdict }: Summary, failed: boolean): string {
  return transitions
    .map(({ status }, index) =>
      failed && status === verdict.status && index === transitions.length - 1
        ? FAILED_LABEL
        : STATUS_LABELS[status],
    )
    .join(", then ");
}

function percent(at: number, from: number, span: number): number {
  return Number((((at - from) / span) * 100).toFixed(3));
}

type Kind = "exceptions" | "events" | "states" | "heartbeats" | "points";

function Row(props: { kind: Kind; label: string; timeline: Timeline; total: number }) {
  const { kind, label, timeline, total } = props;
  if (total === 0) return null;
  const counts = timeline[kind];
  return (
    <div class="row" data-kind={kind} data-counts={isCounted(kind) ? sparse(counts) : undefined}>
      <span class="row-name">
        {label}
        <output class="row-count">{formatNumber(total)}</output>
      </span>
      <svg
        class="row-plot"
        viewBox={`0 0 ${Math.max(1, counts.length)} 1`}
        preserveAspectRatio="none"
        width="100%"
        height="16"
        role="img"
        aria-label={`${label} over time: ${formatNumber(sum(counts))} in view, ${formatNumber(Math.max(0, ...counts))} at most in ${formatDuration(timeline.step_ms)}`}
      >
        <path class="bars" d={bars(counts)} />
      </svg>
    </div>
  );
}

/** Kinds whose counts the crosshair shows; of heartbeats and points only the density is useful. */
function isCounted(kind: Kind): boolean {
  return kind === "exceptions" || kind === "events" || kind === "states";
}

/** "12:3 14:1": buckets and their counts, for timeline.js. */
function sparse(counts: number[]): string {
  return counts.flatMap((count, index) => (count === 0 ? [] : [`${index}:${count}`])).join(" ");
}

/** Bars as one path. Heights are square roots, so that one event is visible beside a thousand. */
function bars(counts: number[]): string {
  const most = Math.max(1, ...counts);
  return counts
    .map((count, index) => {
      if (count === 0) return "";
      const height = Math.max(0.18, Math.sqrt(count / most)).toFixed(2);
      return `M${index} 1v-${height}h1v${height}z`;
    })
    .join("");
}

function sum(counts: number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
