/**
 * The tests of a run: failures first, each with its account; then flaky, slowest and skipped ones, and the tree of suites. On the session's page, and
 * on a page of its own with a search.
 */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { ciOf } from "../../core/ci-state.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/format.ts";
import type {
  Summary,
  TestAccount,
  TestItem,
  TestReport,
  TestRun,
  TestsQuery,
} from "../../core/answers.ts";
import { nameLabel, plainText } from "../../core/recorded-text.ts";
import { Refusal } from "../../core/refusal.ts";
import { TEST_LABELS, type TestShown, TESTS_SHOWN } from "../../core/tests/vocabulary.ts";
import type { SessionClient } from "../../session/client.ts";
import { isFragment, fragment } from "../fragment.tsx";
import { OPEN_FAILURES, REFRESH_MS, TEST_ROWS, TESTS_IN_PART } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Coloured } from "../ui/coloured.tsx";
import { guarded, Panel } from "../ui/panel.tsx";
import { SearchField, SearchForm } from "../ui/search-form.tsx";
import { Select } from "../ui/select.tsx";
import { Moment } from "../ui/time.tsx";
import { CiProperties } from "./ci.tsx";
import { Account, AccountLinks, During, testPath } from "./test-account.tsx";
import { Suites, suiteRoutes } from "./test-suites.tsx";
import { sessionIn } from "./view.ts";

