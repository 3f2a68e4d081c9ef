/** The tree of files, suites and tests with their counts. A level is fetched when it is unfolded; without script it is a page of the list. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/text/format.ts";
import type { TestSuite } from "../../core/answers/tests.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import type { AnswerOf } from "../../core/questions/questions.ts";
import type { SessionClient } from "../../session/client.ts";
import { SUITE_ROWS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { testPath } from "./test-account.tsx";
import { sessionIn } from "./view.ts";

type Level = AnswerOf<"testSuites">;
/** `isPart`: of the report, which has a heading of its own. */
type SuitesProps = { session: SessionClient; suites: Level; prefix: string[]; isPart?: boolean };

export function Suites({ session, suites, prefix, isPart }: SuitesProps) {
  return (
    <section class="test-part suites" aria-labelledby="suites-title">
      {isPart ? (
        <h3 id="suites-title">Files and suites</h3>
      ) : (
        <h2 id="suites-title">Files and suites</h2>
      )}
      <SuiteLevel id={session.id} level={suites} prefix={prefix} />
    </section>
  );
}

type LevelProps = { id: string; level: Level; prefix: string[] };

function SuiteLevel({ id, level: { items, left_out }, prefix }: LevelProps) {
  if (items.length === 0) return <p class="quiet panel-note">None</p>;
  const more = Math.max(0, items.length - SUITE_ROWS) + left_out;
  return (
    <ul class="suite-list">
      {items.slice(0, SUITE_ROWS).map((suite) => (
        <Suite id={id} suite={suite} prefix={prefix} />
      ))}
      {more > 0 ? (
        <li class="quiet">
          {formatCount(more, "further file or suite", "further files or suites")} not listed:{" "}
          <a href={address(`/sessions/${id}/tests`, { suite: JSON.stringify(prefix) })}>
            search the tests
          </a>
        </li>
      ) : null}
    </ul>
  );
}

function Suite({ id, suite, prefix }: { id: string; suite: TestSuite; prefix: string[] }) {
  const { part, key, has_more } = suite;
  const path = JSON.stringify([...prefix, part]);
  const label = (
    <>
      <span class="test-name">{nameLabel(part)}</span> <Counts suite={suite} />
    </>
  );
  if (!has_more && key !== null)
    return (
      <li data-failed={suite.failed > 0 ? "" : undefined}>
        <a href={testPath(id, { key })}>{label}</a>
      </li>
    );
  return (
    <li data-failed={suite.failed > 0 ? "" : undefined}>
      <details>
        <summary>{label}</summary>
        <p
          hx-get={address(`/sessions/${id}/tests/suites`, { suite: path })}
          hx-trigger="intersect once"
          hx-swap="outerHTML"
        >
          <a href={address(`/sessions/${id}/tests`, { suite: path })}>
            Show {formatCount(suite.tests, "test")}
          </a>
        </p>
      </details>
    </li>
  );
}

function Counts({ suite }: { suite: TestSuite }) {
  const { tests, failed, skipped, flaky, running, duration_ms, has_more } = suite;
  const passed = tests - failed - skipped - running;
  const counts = [
    [failed, "failed", "failed"],
    [flaky, "flaky", "flaky"],
    [running, "running", "running"],
    [skipped, "skipped", "skipped"],
    [passed, "passed", "passed"],
  ] as const;
  return (
    <span class="suite-counts">
      {counts
        .filter(([count]) => count > 0)
        .map(([count, label, result]) => (
          <span data-test={result}>{has_more ? `${formatNumber(count)} ${label}` : label}</span>
        ))}
      <span class="quiet">{formatDuration(duration_ms)}</span>
    </span>
  );
}

export const suiteRoutes = new Hono<AccessEnv>();

suiteRoutes.get("/sessions/:id/tests/suites", async (c) => {
  let prefix: string[] = [];
  try {
    const parts: unknown = JSON.parse(c.req.query("suite") ?? "[]");
    if (Array.isArray(parts)) prefix = parts.filter((part) => typeof part === "string");
  } catch {
    // Any other text is no suite: all suites are listed.
  }
  const session = sessionIn(c);
  const level = await session.ask("testSuites", { prefix });
  return c.html(<SuiteLevel id={session.id} level={level} prefix={prefix} />);
});
