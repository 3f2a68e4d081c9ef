/** What happened, in words, with the facts that say so: the first thing anyone reads. */
import type { SessionClient } from "../../session/client.ts";
import { formatDuration } from "../../core/format.ts";
import { asking } from "../../catalog/filter.ts";
import type { Evidence, EventRow, Summary } from "../../core/answers.ts";
import { LAST_WORDS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { guarded } from "../ui/panel.tsx";
import { STATUS_LABELS } from "../../core/vocabulary.ts";
import { StatusIcon } from "../ui/status.tsx";
import { Moment, Time } from "../ui/time.tsx";
import { EventLine } from "./event.tsx";

export function Verdict({ session, summary }: { session: SessionClient; summary: Summary }) {
  const { id, verdict } = summary;
  const isRunning = verdict.status === "active";
  return (
    <section
      id="verdict"
      class="verdict"
      data-status={verdict.status}
      data-failed={hasFailed(summary) ? "" : undefined}
      aria-label="Verdict"
      hx-get={`/sessions/${id}/verdict`}
      // A heartbeat is one figure on it, and comes often.
      hx-trigger="live-verdict from:body throttle:1s, live-heartbeat from:body throttle:5s"
      hx-swap="outerMorph"
      hx-sync="this:queue last"
    >
      <div class="verdict-said">
        <p class="verdict-status">
          <StatusIcon status={verdict.status} />
          {STATUS_LABELS[verdict.status]}
          {isRunning ? null : (
            <span class="verdict-age">
              <Time at={verdict.since} show="age" />
            </span>
          )}
        </p>
        <h1>
          {isRunning ? (
            <>
              Running for{" "}
              <span data-since={summary.created_at}>
                {formatDuration(summary.updated_at - summary.created_at)}
              </span>
            </>
          ) : (
            verdict.headline
          )}
        </h1>
        <p class="verdict-when">
          {isRunning ? <span>since</span> : null}
          <Moment id={id} at={isRunning ? summary.created_at : verdict.since} show="full" />
          {isRunning ? null : <span>{sinceStart(summary)}</span>}
        </p>
        <ul class="evidence">
          {verdict.evidence.map((fact) => (
            <Fact id={id} fact={fact} isOpen={summary.ended_at === null} />
          ))}
        </ul>
      </div>
      <LastWords session={session} summary={summary} />
      <Facts summary={summary} />
    </section>
  );
}

function isEvident({ verdict }: Summary, kind: string): boolean {
  return verdict.evidence.some((fact) => fact.kind === kind);
}

/** It runs, or ended as it should. */
export function wentWell(summary: Summary): boolean {
  const { status } = summary.verdict;
  return status === "active" || (status === "ended" && !hasFailed(summary));
}

/** It said goodbye, but not that all was well. */
function hasFailed({ verdict, exit_code, signal }: Summary): boolean {
  return verdict.status === "ended" && (signal !== null || (exit_code ?? 0) !== 0);
}

function sinceStart({ verdict, created_at: start }: Summary): string {
  if (verdict.since <= start) return "at its start";
  return `${formatDuration(verdict.since - start)} after its start`;
}

/** A heartbeat's age says more than its time, as long as there may be a next one. */
function Fact({ id, fact, isOpen }: { id: string; fact: Evidence; isOpen: boolean }) {
  const { kind, text, at, confidence } = fact;
  return (
    <li data-confidence={confidence}>
      <span class="fact-text">{text}</span>
      {at === undefined ? null : <Moment id={id} at={at} />}
      {at !== undefined && isOpen && kind === "heartbeat" ? (
        <span class="aside">
          <Time at={at} show="age" />
        </span>
      ) : null}
      {confidence === "certain" ? null : <span class="aside">{confidence}</span>}
    </li>
  );
}

/** The last exception and the last events before silence: nearly always the answer. */
function LastWords({ session, summary }: { session: SessionClient; summary: Summary }) {
  return guarded("the last events", async () => {
    const [exceptions, events] = await Promise.all([
      summary.counts.exceptions > 0
        ? session.ask("events", { exceptions: true, order: "desc", limit: 1 })
        : { items: [] as EventRow[] },
      session.ask("events", { order: "desc", limit: LAST_WORDS }),
    ]);
    const last = exceptions.items.filter(({ seq }) => !events.items.some((e) => e.seq === seq));
    const words = [...last, ...events.items.toReversed()];
    return (
      <div class="last-events">
        <h2 class="label">{summary.verdict.status === "active" ? "Latest" : "Last words"}</h2>
        {words.length === 0 ? (
          <p class="quiet">It logged no event.</p>
        ) : (
          <ol class="lines">
            {words.map((event) => (
              <EventLine id={summary.id} event={event} />
            ))}
          </ol>
        )}
      </div>
    );
  });
}

function Facts({ summary }: { summary: Summary }) {
  const { verdict, created_at: start, ended_at: end } = summary;
  const until = end ?? (verdict.status === "active" ? null : summary.updated_at);
  return (
    <dl class="facts">
      <div>
        <dt>Product</dt>
        <dd>
          <a href={address("/sessions", { product: asking(summary.product) })}>
            {summary.product || "unnamed"}
          </a>{" "}
          {summary.version}
        </dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>
          <Time at={start} />
        </dd>
      </div>
      {until === null ? null : (
        <div>
          <dt>Ran for</dt>
          <dd>{formatDuration(until - start)}</dd>
        </div>
      )}
      <div>
        <dt>Machine</dt>
        <dd title={summary.machine_id}>{summary.hostname || summary.machine_id || "unknown"}</dd>
      </div>
      {summary.exit_code === null && summary.signal === null ? null : (
        <div>
          <dt>{summary.signal === null ? "Exit code" : "Signal"}</dt>
          <dd>{summary.signal ?? summary.exit_code}</dd>
        </div>
      )}
      {summary.last_heartbeat_at === null || isEvident(summary, "heartbeat") ? null : (
        <div>
          <dt>Last heartbeat</dt>
          <dd>
            <Moment id={summary.id} at={summary.last_heartbeat_at} />
          </dd>
        </div>
      )}
      {summary.tags.length === 0 ? null : (
        <div>
          <dt>Tags</dt>
          <dd>
            {summary.tags.map((tag) => (
              <span class="tag">{tag}</span>
            ))}
          </dd>
        </div>
      )}
    </dl>
  );
}
