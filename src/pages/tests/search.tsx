/** The tests of a product that pass a query. */
import type { Context } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { TREND_DAYS } from "../../catalog/limits.ts";
import { findTests, type FoundTests } from "../../catalog/tests.ts";
import { DAY_MS } from "../../core/limits.ts";
import { parseQueryOf } from "../../core/query/parse.ts";
import { Refusal } from "../../core/refusal.ts";
import { ofOneProduct } from "../../core/tests/asked.ts";
import { PRODUCT_TEST_LIST } from "../../core/tests/fields.ts";
import { TEST_LABELS } from "../../core/tests/vocabulary.ts";
import { formatDuration } from "../../core/text/format.ts";
import { TEST_ROWS } from "../limits.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded, Panel } from "../ui/panel.tsx";
import { NotUnderstood, readBox } from "../ui/search-form.tsx";
import {
  type Asked,
  askTests,
  FailureHeaders,
  Failures,
  listOf,
  MissingFailures,
  TestHeader,
} from "./table.tsx";

type SearchProps = { c: Context<AccessEnv>; asked: Asked; text: string };

export function FoundPanel({ c, asked, text }: SearchProps) {
  return (
    <Panel
      id="found"
      title="Tests found"
      aside={<span class="quiet">in the last run; failures of the last {TREND_DAYS} days</span>}
    >
      {guarded("the tests", async () => {
        const now = Date.now();
        const read = readBox(() => ofOneProduct(parseQueryOf(PRODUCT_TEST_LIST, text, now)));
        if (read instanceof Refusal) return <NotUnderstood query={text} refusal={read} />;
        const search = {
          query: read.query,
          from: now - TREND_DAYS * DAY_MS,
          cursor: c.req.query("cursor"),
          limit: TEST_ROWS,
        };
        const found = await findTests(c.env.CATALOG, asked, search, askTests(c));
        return <Found found={found} asked={asked} text={text} />;
      })}
    </Panel>
  );
}

type FoundProps = { found: FoundTests; asked: Asked; text: string };

function Found({ found: { items, next, partial }, asked, text }: FoundProps) {
  return (
    <>
      {items.length === 0 ? (
        <Empty title="No tests match these filters" />
      ) : (
        <div class="scroller">
          <table class="test-table">
            <thead>
              <tr>
                <th scope="col">Test</th>
                <th scope="col">Result</th>
                <th scope="col" class="number">
                  Duration
                </th>
                <FailureHeaders />
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <tr>
                  <TestHeader test={item.key} name={item.name} asked={asked} />
                  <td>
                    {item.result === null ? (
                      <span class="quiet">not in the last run</span>
                    ) : (
                      <span class="test-result" data-test={item.result}>
                        {TEST_LABELS[item.result]}
                      </span>
                    )}
                  </td>
                  <td class="number">
                    {item.duration_ms === null ? "–" : formatDuration(item.duration_ms)}
                  </td>
                  <Failures
                    test={item.key}
                    flaky={item.flaky}
                    failed={item.failed}
                    at={item.last_failed_at}
                    session={item.failed_in}
                  />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {partial ? <MissingFailures /> : null}
      {next === null ? null : (
        <footer class="list-foot">
          <a class="tool" rel="next" href={listOf(asked, { text, cursor: next })}>
            Next ›
          </a>
        </footer>
      )}
    </>
  );
}
