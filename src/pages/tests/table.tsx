/** What the tables of a product's tests have in common: columns, addresses, commits. */
import type { Context } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { TestsQuery } from "../../core/tests/table.ts";
import { formatNumber } from "../../core/text/format.ts";
import { asking } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { sessionOf } from "../../session/client.ts";
import { address } from "../ui/address.ts";
import { Time } from "../ui/time.tsx";

export type Asked = { product: string; branch?: string | undefined };

/** The address of the page. */
export function listOf(
  { product, branch }: Asked,
  more: { text?: string; cursor?: string },
): string {
  return address("/tests", {
    product: asking(product),
    branch: branch === undefined ? undefined : asking(branch),
    ...more,
  });
}

export function historyOf(test: string, { product, branch }: Asked): string {
  return address(`/tests/${test}`, {
    product: asking(product),
    branch: branch === undefined ? undefined : asking(branch),
  });
}

export function askTests(c: Context<AccessEnv>) {
  return (id: string, query: TestsQuery) => sessionOf(c.env, c.var.access, id).ask("tests", query);
}

export function askNames(c: Context<AccessEnv>) {
  return (id: string, keys: string[]) => askTests(c)(id, { keys, limit: keys.length });
}

export function MissingFailures() {
  return (
    <p class="panel-note quiet">There are more failures than are read; some tests are missing.</p>
  );
}

/** Headers of the columns of Failures. */
export function FailureHeaders() {
  return (
    <>
      <th scope="col" class="number">
        <abbr title="Runs in which it passed only after an attempt that failed">Flaky</abbr>
      </th>
      <th scope="col" class="number">
        <abbr title="Runs in which it failed or had an error">Failed</abbr>
      </th>
      <th scope="col">Last</th>
    </>
  );
}

type FailuresProps = {
  test: string;
  flaky: number;
  failed: number;
  at: number | null;
  session: string | null;
};

export function Failures({ test, flaky, failed, at, session }: FailuresProps) {
  return (
    <>
      <td class="number">{formatNumber(flaky)}</td>
      <td class="number">{formatNumber(failed)}</td>
      <td>
        {at === null || session === null ? (
          "–"
        ) : (
          <a href={`/sessions/${encodeURIComponent(session)}/tests/${test}`}>
            <Time at={at} show="age" />
          </a>
        )}
      </td>
    </>
  );
}

/** The name of a test as the header of a row, with a link to its history. */
export function TestHeader({ test, name, asked }: { test: string; name: string; asked: Asked }) {
  return (
    <th scope="row">
      <a class="test-name" href={historyOf(test, asked)}>
        {nameLabel(name)}
      </a>
    </th>
  );
}

/** Characters of a commit that people compare. */
const COMMIT_LENGTH = 12;

export function Commit({ id }: { id: string }) {
  if (id === "") return <span class="quiet">–</span>;
  return <code title={nameLabel(id)}>{nameLabel(id.slice(0, COMMIT_LENGTH))}</code>;
}
