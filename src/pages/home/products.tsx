/** The products of the home page: a row per version, compared with the version before. */
import { nameLabel } from "../../core/text/recorded-text.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { inVersionOrder } from "../../core/query/order.ts";
import { asking } from "../../core/text/names.ts";
import type { StatusKind } from "../../catalog/search/filter.ts";
import type { VersionCounts, VersionDay } from "../../catalog/products.ts";
import {
  HOME_VERSIONS,
  MIN_CHANGE_POINTS,
  MIN_SESSIONS_FOR_CHANGE,
  SIGNIFICANT_Z,
} from "../limits.ts";
import { TREND_DAYS } from "../../catalog/limits.ts";
import { address } from "../ui/address.ts";
import { Rate } from "../ui/rate.tsx";
import { titled } from "../ui/session-table.tsx";
import { DAY_MS } from "../../core/limits.ts";
import { Trend } from "../ui/sparkline.tsx";
import { StatusIcon } from "../ui/status.tsx";
import { Time } from "../ui/time.tsx";

type ProductsProps = { counts: VersionCounts[]; days: VersionDay[]; now: number };

/** One table for all products: a product's versions are one group, with its name in the first row. */
export function Products({ counts, days, now }: ProductsProps) {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const hasRuns = counts.some((row) => row.test_runs > 0);
  const products = [...Map.groupBy(counts, ({ product }) => product).values()];
  return (
    <section class="panel" aria-labelledby="products-title">
      <header class="panel-header">
        <h2 id="products-title">Products</h2>
        <span class="count">
          {formatCount(
            counts.reduce((sum, row) => sum + row.sessions, 0),
            "session",
          )}
        </span>
      </header>
      {products.map((versionsOf) => (
        <Regression versionsOf={versionsOf} />
      ))}
      <div class="scroller">
        <table class="versions">
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col">Version</th>
              <th scope="col" class="number">
                Sessions
              </th>
              <th scope="col" class="number">
                <abbr title="Running or hung">Running</abbr>
              </th>
              <th scope="col" class="number">
                Crash-free
              </th>
              <th scope="col" class="number">
                <abbr title="Neither crashed nor failed. A session failed if it ended with an exit code other than 0, by a signal, after an exception that nothing caught, or with tests that failed.">
                  Failure-free
                </abbr>
              </th>
              <th scope="col" class="number">
                Hang-free
              </th>
              {hasRuns ? (
                <th scope="col" class="number">
                  <abbr title="Sessions with tests that are over, and neither crashed nor failed">
                    Test runs passed
                  </abbr>
                </th>
              ) : null}
              <th scope="col">Last {TREND_DAYS} days</th>
              <th scope="col">Newest</th>
            </tr>
          </thead>
          {products.map((versionsOf) => (
            <tbody>
              {versionsOf.slice(0, HOME_VERSIONS).map((row, index) => (
                <Version
                  row={row}
                  before={versionBefore(row, versionsOf)}
                  older={versionsOf.length - HOME_VERSIONS}
                  isFirst={index === 0}
                  hasRuns={hasRuns}
                  days={days.filter(
                    (day) => day.product === row.product && day.version === row.version,
                  )}
                  today={today}
                />
              ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

/** The version that a version is compared with: the next lower one of the same product, if it has a name. */
function versionBefore(row: VersionCounts, versionsOf: VersionCounts[]): VersionCounts | undefined {
  if (row.version === "") return undefined;
  const ordered = inVersionOrder(versionsOf);
  return ordered[ordered.indexOf(row) - 1];
}

/** Shown when the newest version crashes significantly more often than the one before. */
function Regression({ versionsOf }: { versionsOf: VersionCounts[] }) {
  const newest = inVersionOrder(versionsOf).findLast(({ version }) => version !== "");
  const before = newest && versionBefore(newest, versionsOf);
  if (!newest || !before || !isWorse(newest, before)) return null;
  return (
    <p class="panel-note regression">
      <StatusIcon status="crashed" />{" "}
      {`${nameLabel(newest.product, "unnamed")} ${nameLabel(newest.version, "no version")} crashes more than ${nameLabel(before.version, "no version")}: ${crashShare(newest)} vs ${crashShare(before)} of sessions.`}
    </p>
  );
}

/** One-sided test of two proportions at the 5 % level. */
function isWorse(newest: VersionCounts, before: VersionCounts): boolean {
  const difference = newest.crashed / newest.sessions - before.crashed / before.sessions;
  const pooled = (newest.crashed + before.crashed) / (newest.sessions + before.sessions);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / newest.sessions + 1 / before.sessions));
  return error > 0 && difference / error > SIGNIFICANT_Z;
}

function crashShare({ crashed, sessions }: VersionCounts): string {
  return `${((crashed / sessions) * 100).toFixed(1)} %`;
}

type VersionProps = {
  row: VersionCounts;
  before: VersionCounts | undefined;
  /** How many more versions the product has than are shown. */
  older: number;
  isFirst: boolean;
  /** The table has a column for test runs. */
  hasRuns: boolean;
  days: VersionDay[];
  today: number;
};

function Version({ row, before, older, isFirst, hasRuns, days, today }: VersionProps) {
  const { product, version, sessions, crashed, failed, ever_hung, test_runs, failed_runs } = row;
  const named = { product: asking(product), version: asking(version) };
  const listed = (...status: StatusKind[]) =>
    address("/sessions", { ...named, status: status.join(",") });
  const running = runningOf(row);
  return (
    <tr>
      {isFirst ? (
        <th scope="rowgroup">
          <a
            class="product"
            href={address("/sessions", { product: named.product })}
            title={titled(product)}
          >
            {nameLabel(product, "unnamed")}
          </a>
          {older > 0 ? <small class="quiet"> +{formatCount(older, "older version")}</small> : null}
        </th>
      ) : (
        <td></td>
      )}
      <th scope="row">
        <a href={address("/sessions", named)} title={titled(version)}>
          {nameLabel(version, "no version")}
        </a>
      </th>
      <td class="number">{formatNumber(sessions)}</td>
      <td class="number">{running === 0 ? <span class="quiet">–</span> : formatNumber(running)}</td>
      <td class="number">
        <Change row={row} before={before} />
        <a class="plain" href={listed("crashed")}>
          <Rate whole={sessions} failed={crashed} label="did not crash" />
        </a>
      </td>
      <td class="number">
        <a class="plain" href={listed("crashed", "failed")}>
          <Rate whole={sessions} failed={crashed + failed} label="neither crashed nor failed" />
        </a>
      </td>
      <td class="number">
        <a class="plain" href={listed("ever_hung")}>
          <Rate whole={sessions} failed={ever_hung} label="never hung" />
        </a>
      </td>
      {hasRuns ? (
        <td class="number">
          {test_runs === 0 ? (
            <span class="quiet">–</span>
          ) : (
            <a class="plain" href={address("/tests", { product: named.product })}>
              <Rate
                whole={test_runs}
                failed={failed_runs}
                label="with tests neither crashed nor failed"
              />
            </a>
          )}
        </td>
      ) : null}
      <td>
        <Trend
          days={days.map((day) => ({
            at: day.day_at,
            all: day.sessions,
            bad: day.crashed + day.failed,
          }))}
          from={today - (TREND_DAYS - 1) * DAY_MS}
          to={today}
          label={`Sessions of ${nameLabel(version || product)} per day, and those that crashed or failed`}
        />
      </td>
      <td>
        <Time at={row.last_at} show="age" />
      </td>
    </tr>
  );
}

/** The change of the crash-free share since the version before, in percentage points. */
function Change({ row, before }: { row: VersionCounts; before: VersionCounts | undefined }) {
  if (!before || Math.min(row.sessions, before.sessions) < MIN_SESSIONS_FOR_CHANGE) return null;
  const points = (before.crashed / before.sessions - row.crashed / row.sessions) * 100;
  if (Math.abs(points) < MIN_CHANGE_POINTS) return null;
  const way = points > 0 ? "up" : "down";
  return (
    <small class="change-since" data-way={way}>
      <span aria-hidden="true">{way === "up" ? "▲" : "▼"}</span>
      <span class="hidden">{way}</span> {Math.abs(points).toFixed(1)} pts vs{" "}
      {nameLabel(before.version, "no version")}
    </small>
  );
}

export function runningOf({ active, hung }: VersionCounts): number {
  return active + hung;
}
