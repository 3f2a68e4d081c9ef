/** Completeness: recorded, stored and lost ops, the size and cost, and the writers. */
import { ExportMenu } from "./exports.tsx";
import { LeftOut } from "./incomplete.tsx";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { isUnreadable } from "../../core/session/incomplete.ts";
import { formatBytes, formatCount, formatDuration, formatNumber } from "../../core/text/format.ts";
import { clockText } from "../../core/status/evidence.ts";
import type { Summary } from "../../core/answers/summary.ts";
import {
  type CauseOfLoss,
  alterationText,
  attachmentTexts,
  causeText,
  isCompleteRecord,
  isTime,
  lossesOf,
  recordedOf,
} from "../../core/session/completeness.ts";
import { Moment, Time } from "../ui/time.tsx";
import { Property } from "../ui/property.tsx";

/** Cloudflare's price: $1.00 per million rows written. */
const DOLLARS_PER_ROW = 1e-6;

export function RecordPanel({ summary }: { summary: Summary }) {
  const { id } = summary;
  return (
    <section id="record" class="panel record" aria-labelledby="record-title">
      <header class="panel-header">
        <h2 id="record-title">Recording</h2>
      </header>
      <RecordFigures summary={summary} />
      <LeftOut summary={summary} />
      <Writers summary={summary} />
      <div class="tools">
        <ExportMenu id={id} />
        <a class="tool" href={`/compare?ids=${id}`}>
          Compare
        </a>
        <a class="tool danger" href={`/sessions/${id}/delete`}>
          Delete…
        </a>
      </div>
    </section>
  );
}

export function RecordFigures({ summary }: { summary: Summary }) {
  const { ledger, id } = summary;
  const isComplete = isCompleteRecord(ledger) && summary.damaged_segments === 0;
  const altered = Object.entries(ledger.altered ?? {});
  return (
    <div id="record-figures">
      <p class="completeness" data-complete={isComplete ? "" : undefined}>
        <strong>{isUnreadable(summary) ? "Number of ops unknown" : recordedOf(ledger)}</strong>
        {isComplete ? ": complete." : "."}
      </p>
      {isComplete && altered.length === 0 ? null : (
        <ul class="losses">
          {lossesOf(ledger).map((loss) => (
            <li>
              <Loss loss={loss} />
            </li>
          ))}
          {attachmentTexts(ledger).map((text) => (
            <li>
              <a href="#attachments">{text}</a>
            </li>
          ))}
          {altered.map(([cause, count]) => (
            <li>
              <strong>{formatCount(count, isTime(cause) ? "time" : "field")}</strong>{" "}
              {alterationText(cause)}
            </li>
          ))}
          {ledger.altered_fields === undefined ? null : (
            <li>
              Cut, described or redacted:{" "}
              {ledger.altered_fields.map((field) => nameLabel(field)).join(", ")}
            </li>
          )}
          {summary.damaged_segments === 0 ? null : (
            <li>
              <a href="#damage">Part of what was stored</a> is damaged
            </li>
          )}
        </ul>
      )}
      <dl class="properties">
        <Property label="Size">{formatBytes(summary.bytes)}</Property>
        <Property label="Rows written">
          {formatNumber(summary.rows_written)}
          <span class="quiet"> ≈ ${(summary.rows_written * DOLLARS_PER_ROW).toFixed(6)}</span>
        </Property>
        <Property label="Segments">{formatNumber(summary.segments)}</Property>
        <Property label="Clock">{clockText(summary)}</Property>
        {summary.clock_steps.length === 0 ? null : (
          <Property label="Clock set">
            {summary.clock_steps.map(({ at, by_ms }) => (
              <div>
                {by_ms > 0 ? "forward" : "back"} by {formatDuration(Math.abs(by_ms))},{" "}
                <Moment id={id} at={at} show="full" />
              </div>
            ))}
          </Property>
        )}
        <Property label="Last contact">
          <Time at={summary.received_at} />
        </Property>
        <Property label="Session">
          <code>{id}</code>
        </Property>
      </dl>
    </div>
  );
}

/** One cause: how many ops, why, and from when to when. */
function Loss({ loss: { cause, count, times } }: { loss: CauseOfLoss }) {
  const isUnknown = times?.at_least === true;
  return (
    <>
      <strong>{isUnknown && count === 0 ? "An unknown number" : formatNumber(count)}</strong>
      {isUnknown && count > 0 ? " or more" : ""} {causeText(cause)}
      {times === undefined ? null : (
        <>
          {" from "}
          <Time at={times.from} show="clock" /> to <Time at={times.to} show="clock" />
        </>
      )}
      {isUnknown ? ", when the program ended" : ""}
    </>
  );
}

function Writers({ summary }: { summary: Summary }) {
  if (summary.lanes.length === 0) return null;
  return (
    <details class="writers">
      <summary>Written by {formatCount(summary.lanes.length, "process", "processes")}</summary>
      <table>
        <thead>
          <tr>
            <th>Program</th>
            <th>Process</th>
            <th>Language</th>
            <th>Client</th>
            <th>System</th>
            <th class="number">Records</th>
          </tr>
        </thead>
        <tbody>
          {summary.lanes.map(({ lane, applied, writer }) => (
            <tr>
              <td title={lane}>
                <code>
                  {plainText(
                    [writer.program, ...(writer.arguments ?? [])].filter(Boolean).join(" ") || lane,
                  )}
                </code>
              </td>
              <td>{writer.pid}</td>
              <td>{plainText(writer.language ?? "")}</td>
              <td>{plainText(writer.client ?? "")}</td>
              <td>
                {plainText([writer.os, writer.hostname, writer.user].filter(Boolean).join(", "))}
              </td>
              <td class="number">{formatNumber(applied)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
