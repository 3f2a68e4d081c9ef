/**
 * The report on a run's tests on its session's page: failures first, each with its account; then flaky, slowest and skipped ones,
 * and the tree of suites.
 */
import { type Since, failingSince } from "../../catalog/tests.ts";
import type { Summary } from "../../core/answers/summary.ts";
import type { TestAccount, TestItem, TestReport, TestRun } from "../../core/answers/tests.ts";
import { ciOf } from "../../core/ci/ci-state.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/text/format.ts";
import { asking } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { TEST_LABELS, type TestShown } from "../../core/tests/vocabulary.ts";
import type { SessionClient } from "../../session/client.ts";
import { OPEN_FAILURES, REFRESH_MS, TESTS_IN_PART } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Coloured } from "../ui/coloured.tsx";
import { guarded } from "../ui/panel.tsx";
import { Moment, Time } from "../ui/time.tsx";
import { CiProperties } from "./ci.tsx";
import { Account, AccountLinks, testPath } from "./test-account.tsx";
import { Suites } from "./test-suites.tsx";

type PanelProps = { session: SessionClient; summary: Summary; db: D1Database };

/** What the session's page has of its tests. */
export function TestsPanel({ session, summary, db }: PanelProps) {
  return (
    <section
      id="tests"
      class="panel tests"
      aria-labelledby="tests-title"
      hidden={!summary.tests}
      data-failed={summary.failed_tests > 0 ? "" : undefined}
      hx-get={`/sessions/${summary.id}/tests/panel`}
      hx-trigger={`live-verdict from:body throttle:${REFRESH_MS.tests}ms`}
      hx-swap="outerMorph"
    >
      {summary.tests
        ? guarded("the tests", () => report(session, summary, summary.tests as TestRun, db)) // as: just tested
        : null}
    </section>
  );
}

/** Of any session that recorded them. */
export function CiPanel({ session }: { session: SessionClient }) {
  return guarded("the commit and the job", async () => {
    const ci = ciOf((await session.ask("state")).state);
    if (!ci) return null;
    return (
      <section class="panel ci-panel" aria-label="Commit and job">
        <CiProperties ci={ci} />
      </section>
    );
  });
}

async function report(session: SessionClient, summary: Summary, run: TestRun, db: D1Database) {
  const { id, product } = summary;
  const [report, suites] = await Promise.all([
    session.ask("testReport", { limit: TESTS_IN_PART }),
    session.ask("testSuites", { prefix: [] }),
  ]);
  const { failures, running, flaky, unexpected, skipped, slowest } = report;
  const keys = failures.items.slice(0, OPEN_FAILURES).map(({ key }) => key);
  const [accounts, since] = await Promise.all([
    keys.length > 0 ? session.ask("testAccounts", { keys }) : [],
    sinceOf(session, summary, db, report.failing_keys),
  ]);
  const whenRunning = summary.ended_at === null ? "Running" : "Running when it ended";
  return (
    <>
      <header class="panel-header">
        <h2 id="tests-title">Tests</h2>
        <Totals id={id} run={run} />
        <a class="tool" href={listPath(id)}>
          Search {formatCount(run.tests, "test")}
        </a>
        <a class="tool" href={address("/tests", { product: asking(product) })}>
          History
        </a>
      </header>
      <Failures id={id} product={product} list={failures} accounts={accounts} since={since} />
      <Part id={id} title={whenRunning} list={running} query={{ result: "running" }} />
      <Part id={id} title="Flaky" list={flaky} query={{ result: "flaky" }} />
      <Part
        id={id}
        title="Passed unexpectedly"
        list={unexpected}
        query={{ result: "unexpected_pass" }}
      />
      <Part
        id={id}
        title="Skipped and expected failures"
        list={skipped}
        query={{ result: "unrun" }}
        isFolded
      />
      <Part id={id} title="Slowest" list={slowest} query={{ sort: "duration" }} isFolded />
      <Suites session={session} suites={suites} prefix={[]} isPart />
    </>
  );
}

/** Since when each failure has failed, by the last runs of the same branch; none if the catalog does not answer. */
async function sinceOf(
  session: SessionClient,
  { product, created_at }: Summary,
  db: D1Database,
  keys: string[],
): Promise<Map<string, Since> | undefined> {
  if (keys.length === 0) return undefined;
  const branch = ciOf((await session.ask("state")).state)?.branch || undefined;
  try {
    return await failingSince(db, { product, branch, before: created_at }, keys);
  } catch (error) {
    console.error("Since when tests fail is not known:", error);
    return undefined;
  }
}

/** The counts, each a link to the list of these tests. */
function Totals({ id, run }: { id: string; run: TestRun }) {
  const counts: [TestShown | "", number, string][] = [
    ["failed", run.failed, "failed"],
    ["error", run.errors, run.errors === 1 ? "error" : "errors"],
    ["flaky", run.flaky, "flaky"],
    ["skipped", run.skipped, "skipped"],
    ["expected_failure", run.expected_failures, "failed as expected"],
    ["unexpected_pass", run.unexpected_passes, "passed unexpectedly"],
    ["passed", run.passed, "passed"],
  ];
  return (
    <ul class="test-totals" aria-label="Results">
      {counts
        .filter(([, count]) => count > 0)
        .map(([result, count, label]) => (
          <li>
            <a href={listPath(id, { result })} data-test={result}>
              {formatNumber(count)} {label}
            </a>
          </li>
        ))}
      {run.not_run > 0 ? <li class="quiet">{formatNumber(run.not_run)} did not run</li> : null}
      {run.runner === "" ? null : <li class="quiet">{nameLabel(run.runner)}</li>}
    </ul>
  );
}