/** What the session's page has of its tests, and of the commit and the job of any session. */
export function TestsPanel({ session, summary }: { session: SessionClient; summary: Summary }) {
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
        ? guarded("the tests", () => report(session, summary, summary.tests as TestRun)) // as: just tested
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

async function report(session: SessionClient, summary: Summary, run: TestRun) {
  const { id } = summary;
  const [report, suites] = await Promise.all([
    session.ask("testReport", { limit: TESTS_IN_PART }),
    session.ask("testSuites", { prefix: [] }),
  ]);
  const { failures, running, flaky, unexpected, skipped, slowest } = report;
  const keys = failures.items.slice(0, OPEN_FAILURES).map(({ key }) => key);
  const accounts = keys.length > 0 ? await session.ask("testAccounts", { keys }) : [];
  const whenRunning = summary.ended_at === null ? "Running" : "Running when it ended";
  return (
    <>
      <header class="panel-header">
        <h2 id="tests-title">Tests</h2>
        <Totals id={id} run={run} />
        <a class="tool" href={listPath(id)}>
          Search {formatCount(run.tests, "test")}
        </a>
      </header>
      <Failures id={id} list={failures} accounts={accounts} />
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
      <Suites session={session} suites={suites} prefix={[]} />
    </>
  );
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

function listPath(id: string, query: Record<string, string | undefined> = {}): string {
  return address(`/sessions/${encodeURIComponent(id)}/tests`, query);
}

type FailuresProps = {
  id: string;
  list: TestReport["failures"];
  accounts: TestAccount[];
};

function Failures({ id, list: { items, matching }, accounts }: FailuresProps) {
  if (items.length === 0) return null;
  return (
    <section class="test-part" aria-labelledby="failures-title">
      <h3 id="failures-title">
        Failures <span class="count">{formatNumber(matching)}</span>
      </h3>
      <ol class="test-failures">
        {items.map((item) => (
          <Failure
            id={id}

            item={item}
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
  item: TestItem;
  account: TestAccount | undefined;
};

/** The first ones are unfolded; the account of another one is fetched when it is unfolded. */
function Failure({ id, item, account }: FailureProps) {
  return (
    <li>
      <details open={account !== undefined}>
        <summary>
          <TestSummary item={item} />
        </summary>
        {account ? (
          <>
            <Account id={id} account={account} />
            <AccountLinks id={id} item={item} />
          </>
        ) : (
          <p
            class="quiet"
            hx-get={`${testPath(id, item)}/account`}
            hx-trigger="toggle from:closest details once"
            hx-swap="outerHTML"
          >
            <a href={testPath(id, item)}>Show its error, output and state</a>
          </p>
        )}
      </details>
    </li>
  );
}

function TestSummary({ item }: { item: TestItem }) {
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
      {item.text === "" ? null : (
        <span class="test-text">
          <Coloured text={item.text} />
        </span>
      )}
    </>
  );
}

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
function Rows({ id, items }: { id: string; items: TestItem[] }) {
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

export const testRoutes = new Hono<AccessEnv>();

// Before the path of a test's key.
testRoutes.route("/", suiteRoutes);

testRoutes.get("/sessions/:id/tests/panel", async (c) => {
  const session = sessionIn(c);
  return c.html(<TestsPanel session={session} summary={await session.ask("summary")} />);
});

const RESULT_CHOICES = {
  "": "Any result",
  bad: "Failed or error",
  ...TEST_LABELS,
  unrun: "Skipped or expected to fail",
};
const SORT_CHOICES = { name: "By name", duration: "Slowest first" };

/** The list with its search, and the tree of suites. */
testRoutes.get("/sessions/:id/tests", async (c) => {
  const session = sessionIn(c);
  const { id } = session;
  const { text, result = "", sort, suite, cursor } = c.req.query();
  const query = { text: text?.trim() || undefined, result, sort, suite };
  const asked: TestsQuery = {
    text: query.text,
    results: resultsOf(result),
    prefix: prefixOf(suite),
    sort: sort === "duration" ? "duration" : "name",
    cursor,
    limit: TEST_ROWS,
  };
  const [summary, list, suites] = await Promise.all([
    session.ask("summary"),
    session.ask("tests", asked),
    session.ask("testSuites", { prefix: asked.prefix }),
  ]);
  const title = `Tests of ${summary.product || id.slice(0, 8)}`;
  const part = (
    <section id="list" class="panel tests" aria-label="Tests found">
      {list.items.length === 0 ? (
        <p class="empty">No tests match these filters</p>
      ) : (
        <Rows id={id} items={list.items} />
      )}
      <p class="panel-note quiet">
        {formatCount(list.matching, "test")}
        {list.left_out > 0 ? `; ${formatCount(list.left_out, "further result")} not listed` : null}
      </p>
      {list.next === null ? null : (
        <footer class="list-foot">
          <a class="tool" rel="next" href={listPath(id, { ...query, cursor: list.next })}>
            Next ›
          </a>
        </footer>
      )}
    </section>
  );
  if (isFragment(c)) return fragment(c, { path: listPath(id, query), title }, part);
  return c.render(
    <>
      <TestCrumbs summary={summary} />
      <h1 class="page-title">Tests</h1>
      <SearchForm path={listPath(id)} label="Tests" target="#list">
        <div class="search-main">
          <SearchField
            value={query.text}
            label="Search tests"
            placeholder="Name, message, reason"
          />
          <Select name="result" label="Result" now={result} options={RESULT_CHOICES} />
          <Select name="sort" label="Sort by" now={asked.sort ?? "name"} options={SORT_CHOICES} />
          {suite ? <input type="hidden" name="suite" value={suite} /> : null}
          <button class="button without-script">Search</button>
        </div>
      </SearchForm>
      {part}
      <Suites session={session} suites={suites} prefix={asked.prefix ?? []} />
    </>,
    { title, here: "/sessions", name: "list-page", styles: ["tests"] },
  );
});

const FAILED: TestShown[] = ["failed", "error"];
const SKIPPED: TestShown[] = ["skipped", "expected_failure"];

function resultsOf(text: string): TestShown[] | undefined {
  if (text === "bad") return FAILED;
  if (text === "unrun") return SKIPPED;
  const result = TESTS_SHOWN.find((each) => each === text);
  return result && [result];
}

/** A JSON list of texts. */
function prefixOf(text: string | undefined): string[] | undefined {
  try {
    const parts: unknown = JSON.parse(text ?? "");
    return Array.isArray(parts) && parts.every((part) => typeof part === "string")
      ? parts
      : undefined;
  } catch {
    return undefined;
  }
}

function TestCrumbs({ summary, isTest }: { summary: Summary; isTest?: boolean }) {
  return (
    <nav class="crumbs" aria-label="Breadcrumb">
      <a href="/sessions">Sessions</a>
      <a href={`/sessions/${summary.id}`}>{plainText(summary.verdict.headline)}</a>
      {isTest ? <a href={listPath(summary.id)}>Tests</a> : null}
    </nav>
  );
}

async function accountIn(session: SessionClient, key: string): Promise<TestAccount> {
  const [account] = await session.ask("testAccounts", { keys: [key] });
  if (!account) throw new Refusal("not_found", "The session has no such test.");
  return account;
}

/** What stands in an unfolded failure. */
testRoutes.get("/sessions/:id/tests/:key/account", async (c) => {
  const session = sessionIn(c);
  const account = await accountIn(session, c.req.param("key"));
  return c.html(
    <>
      <Account id={session.id} account={account} />
      <AccountLinks id={session.id} item={account.item} />
    </>,
  );
});

testRoutes.get("/sessions/:id/tests/:key", async (c) => {
  const session = sessionIn(c);
  const [account, summary] = await Promise.all([
    accountIn(session, c.req.param("key")),
    session.ask("summary"),
  ]);
  const { item } = account;
  return c.render(
    <>
      <TestCrumbs summary={summary} isTest />
      <h1 class="page-title test-title">
        <span class="test-result" data-test={item.result}>
          {TEST_LABELS[item.result]}
        </span>{" "}
        {nameLabel(item.name)}
      </h1>
      <section class="panel tests" aria-label="Result">
        <Account id={session.id} account={account} />
        <p class="tools">
          <a class="tool" href={`/sessions/${session.id}?t=${item.at}#moment`}>
            Show state at its end
          </a>
        </p>
      </section>
      <Panel id="during" title="While it ran">
        <div class="test-during">
          <During session={session} item={item} />
        </div>
      </Panel>
    </>,
    {
      title: `${TEST_LABELS[item.result]}: ${item.name}`,
      here: "/sessions",
      name: "list-page",
      styles: ["records", "moment", "terminal", "tests"],
    },
  );
});
