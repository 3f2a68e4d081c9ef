/** The tests of a product over its runs: the runs, the flakiest and the slowest tests; and the history of one test. */
import { type Context, Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { TREND_DAYS } from "../catalog/limits.ts";
import { type VersionCounts, versions } from "../catalog/products.ts";
import {
  branchesOf,
  type FlakyTest,
  flakyTests,
  type NamedSlowTest,
  namedSlowTests,
  type RunCounts,
  type TestHistory,
  testHistory,
  type TestInRun,
  testRuns,
} from "../catalog/tests.ts";
import type { TestItem } from "../core/answers.ts";
import { formatCount, formatDuration, formatNumber } from "../core/text/format.ts";
import { DAY_MS } from "../core/limits.ts";
import { asking, nameAsked } from "../core/text/names.ts";
import { nameLabel } from "../core/text/recorded-text.ts";
import { testName } from "../core/tests/id.ts";
import { TEST_LABELS } from "../core/tests/vocabulary.ts";
import { sessionOf } from "../session/client.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { Select } from "./ui/select.tsx";
import { Time } from "./ui/time.tsx";

export const tests = new Hono<AccessEnv>();

type Asked = { product: string; branch?: string | undefined };

/** The product that is asked for, or the one with the newest test run. */
function productAsked(query: Record<string, string>, known: VersionCounts[]): string {
  if (query.product) return nameAsked(query.product);
  return known.find((row) => row.test_runs > 0)?.product ?? "";
}

function askNames(c: Context<AccessEnv>) {
  return (id: string, keys: string[]) =>
    sessionOf(c.env, c.var.access, id).ask("tests", { keys, limit: keys.length });
}

tests.get("/tests", async (c) => {
  const known = await versions(c.env.CATALOG);
  const product = productAsked(c.req.query(), known);
  const branch = c.req.query("branch") ? nameAsked(c.req.query("branch") ?? "") : undefined;
  const asked: Asked = { product, branch };
  const all = await testRuns(c.env.CATALOG, { product });
  const title = `Tests of ${nameLabel(product, "unnamed")}`;
  return c.render(
    <>
      <h1 class="page-title">Tests</h1>
      <form class="search panel" method="get" action="/tests" role="search" aria-label="Tests">
        <div class="search-main">
          <Select
            name="product"
            label="Product"
            now={asking(product)}
            options={productsOf(known, product)}
          />
          <Select
            name="branch"
            label="Branch"
            now={branch === undefined ? "" : asking(branch)}
            options={branchOptions(branchesOf(all), branch)}
          />
          <button class="button">Show</button>
        </div>
      </form>
      <Panel id="runs" title="Runs">
        {guarded("the runs", async () => (
          <Runs runs={branch === undefined ? all : await testRuns(c.env.CATALOG, asked)} />
        ))}
      </Panel>
      <div class="columns">
        <Panel id="flaky" title="Flaky and failing" aside={<FlakyNote />}>
          {guarded("the flaky tests", async () => {
            const from = Date.now() - TREND_DAYS * DAY_MS;
            const { items, partial } = await flakyTests(c.env.CATALOG, asked, from);
            return <Flaky items={items} partial={partial} asked={asked} />;
          })}
        </Panel>
        <Panel
          id="slowest"
          title="Slowest"
          aside={<span class="quiet">mean of the last runs</span>}
        >
          {guarded("the slowest tests", async () => (
            <Slowest
              items={await namedSlowTests(c.env.CATALOG, asked, askNames(c))}
              asked={asked}
            />
          ))}
        </Panel>
      </div>
    </>,
    { title, here: "/tests", name: "list-page tests-page", styles: ["tests"] },
  );
});

function FlakyNote() {
  return <span class="quiet">in the last {TREND_DAYS} days</span>;
}

function productsOf(known: VersionCounts[], product: string): Record<string, string> {
  const names = new Set([
    product,
    ...known.filter((row) => row.test_runs > 0).map((row) => row.product),
  ]);
  return Object.fromEntries([...names].map((name) => [asking(name), nameLabel(name, "unnamed")]));
}

function branchOptions(branches: string[], branch: string | undefined): Record<string, string> {
  const names = new Set([...branches, ...(branch ? [branch] : [])]);
  return {
    "": "Any branch",
    ...Object.fromEntries([...names].map((name) => [asking(name), nameLabel(name)])),
  };
}

function historyOf(test: string, { product, branch }: Asked): string {
  return address(`/tests/${test}`, {
    product: asking(product),
    branch: branch === undefined ? undefined : asking(branch),
  });
}

type FlakyProps = { items: FlakyTest[]; partial: boolean; asked: Asked };

function Flaky({ items, partial, asked }: FlakyProps) {
  if (items.length === 0) return <Empty title="No test failed" />;
  return (
    <>
      <table class="test-table">
        <thead>
          <tr>
            <th scope="col">Test</th>
            <th scope="col" class="number">
              <abbr title="Runs in which it passed only after an attempt that failed">Flaky</abbr>
            </th>
            <th scope="col" class="number">
              <abbr title="Runs in which it failed or had an error">Failed</abbr>
            </th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr>
              <th scope="row">
                <a class="test-name" href={historyOf(item.test, asked)}>
                  {nameLabel(testName(item))}
                </a>
              </th>
              <td class="number">{formatNumber(item.flaky)}</td>
              <td class="number">{formatNumber(item.failed)}</td>
              <td>
                <a href={`/sessions/${encodeURIComponent(item.session_id)}/tests/${item.test}`}>
                  <Time at={item.last_at} show="age" />
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {partial ? (
        <p class="panel-note quiet">
          There are more failures than are read; some tests are missing.
        </p>
      ) : null}
    </>
  );
}

function Slowest({ items, asked }: { items: NamedSlowTest[]; asked: Asked }) {
  if (items.length === 0) return <Empty title="No test is slow" />;
  return (
    <table class="test-table">
      <thead>
        <tr>
          <th scope="col">Test</th>
          <th scope="col" class="number">
            Duration
          </th>
          <th scope="col" class="number">
            Runs
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ test, name, duration_ms, runs }) => (
          <tr>
            <th scope="row">
              <a class="test-name" href={historyOf(test, asked)}>
                {nameLabel(name)}
              </a>
            </th>
            <td class="number">{formatDuration(duration_ms)}</td>
            <td class="number">{formatNumber(runs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Runs({ runs }: { runs: RunCounts[] }) {
  if (runs.length === 0)
    return (
      <Empty title="No test runs that are over">
        <p>
          Plugins of test runners record them: <a href="/docs/tests">how</a>.
        </p>
      </Empty>
    );
  return (
    <table class="test-table">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col" class="number">
            Tests
          </th>
          <th scope="col" class="number">
            Failed
          </th>
          <th scope="col" class="number">
            Flaky
          </th>
          <th scope="col">Branch</th>
          <th scope="col">Commit</th>
          <th scope="col">Version</th>
        </tr>
      </thead>
      <tbody>
        {runs.map(({ session_id, created_at, branch, commit_id, version, run }) => (
          <tr>
            <th scope="row">
              <a href={`/sessions/${encodeURIComponent(session_id)}`}>
                <Time at={created_at} />
              </a>
            </th>
            <td class="number">{formatNumber(run.tests)}</td>
            <td class="number" data-test={run.not_passed + run.suites > 0 ? "failed" : undefined}>
              {formatNumber(run.not_passed + run.suites)}
            </td>
            <td class="number">{formatNumber(run.flaky)}</td>
            <td>{nameLabel(branch, "–")}</td>
            <td>
              <Commit id={commit_id} />
            </td>
            <td>{nameLabel(version, "–")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Characters of a commit that people compare. */
const COMMIT_LENGTH = 12;

function Commit({ id }: { id: string }) {
  if (id === "") return <span class="quiet">–</span>;
  return <code title={nameLabel(id)}>{nameLabel(id.slice(0, COMMIT_LENGTH))}</code>;
}

tests.get("/tests/:key", async (c) => {
  const { product = "", branch } = c.req.query();
  const asked: Asked = {
    product: nameAsked(product),
    branch: branch ? nameAsked(branch) : undefined,
  };
  const history = await testHistory(c.env.CATALOG, c.req.param("key"), asked);
  const name = await nameOf(c, history);
  return c.render(
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={address("/tests", { product: asking(asked.product) })}>Tests</a>
        {asked.branch === undefined ? null : (
          <a href={historyOf(history.key, { product: asked.product })}>All branches</a>
        )}
      </nav>
      <h1 class="page-title test-title">{nameLabel(name)}</h1>
      <HistorySummary history={history} />
      <Panel id="history" title="Runs">
        <History history={history} />
      </Panel>
    </>,
    {
      title: `History of ${name}`,
      here: "/tests",
      name: "list-page tests-page",
      styles: ["tests"],
    },
  );
});

/** A test that never failed is named by the object of its newest run. */
async function nameOf(c: Context<AccessEnv>, { id, file, key, runs }: TestHistory) {
  if (id) return testName({ id, file });
  const [newest] = runs;
  if (!newest) return key;
  try {
    const { items } = await askNames(c)(newest.session_id, [key]);
    return items.find((item: TestItem) => item.key === key)?.name ?? key;
  } catch {
    return key; // its session was deleted
  }
}

function HistorySummary({ history: { runs, failing_since } }: { history: TestHistory }) {
  const failed = runs.filter(({ result }) => result === "failed" || result === "error").length;
  const flaky = runs.filter(({ result }) => result === "flaky").length;
  const durations = runs.flatMap(({ duration_ms }) => duration_ms ?? []);
  const mean = durations.reduce((sum, each) => sum + each, 0) / durations.length;
  return (
    <dl class="properties panel">
      <div>
        <dt>Runs</dt>
        <dd>{formatNumber(runs.length)}</dd>
      </div>
      <div>
        <dt>Failed</dt>
        <dd>{shareOf(failed, runs.length)}</dd>
      </div>
      <div>
        <dt>Flaky</dt>
        <dd>{shareOf(flaky, runs.length)}</dd>
      </div>
      {durations.length === 0 ? null : (
        <div>
          <dt>Mean duration</dt>
          <dd>{formatDuration(mean)}</dd>
        </div>
      )}
      {failing_since === null ? null : (
        <div>
          <dt>Failing since</dt>
          <dd>
            <RunLink run={failing_since} /> <Commit id={failing_since.commit_id} />
          </dd>
        </div>
      )}
    </dl>
  );
}

function shareOf(count: number, all: number): string {
  if (all === 0) return "–";
  const percent = (count / all) * 100;
  return `${formatNumber(count)} of ${formatCount(all, "run")} (${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %)`;
}

function RunLink({ run: { session_id, created_at } }: { run: TestInRun }) {
  return (
    <a href={`/sessions/${encodeURIComponent(session_id)}`}>
      <Time at={created_at} />
    </a>
  );
}

function History({ history: { key, product, runs } }: { history: TestHistory }) {
  if (runs.length === 0)
    return (
      <Empty title="No run of this product had this test">
        <p>A run is listed here when it is over.</p>
      </Empty>
    );
  const longest = Math.max(1, ...runs.map(({ duration_ms }) => duration_ms ?? 0));
  return (
    <table class="test-table">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">Result</th>
          <th scope="col" class="number">
            Duration
          </th>
          <th scope="col">Branch</th>
          <th scope="col">Commit</th>
          <th scope="col">Version</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr>
            <th scope="row">
              <RunLink run={run} />
            </th>
            <td>
              <a
                class="test-result"
                data-test={run.result}
                href={`/sessions/${encodeURIComponent(run.session_id)}/tests/${key}`}
              >
                {TEST_LABELS[run.result]}
              </a>{" "}
              {nameLabel(run.text, "")}
            </td>
            <td class="number">
              {run.duration_ms === null ? (
                "–"
              ) : (
                <>
                  <meter min={0} max={longest} value={run.duration_ms} aria-hidden="true"></meter>{" "}
                  {formatDuration(run.duration_ms)}
                </>
              )}
            </td>
            <td>
              {run.branch === "" ? (
                "–"
              ) : (
                <a href={historyOf(key, { product, branch: run.branch })}>
                  {nameLabel(run.branch)}
                </a>
              )}
            </td>
            <td>
              <Commit id={run.commit_id} />
            </td>
            <td>{nameLabel(run.version, "–")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