export function listPath(id: string, query: Record<string, string | undefined> = {}): string {
  return address(`/sessions/${encodeURIComponent(id)}/tests`, query);
}

type FailuresProps = {
  id: string;
  product: string;
  since: Map<string, Since> | undefined;
  list: TestReport["failures"];
  accounts: TestAccount[];
};

function Failures({ id, product, list, accounts, since }: FailuresProps) {
  const { items, matching } = list;
  if (items.length === 0) return null;
  const added = [...(since?.values() ?? [])].filter(({ runs }) => runs === 1).length;
  return (
    <section class="test-part" aria-labelledby="failures-title">
      <h3 id="failures-title">
        Failures <span class="count">{formatNumber(matching)}</span>{" "}
        {added > 0 ? <span class="tag danger">{formatNumber(added)} new</span> : null}
      </h3>
      <ol class="test-failures">
        {items.map((item) => (
          <Failure
            id={id}
            product={product}
            item={item}
            since={since?.get(item.key)}
            account={accounts.find((one) => one.item.key === item.key)}
          />
        ))}
      </ol>
      <More id={id} shown={items.length} matching={matching} query={{ result: "bad" }} />
    </section>
  );
}

type FailureProps = {
  id: string;
  product: string;
  since: Since | undefined;
  item: TestItem;
  account: TestAccount | undefined;
};

/** The first ones are unfolded; the account of another one is fetched when it is unfolded. */
function Failure({ id, product, item, account, since }: FailureProps) {
  return (
    <li>
      <details open={account !== undefined}>
        <summary>
          <TestSummary item={item} since={since} />
        </summary>
        {account ? (
          <>
            <Account id={id} account={account} />
            <AccountLinks id={id} item={item} product={product} />
          </>
        ) : (
          <p
            class="quiet"
            hx-get={`${testPath(id, item)}/account`}
            hx-trigger="intersect once"
            hx-swap="outerHTML"
          >
            <a href={testPath(id, item)}>Show its error, output and state</a>
          </p>
        )}
      </details>
    </li>
  );
}

function TestSummary({ item, since }: { item: TestItem; since: Since | undefined }) {
  return (
    <>
      <span class="test-result" data-test={item.result}>
        {TEST_LABELS[item.result]}
      </span>
      <span class="test-name">{nameLabel(item.name)}</span>
      {item.attempts > 1 ? <span class="tag">{formatCount(item.attempts, "attempt")}</span> : null}
      {item.duration_ms === null ? null : (
        <span class="count">{formatDuration(item.duration_ms)}</span>
      )}
      {since ? <SinceTag since={since} /> : null}
      {item.text === "" ? null : (
        <span class="test-text">
          <Coloured text={item.text} />
        </span>
      )}
    </>
  );
}

/** Of the last runs of the branch. */
function SinceTag({ since: { first, runs, isOlder } }: { since: Since }) {
  if (runs === 1 || first === null)
    return (
      <span class="tag danger" title="It did not fail in the run of this branch before it">
        new
      </span>
    );
  const commit =
    first.commit_id === "" ? "" : `, commit ${first.commit_id.slice(0, COMMIT_LENGTH)}`;
  return (
    <span class="tag">
      {isOlder ? "failing for at least " : "failing for "}
      {formatCount(runs, "run")}, {isOlder ? "also" : "since"}{" "}
      <Time at={first.created_at} show="minute" />
      {nameLabel(commit, "")}
    </span>
  );
}

/** Characters of a commit that people compare. */
const COMMIT_LENGTH = 12;

type PartProps = {
  id: string;
  title: string;
  list: TestReport["failures"];
  /** Of the list of all these tests. */
  query: Record<string, string>;
  isFolded?: boolean;
};

function Part({ id, title, list: { items, matching }, query, isFolded }: PartProps) {
  if (items.length === 0) return null;
  const isAll = "sort" in query;
  return (
    <section class="test-part">
      <details open={!isFolded}>
        <summary>
          <h3>
            {title} {isAll ? null : <span class="count">{formatNumber(matching)}</span>}
          </h3>
        </summary>
        <Rows id={id} items={items} />
        <More id={id} shown={items.length} matching={matching} query={query} />
      </details>
    </section>
  );
}

type MoreProps = {
  id: string;
  shown: number;
  matching: number;
  query: Record<string, string | undefined>;
};

function More({ id, shown, matching, query }: MoreProps) {
  if (matching <= shown) return null;
  return (
    <p class="panel-note">
      <a href={listPath(id, query)}>Show all {formatNumber(matching)}</a>
    </p>
  );
}

/** Tests as rows: result, name with its first line, duration, moment. */
export function Rows({ id, items }: { id: string; items: TestItem[] }) {
  return (
    <ol class="test-rows">
      {items.map((item) => (
        <li>
          <span class="test-result" data-test={item.result}>
            {TEST_LABELS[item.result]}
          </span>
          <a class="test-name" href={testPath(id, item)}>
            {nameLabel(item.name)}
          </a>
          <span class="count">
            {item.duration_ms === null ? null : formatDuration(item.duration_ms)}
          </span>
          <Moment id={id} at={item.at} />
          {item.text === "" ? null : (
            <span class="test-text">
              <Coloured text={item.text} />
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
