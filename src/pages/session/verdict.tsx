/** The verdict with its evidence, the last events and the properties of the session. */
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { WaitingAsCause } from "../settings/budgets.tsx";
import { Coloured } from "../ui/coloured.tsx";
import type { SessionClient } from "../../session/client.ts";
import { isOngoing } from "../../core/session/duration.ts";
import { formatDuration } from "../../core/text/format.ts";
import { asking } from "../../core/text/names.ts";
import type { Evidence } from "../../core/answers/verdict.ts";
import type { EventRow } from "../../core/answers/events.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { EVENT_CRASHED, EVENT_HUNG, EVENT_OUTPUT } from "../../core/vocabulary.ts";
import { LAST_EVENTS, LAST_EVENTS_READ, REFRESH_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { guarded } from "../ui/panel.tsx";
import { Property } from "../ui/property.tsx";
import { shownEvidence } from "../../core/status/evidence.ts";
import { hasFailed, isGood, labelOf, outcomeOf } from "../../core/status/outcome.ts";
import { StatusIcon } from "../ui/status.tsx";
import { Tag } from "../ui/tag.tsx";
import { Elapsed, Moment, Time } from "../ui/time.tsx";
import { framesOf } from "../../core/stack/frame.ts";
import { whereOf } from "../../core/stack/where.ts";
import { ownPlace, shownThreads } from "../../core/status/stacks.ts";
import { Where } from "../ui/where.tsx";
import { EventLine } from "./event.tsx";
import { LastOutput } from "./last-output.tsx";

type VerdictProps = { session: SessionClient; summary: Summary; registry: D1Database };

export function Verdict({ session, summary, registry }: VerdictProps) {
  const { id, verdict } = summary;
  const isRunning = verdict.status === "active";
  const failed = hasFailed(outcomeOf(summary));
  return (
    <section
      id="verdict"
      class="verdict"
      data-status={verdict.status}
      data-failed={failed ? "" : undefined}
      aria-label="Verdict"
      hx-get={`/sessions/${id}/verdict`}
      // A heartbeat changes one figure of the verdict, and is frequent.
      hx-trigger={`live-verdict from:body throttle:${REFRESH_MS.verdict}ms, live-heartbeat from:body throttle:${REFRESH_MS.heartbeat}ms`}
      hx-swap="outerMorph"
      hx-sync="this:queue last"
    >
      <div class="verdict-summary">
        <p class="verdict-status">
          <StatusIcon status={verdict.status} failed={failed} />
          {labelOf(outcomeOf(summary))}
          <span class="verdict-age">
            <StatusAge summary={summary} />
          </span>
        </p>
        <h1>
          {isRunning ? (
            <>
              Running for <Elapsed ms={summary.ran_ms} />
            </>
          ) : (
            plainText(verdict.headline)
          )}
        </h1>
        <p class="verdict-when">
          {isRunning ? <span>since</span> : null}
          <Moment id={id} at={isRunning ? summary.created_at : verdict.since} show="full" />
          {isRunning ? null : <span>{sinceStart(summary)}</span>}
        </p>
        {isGood(summary) || isOfTests(summary) ? null : (
          <VerdictPlace session={session} summary={summary} />
        )}
        <ul class="evidence">
          {shownEvidence(verdict)
            .filter(({ kind }) => isGood(summary) || kind !== "place") // VerdictPlace has it
            .filter(isOnlyHere(summary))
            .map((evidence) => (
              <EvidenceItem id={id} evidence={evidence} isOpen={summary.ended_at === null} />
            ))}
        </ul>
        {verdict.status === "suspended"
          ? guarded("the budgets", () => WaitingAsCause({ db: registry }))
          : null}
      </div>
      <LastEvents session={session} summary={summary} />
      {isGood(summary) ? null : <LastOutput session={session} />}
      <Properties summary={summary} />
    </section>
  );
}

/** Its tests decided: each has its own place, below the verdict. */
function isOfTests({ failed_tests, uncaught }: Summary): boolean {
  return failed_tests > 0 && uncaught === 0;
}

/** Failed tests are listed below the verdict with all that is known of them. */
function isOnlyHere({ tests }: Summary): (evidence: Evidence) => boolean {
  return ({ kind }) => tests === undefined || kind !== "failed_test";
}

/** Where a hang was, by the last sample of the main thread's stack, or where the last exception arose. */
function VerdictPlace({ session, summary }: { session: SessionClient; summary: Summary }) {
  return guarded("the place", async () => {
    const isHung = summary.verdict.status === "hung";
    const [{ items: stacks }, { items: exceptions }] = await Promise.all([
      session.ask("stacks"),
      isHung || summary.counts.exceptions === 0
        ? { items: [] as EventRow[] }
        : session.ask("events", { exceptions: true, order: "desc", limit: 1 }),
    ]);
    const [exception] = exceptions;
    const main = stacks[0] && shownThreads(stacks[0])[0];
    const place = exception ? whereOf(exception) : main && ownPlace(framesOf(main.frames));
    return <Where place={place} />;
  });
}

/** How long the program has been hung or out of contact, or how long ago the session ended. */
function StatusAge({ summary: { verdict, status_ms } }: { summary: Summary }) {
  const { status, since } = verdict;
  if (status === "active") return null;
  if (status === "ended" || status === "crashed") return <Time at={since} show="age" />;
  return (
    <>
      for <Elapsed ms={status_ms} />
    </>
  );
}

function isEvident({ verdict }: Summary, kind: string): boolean {
  return verdict.evidence.some((each) => each.kind === kind);
}

function sinceStart({ verdict, created_at: start }: Summary): string {
  if (verdict.since <= start) return "at the start";
  return `${formatDuration(verdict.since - start)} after the start`;
}

function Machine({ summary }: { summary: Summary }) {
  const { machine_id, hostname, browser } = summary;
  const machine = hostname || machine_id;
  return (
    <>
      {machine === "" && browser !== "" ? null : (
        <div>
          <dt>Machine</dt>
          <dd title={plainText(machine_id)}>{nameLabel(machine, "unknown")}</dd>
        </div>
      )}
      {browser === "" ? null : <Property label="Browser">{nameLabel(browser)}</Property>}
    </>
  );
}

/** The age of the last heartbeat is shown as long as another one may arrive. */
function EvidenceItem({
  id,
  evidence,
  isOpen,
}: {
  id: string;
  evidence: Evidence;
  isOpen: boolean;
}) {
  const { kind, text, at, confidence } = evidence;
  return (
    <li data-confidence={confidence}>
      <span class="evidence-text">
        <Coloured text={text} />
      </span>
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

/** Events that repeat the verdict, which is above them. */
const OF_THE_VERDICT: readonly string[] = [EVENT_CRASHED, EVENT_HUNG];

/**
 * The last exception and the last events. Lines of output of a program that failed are below the verdict; if it recorded nothing else
 * than them and the exception that the verdict names, there are no events to show.
 */
function LastEvents({ session, summary }: { session: SessionClient; summary: Summary }) {
  return guarded("the last events", async () => {
    const [exceptions, events] = await Promise.all([
      summary.counts.exceptions > 0
        ? session.ask("events", { exceptions: true, order: "desc", limit: 1 })
        : { items: [] as EventRow[] },
      session.ask("events", { order: "desc", limit: LAST_EVENTS_READ }),
    ]);
    const isFailure = !isGood(summary);
    const hasOutput = isFailure && events.items.some(({ name }) => name === EVENT_OUTPUT);
    const recent = events.items
      .filter(({ name }) => !OF_THE_VERDICT.includes(name))
      .filter(({ name }) => !isFailure || name !== EVENT_OUTPUT)
      .slice(0, LAST_EVENTS);
    const last = exceptions.items.filter(({ seq }) => !recent.some((e) => e.seq === seq));
    const shown = [...last, ...recent.toReversed()];
    const isNamed = ({ at }: EventRow) =>
      summary.verdict.evidence.some((each) => each.kind === "exception" && each.at === at);
    if (hasOutput && shown.every(isNamed)) return null;
    return (
      <div class="last-events">
        <h2 class="label">
          {summary.verdict.status === "active" ? "Latest events" : "Last events"}
        </h2>
        {shown.length === 0 ? (
          <p class="quiet">No events</p>
        ) : (
          <ol class="lines">
            {shown.map((event) => (
              <EventLine id={summary.id} event={event} />
            ))}
          </ol>
        )}
      </div>
    );
  });
}

function Properties({ summary }: { summary: Summary }) {
  const { verdict, created_at: start } = summary;
  return (
    <dl class="properties">
      <Property label="Product">
        <a href={address("/sessions", { product: asking(summary.product) })}>
          {nameLabel(summary.product, "unnamed")}
        </a>{" "}
        {plainText(summary.version)}
      </Property>
      <Property label="Started">
        <Time at={start} />
      </Property>
      {isOngoing(verdict.status) ? (
        <Property label="Running for">
          <Elapsed ms={summary.ran_ms} />
        </Property>
      ) : (
        <Property label="Ran for">{formatDuration(summary.ran_ms)}</Property>
      )}
      <Machine summary={summary} />
      {summary.exit_code === null && summary.signal === null ? null : (
        <Property label={summary.signal === null ? "Exit code" : "Signal"}>
          {summary.signal === null ? summary.exit_code : nameLabel(summary.signal)}
        </Property>
      )}
      {summary.last_heartbeat_at === null || isEvident(summary, "heartbeat") ? null : (
        <Property label="Last heartbeat">
          <Moment id={summary.id} at={summary.last_heartbeat_at} />
        </Property>
      )}
      {summary.tags.length === 0 ? null : (
        <Property label="Tags">
          {summary.tags.map((tag) => (
            <Tag text={tag} href={address("/sessions", { tag: asking(tag) })} />
          ))}
        </Property>
      )}
    </dl>
  );
}
