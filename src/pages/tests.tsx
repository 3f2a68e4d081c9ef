/** The tests of a product over its runs: the runs, the flakiest and the slowest tests; and those that pass a query. */
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
  testRuns,
} from "../catalog/tests.ts";
import { formatDuration, formatNumber } from "../core/text/format.ts";
import { DAY_MS } from "../core/limits.ts";
import { asking, nameAsked } from "../core/text/names.ts";
import { nameLabel } from "../core/text/recorded-text.ts";
import { testName } from "../core/tests/id.ts";
import { parseQueryOf } from "../core/query/parse.ts";
import { isProduct, productOf } from "../core/tests/asked.ts";
import { PRODUCT_TEST_LIST } from "../core/tests/fields.ts";
import { fragment, isFragment, parametersBefore } from "./fragment.tsx";
import { inFields, type Shared, type Sharing, type Typed, whileTyping } from "./shared-fields.ts";
import { historyRoutes } from "./tests/history.tsx";
import { FoundPanel } from "./tests/search.tsx";
import {
  type Asked,
  askNames,
  Commit,
  FailureHeaders,
  Failures,
  listOf,
  MissingFailures,
  TestHeader,
} from "./tests/table.tsx";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { SearchField, SearchForm } from "./ui/search-form.tsx";
import { Select } from "./ui/select.tsx";
import { Time } from "./ui/time.tsx";

export const tests = new Hono<AccessEnv>();

type Fields = { product?: string };

/** The product may be named in the box. `isMoved`: it was, and stands in its field now. */
function readShared(c: Context): Typed<Fields> & { isMoved: boolean } {
  const now = Date.now();
  const asked = sharedIn(new URL(c.req.url).searchParams);
  const sharing: Sharing<Fields> = {
    parse: (text) => parseQueryOf(PRODUCT_TEST_LIST, text, now),
    fieldOf: ({ field }) => (isProduct(field) ? "product" : undefined),
    valueOf: productOf,
  };
  const before = isFragment(c) ? parametersBefore(c) : undefined;
  if (before) return { ...whileTyping(asked, sharedIn(before), sharing), isMoved: false };
  const shown = inFields(asked, sharing);
  return { ...shown, changed: new Set(), isMoved: !isFragment(c) && shown.query !== asked.query };
}

function sharedIn(query: URLSearchParams): Shared<Fields> {
  const product = query.get("product");
  return {
    fields: product ? { product: nameAsked(product) } : {},
    query: query.get("text")?.trim() ?? "",
  };
}

tests.get("/tests", async (c) => {
  const known = await versions(c.env.CATALOG);
  const { fields, query: text, changed, isMoved } = readShared(c);
  const product = fields.product ?? known.find((row) => row.test_runs > 0)?.product ?? "";
  const branch = c.req.query("branch") ? nameAsked(c.req.query("branch") ?? "") : undefined;
  if (isMoved) return c.redirect(listOf({ product, branch }, { text }));
  const asked: Asked = { product, branch };
  const all = await testRuns(c.env.CATALOG, { product });
  const title = ["Tests of", nameLabel(product, "unnamed"), text].filter(Boolean).join(" ");
  const answer = (
    <div id="answer" class="answer">
      {text === "" ? (
        <Overview c={c} asked={asked} all={all} />
      ) : (
        <FoundPanel c={c} asked={asked} text={text} />
      )}
    </div>
  );
  const box = <Box text={text} />;
  const products = <ProductSelect asked={asked} known={known} />;
  const branches = <BranchSelect asked={asked} all={all} />;
  if (isFragment(c)) {
    return fragment(
      c,
      { path: listOf(asked, { text }), title },
      <>
        {answer}
        {text === asText(c) ? null : (
          <hx-partial hx-target="#search-box" hx-swap="outerHTML">
            {box}
          </hx-partial>
        )}
        {changed.has("product") ? (
          <hx-partial hx-target="#products" hx-swap="outerHTML">
            {products}
          </hx-partial>
        ) : null}
        <hx-partial hx-target="#branches" hx-swap="outerHTML">
          {branches}
        </hx-partial>
      </>,
    );
  }
  return c.render(
    <>
      <h1 class="page-title">Tests</h1>
      <SearchForm path="/tests" label="Tests" target="#answer">
        <div class="search-main">
          {box}
          {products}
          {branches}
          <button class="button without-script">Show</button>
        </div>
      </SearchForm>
      {answer}
    </>,
    { title, here: "/tests", name: "list-page tests-page", styles: ["tests"] },
  );
});

function asText(c: Context): string {
  return c.req.query("text")?.trim() ?? "";
}

function Box({ text }: { text: string }) {
  return (
    <span id="search-box" class="search-box">
      <SearchField
        value={text}
        label="Search tests"
        placeholder="Text, or conditions as flaky:>2 last_failed:<7d file:door"
        suggestions="/suggest/tests"
      />
    </span>
  );
}

function ProductSelect({ asked: { product }, known }: { asked: Asked; known: VersionCounts[] }) {
  return (
    <Select
      id="products"
      name="product"
      label="Product"
      now={asking(product)}
      options={productsOf(known, product)}
    />
  );
}

/** The branches of the product. */
function BranchSelect({ asked: { branch }, all }: { asked: Asked; all: RunCounts[] }) {
  return (
    <Select
      id="branches"
      name="branch"
      label="Branch"
      now={branch === undefined ? "" : asking(branch)}
      options={branchOptions(branchesOf(all), branch)}
    />
  );
}

type OverviewProps = { c: Context<AccessEnv>; asked: Asked; all: RunCounts[] };

function Overview({ c, asked, all }: OverviewProps) {
  return (
    <>
      <Panel id="runs" title="Runs">
        {guarded("the runs", async () => (
          <Runs runs={asked.branch === undefined ? all : await testRuns(c.env.CATALOG, asked)} />
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
    </>
  );
}

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

type FlakyProps = { items: FlakyTest[]; partial: boolean; asked: Asked };

function Flaky({ items, partial, asked }: FlakyProps) {
  if (items.length === 0) return <Empty title="No test failed" />;
  return (
    <>
      <table class="test-table">
        <thead>
          <tr>
            <th scope="col">Test</th>
            <FailureHeaders />
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr>
              <TestHeader test={item.test} name={testName(item)} asked={asked} />
              <Failures
                test={item.test}
                flaky={item.flaky}
                failed={item.failed}
                at={item.last_at}
                session={item.session_id}
              />
            </tr>
          ))}
        </tbody>
      </table>
      {partial ? <MissingFailures /> : null}
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
            <TestHeader test={test} name={name} asked={asked} />
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

tests.route("/", historyRoutes);
