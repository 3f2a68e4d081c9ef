/** One test of a run: each of its attempts with its error, difference, output and stack; then what was recorded while it ran. */
import { formatCount, formatDuration } from "../../core/text/format.ts";
import type { EventRow } from "../../core/answers/events.ts";
import type { StateDiff } from "../../core/answers/state.ts";
import type { TestAccount, TestItem } from "../../core/answers/tests.ts";
import { isException } from "../../core/events/event.ts";
import { asking } from "../../core/text/names.ts";
import { plainJson, plainText } from "../../core/text/recorded-text.ts";
import { whereOf } from "../../core/stack/where.ts";
import { diffLines, printedDiff } from "../../core/tests/diff.ts";
import type { TestFact } from "../../core/tests/fact.ts";
import { TEST_LABELS } from "../../core/tests/vocabulary.ts";
import type { SessionClient } from "../../session/client.ts";
import { TEST_CHANGES, TEST_EVENTS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Coloured } from "../ui/coloured.tsx";
import { guarded } from "../ui/panel.tsx";
import { Moment } from "../ui/time.tsx";
import { Where } from "../ui/where.tsx";
import { EventLine, short } from "./event.tsx";
import { Exception } from "./exception.tsx";

const PHASES: { [phase in NonNullable<TestFact["phase"]>]: string } = {
  collect: "Collection",
  setup: "Setup",
  call: "Call",
  teardown: "Teardown",
};

/** The account of a test, as it stands unfolded in a list and on its own page. */
export function Account({ id, account }: { id: string; account: TestAccount }) {
  const { item, events } = account;
  const ends = events.filter(({ test }) => test?.result !== undefined);
  const shown = ends.filter((end) => ends.length === 1 || end.test?.result !== "passed");
  return (
    <div class="test-account">
      {shown.map((event) => (
        <Attempt id={id} event={event} isOnly={item.attempts <= 1 && shown.length === 1} />
      ))}
      {ends.length === 0 ? (
        <p class="quiet">
          It started <Moment id={id} at={item.started_at ?? item.at} />, and no result was recorded.
        </p>
      ) : null}
    </div>
  );
}

type LinksProps = { id: string; item: TestItem; product: string };

/** The links below an account. */
export function AccountLinks({ id, item, product }: LinksProps) {
  return (
    <p class="tools">
      <a
        class="tool"
        href={`/sessions/${id}?t=${item.at}#moment`}
        data-t={item.at}
        data-show-moment
      >
        Show state at its end
      </a>
      <a class="tool" href={testPath(id, item)}>
        What happened during it
      </a>
      <a class="tool" href={historyPath(item, product)}>
        History
      </a>
    </p>
  );
}

export function testPath(id: string, { key }: { key: string }): string {
  return `/sessions/${encodeURIComponent(id)}/tests/${key}`;
}

export function historyPath({ key }: { key: string }, product: string): string {
  return address(`/tests/${key}`, { product: asking(product) });
}

/** The result and the duration of an only attempt are those of its test, which stand above it. */
function Attempt({ id, event, isOnly }: { id: string; event: EventRow; isOnly: boolean }) {
  const { test, at, message } = event;
  if (!test?.result) return null;
  const { phase, attempt = 1, duration_ms, reason, output, diff, worker } = test;
  const isThrown = isException(event);
  return (
    <div class="attempt">
      <p class="attempt-title">
        {isOnly ? null : (
          <>
            <strong>Attempt {attempt}</strong>
            <span data-test={test.result}>{TEST_LABELS[test.result]}</span>
          </>
        )}
        {phase && phase !== "call" ? <span>{PHASES[phase]}</span> : null}
        <Moment id={id} at={at} />
        {isOnly || duration_ms === undefined ? null : <span>{formatDuration(duration_ms)}</span>}
        {worker ? <span class="quiet">worker {plainText(worker)}</span> : null}
      </p>
      {reason ? (
        <p>
          <Coloured text={reason} />
        </p>
      ) : null}
      {isThrown ? (
        <>
          <Where place={whereOf(event)} />
          <Exception event={event} />
        </>
      ) : message ? (
        <pre class="test-message">
          <Coloured text={message} />
        </pre>
      ) : null}
      {diff ? <Difference diff={diff} /> : null}
      {output ? (
        <details class="test-output" open={output.length < SHORT_OUTPUT}>
          <summary>Output</summary>
          <pre tabindex={0} aria-label="Output of the test">
            <Coloured text={output} />
          </pre>
        </details>
      ) : null}
    </div>
  );
}

