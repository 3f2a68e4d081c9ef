/** Is it all here, and what does it cost: nothing is lost in silence. */
import { formatBytes, formatCount, formatDuration, formatNumber } from "../../core/format.ts";
import type { Summary } from "../../core/answers.ts";
import type { DropCause } from "../../core/vocabulary.ts";
import { Time } from "../ui/time.tsx";

/** Why something that a program logged is not here, in words. */
const CAUSES: Record<string, string> = {
  disk_full: "could not be written: the disk was full",
  disk_budget: "given up to make room on the disk",
  damaged: "damaged on the disk",
  queue_full: "dropped: the client's memory was full",
  too_large: "too large, and cut or refused",
  refused: "refused by the server",
  series_limit: "beyond the limit of series",
  not_finite: "were NaN or infinite",
  unserialisable: "could only be recorded as a description",
} satisfies Record<DropCause, string>;

/** Datacat's price of a million rows written on Cloudflare, in US dollars (PLATFORM: $1.00). */
const DOLLARS_PER_ROW = 1e-6;

export function RecordPanel({ summary }: { summary: Summary }) {
  const { id } = summary;
  return (
    <section id="record" class="panel record" aria-labelledby="record-title">
      <header class="panel-header">
        <h2 id="record-title">The recording</h2>
      </header>
      <RecordFigures summary={summary} />
      <Writers summary={summary} />
      <p class="tools">
        <a class="tool" href={`/api/sessions/${id}/export`} download={`${id}.ndjson`}>
          Export all of it
        </a>
        <a class="tool" href={`/compare?ids=${id}`}>
          Compare
        </a>
        <a class="tool danger" href={`/sessions/${id}/delete`}>
          Delete…
        </a>
      </p>
    </section>
  );
}

export function RecordFigures({ summary }: { summary: Summary }) {
  const { ledger, id } = summary;
  const dropped = Object.entries(ledger.dropped);
  const isComplete = dropped.length === 0 && summary.damaged_segments === 0;
  return (
    <div id="record-figures">
      <p class="completeness" data-complete={isComplete ? "" : undefined}>
        <strong>
          {formatNumber(ledger.stored)} of {formatNumber(ledger.accepted)} recorded
        </strong>
        {isComplete ? ": nothing is missing." : "."}
      </p>
      {isComplete ? null : (
        <ul class="losses">
          {dropped.map(([cause, count]) => (
            <li>
              <strong>{formatNumber(count)}</strong> {CAUSES[cause] ?? cause}
            </li>
          ))}
          {summary.damaged_segments === 0 ? null : (
            <li>
              <strong>{formatCount(summary.damaged_segments, "segment")}</strong> cannot be read
              back
            </li>
          )}
        </ul>
      )}
      <dl class="facts">
        <Fact word="Size">{formatBytes(summary.bytes)}</Fact>
        <Fact word="Rows written">
          {formatNumber(summary.rows_written)}
          <span class="quiet"> ≈ ${(summary.rows_written * DOLLARS_PER_ROW).toFixed(6)}</span>
        </Fact>
        <Fact word="Segments">{formatNumber(summary.segments)}</Fact>
        <Fact word="Clock">
          {Math.abs(summary.clock_skew_ms) < 1_000
            ? "agrees with the server's"
            : `${formatDuration(Math.abs(summary.clock_skew_ms))} ${summary.clock_skew_ms > 0 ? "ahead" : "behind"}`}
        </Fact>
        <Fact word="Last heard">
          <Time at={summary.updated_at} />
        </Fact>
        <Fact word="Session">
          <code>{id}</code>
        </Fact>
      </dl>
    </div>
  );
}

function Fact({ word, children }: { word: string; children: unknown }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Writers({ summary }: { summary: Summary }) {
  if (summary.lanes.length === 0) return null;
  return (
    <details class="writers">
      <summary>{formatCount(summary.lanes.length, "process", "processes")} wrote to it</summary>
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
                  {[writer.program, ...(writer.arguments ?? [])].filter(Boolean).join(" ") || lane}
                </code>
              </td>
              <td>{writer.pid}</td>
              <td>{writer.language}</td>
              <td>{writer.client}</td>
              <td>{[writer.os, writer.hostname, writer.user].filter(Boolean).join(", ")}</td>
              <td class="number">{formatNumber(applied)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
