/** The list of a run's tests with its search, and the page of one test. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { Summary } from "../../core/answers/summary.ts";
import type { TestAccount, TestList } from "../../core/answers/tests.ts";
import type { TestsQuery } from "../../core/tests/table.ts";
import { formatCount } from "../../core/text/format.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { Refusal } from "../../core/refusal.ts";
import { parseQueryOf } from "../../core/query/parse.ts";
import { TEST_LIST } from "../../core/tests/fields.ts";
import { TEST_LABELS, type TestShown, TESTS_SHOWN } from "../../core/tests/vocabulary.ts";
import type { SessionClient } from "../../session/client.ts";
import { fragment, isFragment } from "../fragment.tsx";
import { TEST_ROWS } from "../limits.ts";
import { Panel } from "../ui/panel.tsx";
import { NotUnderstood, readBox, SearchField, SearchForm } from "../ui/search-form.tsx";
import { Select } from "../ui/select.tsx";
import { Account, AccountLinks, During, historyPath } from "./test-account.tsx";
import { Suites, suiteRoutes } from "./test-suites.tsx";
import { listPath, Rows, TestsPanel } from "./tests.tsx";
import { sessionIn } from "./view.ts";

export const testRoutes = new Hono<AccessEnv>();

// Before the path of a test's key.
testRoutes.route("/", suiteRoutes);

testRoutes.get("/sessions/:id/tests/panel", async (c) => {
  const session = sessionIn(c);
  return c.html(
    <TestsPanel session={session} summary={await session.ask("summary")} db={c.env.CATALOG} />,
  );
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
  const box = readBox(() => parseQueryOf(TEST_LIST, query.text ?? "", Date.now()));
  const asked: TestsQuery = {
    query: box instanceof Refusal ? undefined : box,
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
      {box instanceof Refusal ? (
        <NotUnderstood query={query.text ?? ""} refusal={box} />
      ) : (
        <Found id={id} list={list} query={query} />
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
            placeholder="Text, or conditions as duration:>1s file:door"
            suggestions={`/sessions/${id}/suggest/tests`}
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

type FoundProps = { id: string; list: TestList; query: Record<string, string | undefined> };

function Found({ id, list, query }: FoundProps) {
  return (
    <>
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
    </>
  );
}

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
  const [account, { product }] = await Promise.all([
    accountIn(session, c.req.param("key")),
    session.ask("summary"),
  ]);
  return c.html(
    <>
      <Account id={session.id} account={account} />
      <AccountLinks id={session.id} item={account.item} product={product} />
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
          <a class="tool" href={historyPath(item, summary.product)}>
            History
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
