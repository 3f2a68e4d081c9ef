/** Before a metric is chosen: those that most of the newest sessions have, with their figures and their course. */
import { type RecentMetric, recentMetrics } from "../../catalog/recent.ts";
import type { SessionFilter } from "../../catalog/search/filter.ts";
import { formatCount, formatNumber, formatQuantity } from "../../core/text/format.ts";
import { asking } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { endStep } from "../../core/text/scale.ts";
import { OVERVIEW_METRICS, OVERVIEW_SESSIONS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Panel } from "../ui/panel.tsx";
import { titled } from "../ui/session-table.tsx";
import { Sparkline } from "../ui/sparkline.tsx";
import { type Question, questionQuery } from "./question.ts";

type OverviewProps = { db: D1Database; question: Question; filter: SessionFilter };

export async function Overview({ db, question, filter }: OverviewProps) {
  const size = { sessions: OVERVIEW_SESSIONS, limit: OVERVIEW_METRICS };
  const { items, metrics, sessions } = await recentMetrics(db, filter, size);
  if (items.length === 0) return null;
  return (
    <Panel
      id="overview"
      title="Most recorded"
      aside={
        <span class="quiet">
          {`${items.length < metrics ? `${formatNumber(items.length)} of ` : ""}${formatCount(metrics, "metric")} in the ${sessions === 1 ? "newest session" : `newest ${formatNumber(sessions)} sessions`} that have any`}
        </span>
      }
    >
      <div class="scroller" tabindex={0} role="group" aria-label="Most recorded">
        <table class="plain-table overview">
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col">Type</th>
              <th scope="col" class="number">
                Sessions
              </th>
              <th scope="col" class="number">
                Points
              </th>
              <th scope="col" class="number">
                Min
              </th>
              <th scope="col" class="number">
                Max
              </th>
              <th scope="col" class="number">
                Last
              </th>
              <th scope="col">Newest session</th>
            </tr>
          </thead>
          <tbody>
            {items.map((metric) => (
              <Row metric={metric} question={question} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function Row({ metric, question }: { metric: RecentMetric; question: Question }) {
  const { name, type, sessions, points, min, max, last, rollup } = metric;
  const unit = nameLabel(metric.unit, "");
  const step = endStep(min, max, unit);
  const chosen = { ...questionQuery(question), metric: asking(name) };
  return (
    <tr>
      <th scope="row">
        <a href={address("/metrics", chosen)} title={titled(nameLabel(name))}>
          {nameLabel(name)}
        </a>
      </th>
      <td>{type}</td>
      <td class="number">{formatNumber(sessions)}</td>
      <td class="number">{formatNumber(points)}</td>
      <td class="number">{formatQuantity(min, unit, step)}</td>
      <td class="number">{formatQuantity(max, unit, step)}</td>
      <td class="number">{formatQuantity(last, unit, step)}</td>
      <td>{rollup ? <Sparkline rollup={rollup} name={nameLabel(name)} unit={unit} /> : null}</td>
    </tr>
  );
}
