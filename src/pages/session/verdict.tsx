/** What happened, in words, with the facts that say so: the first thing anyone reads. */
import type { Evidence, EventRow, Summary } from "../../core/answers.ts";
import { LAST_WORDS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { guarded } from "../ui/panel.tsx";
import { Lamp, STATUS_WORDS } from "../ui/status.tsx";
import { duration, Moment, Time } from "../ui/time.tsx";
import { EventLine } from "./event.tsx";
import type { Recording } from "./recording.ts";

export function Verdict({ recording, summary }: { recording: Recording; summary: Summary }) {
  const { id, verdict } = summary;
  return (
    <section
      id="verdict"
      class="verdict"
      data-status={verdict.status}
      aria-label="Verdict"
      hx-get={`/sessions/${id}/verdict`}
      // A heartbeat is one figure on it, and comes often.
      hx-trigger="live-verdict from:body throttle:1s, live-heartbeat from:body throttle:5s"
      hx-swap="outerMorph"
      hx-sync="this:queue last"
    >
      <div class="verdict-said">
        <p class="verdict-status">
          <Lamp status={verdict.status} />
          {STATUS_WORDS[verdict.status]}
          <span class="verdict-age">
            <Time at={verdict.since} show="age" />
          </span>
        </p>
        <h1>{verdict.headline}</h1>
        <p class="verdict-when">
          <Moment id={id} at={verdict.since} show="full" />
          <span>{sinceStart(summary)}</span>
        </p>
        <ul class="evidence">
          {verdict.evidence.map((fact) => (
            <Fact id={id} fact={fact} />
          ))}
        </ul>
      </div>
      <LastWords recording={recording} summary={summary} />
      <Facts summary={summary} />
    </section>
  );
}

function sinceStart({ verdict, created_at: start }: Summary): string {
  if (verdict.since <= start) return "at its start";
  return `${duration(verdict.since - start)} after its start`;
}

function Fact({ id, fact }: { id: string; fact: Evidence }) {
  return (
    <li data-confidence={fact.confidence}>
      <span class="fact-text">{fact.text}</span>
      {fact.at === undefined ? null : <Moment id={id} at={fact.at} />}
      <span class="confidence">{fact.confidence}</span>
    </li>
  );
}

/** The last exception and the last events before silence: nearly always the answer. */
function LastWords({ recording, summary }: { recording: Recording; summary: Summary }) {
  return guarded("the last events", async () => {
    const [exceptions, events] = await Promise.all([
      summary.counts.exceptions > 0
        ? recording.events({ exceptions: true, order: "desc", limit: 1 })
        : { items: [] as EventRow[] },
      recording.events({ order: "desc", limit: LAST_WORDS }),
    ]);
    const last = exceptions.items.filter(({ seq }) => !events.items.some((e) => e.seq === seq));
    const words = [...last, ...events.items.toReversed()];
    return (
      <div class="last-words">
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
          <a href={address("/sessions", { product: summary.product })}>
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
      <div>
        <dt>{until === null ? "Running for" : "Ran for"}</dt>
        <dd data-since={until === null ? start : undefined}>
          {duration((until ?? summary.updated_at) - start)}
        </dd>
      </div>
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
      {summary.last_heartbeat_at === null ? null : (
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