/** Longer outputs are folded. */
const SHORT_OUTPUT = 2_000;

const SIGNS = { "-": "expected", "+": "actual", " ": undefined, "…": undefined };

function Difference({ diff }: { diff: NonNullable<TestFact["diff"]> }) {
  const { expected, actual, text } = diff;
  const isPair = expected !== undefined || actual !== undefined;
  const lines = isPair ? diffLines(expected, actual) : printedDiff(text ?? "");
  if (lines.length === 0) return null;
  return (
    <figure class="test-diff">
      <figcaption>
        <span data-sign="-">− expected</span> <span data-sign="+">+ actual</span>
      </figcaption>
      <pre tabindex={0} aria-label="Expected and actual">
        {lines.map((line) => (
          <span data-sign={line.sign}>
            {SIGNS[line.sign] === undefined ? null : (
              <span class="hidden">{SIGNS[line.sign]} </span>
            )}
            <i aria-hidden="true">{line.sign === "-" ? "−" : line.sign}</i>
            <Coloured text={line.text} />
            {"\n"}
          </span>
        ))}
      </pre>
    </figure>
  );
}

/** The events and the changes of the state between the start and the end of a test. */
export function During({ session, item }: { session: SessionClient; item: TestItem }) {
  return guarded("what happened during the test", async () => {
    const from = startOf(item);
    const [events, diff] = await Promise.all([
      session.ask("events", { from, to: item.at, limit: TEST_EVENTS + 2 }),
      session.ask("diff", { from: { at: from }, to: { at: item.at } }),
    ]);
    const others = events.items.filter(({ test }) => test === undefined);
    return (
      <>
        <p class="panel-note quiet">
          {item.started_at === null ? "Its start was not recorded: by its duration, " : null}
          from <Moment id={session.id} at={from} /> to <Moment id={session.id} at={item.at} />
          {item.worker === "" ? null : ". Other workers recorded at the same time"}
        </p>
        <h3 class="label">Events</h3>
        {others.length === 0 ? (
          <p class="quiet">No other events</p>
        ) : (
          <ol class="lines">
            {others.slice(0, TEST_EVENTS).map((event) => (
              <EventLine id={session.id} event={event} />
            ))}
          </ol>
        )}
        {events.next === null ? null : <p class="quiet">There are more events.</p>}
        <h3 class="label">State</h3>
        <Changes diff={diff} />
      </>
    );
  });
}

function startOf({ started_at, at, duration_ms }: TestItem): number {
  return Math.min(at, started_at ?? at - (duration_ms ?? 0));
}

function Changes({ diff: { differences } }: { diff: StateDiff }) {
  if (differences.length === 0) return <p class="quiet">The state did not change.</p>;
  const left = differences.length - TEST_CHANGES;
  return (
    <>
      <table class="test-changes">
        <thead>
          <tr>
            <th scope="col">Path</th>
            <th scope="col">At its start</th>
            <th scope="col">At its end</th>
          </tr>
        </thead>
        <tbody>
          {differences.slice(0, TEST_CHANGES).map(({ path, before, after }) => (
            <tr>
              <th scope="row">{plainText(path.join("."))}</th>
              <td>{before === undefined ? "–" : short(plainJson(before))}</td>
              <td>{after === undefined ? "–" : short(plainJson(after))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 ? <p class="quiet">{formatCount(left, "further change")}</p> : null}
    </>
  );
}
