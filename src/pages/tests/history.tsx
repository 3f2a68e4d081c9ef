/** The history of one test: the runs of its product that had it. */
import { type Context, Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { type TestHistory, testHistory, type TestInRun } from "../../catalog/tests.ts";
import type { TestItem } from "../../core/answers/tests.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/text/format.ts";
import { asking, nameAsked } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { testName } from "../../core/tests/id.ts";
import { TEST_LABELS } from "../../core/tests/vocabulary.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { type Asked, askNames, Commit, historyOf } from "./table.tsx";

export const historyRoutes = new Hono<AccessEnv>();

historyRoutes.get("/tests/:key", async (c) => {
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
