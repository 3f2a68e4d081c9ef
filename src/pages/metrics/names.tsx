/** The metrics that can be chosen, by their names. */
import { type MetricName, metricNames } from "../../catalog/metrics.ts";
import { fold } from "../../core/text/fold.ts";
import { formatNumber } from "../../core/text/format.ts";
import { asking } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { written } from "../filters.tsx";
import type { SessionSearch } from "../search.ts";
import { address } from "../ui/address.ts";
import { Empty, Unpublished } from "../ui/empty.tsx";
import { BY_NAME } from "../ui/order.ts";
import { titled } from "../ui/session-table.tsx";

type NamesProps = { db: D1Database; search: SessionSearch; typed?: string };

/** The metrics that can be chosen: those of the product, whose names contain what was typed. */
export async function Names({ db, search, typed = "" }: NamesProps) {
  const { product } = search.filter;
  const { cursor } = search.page;
  const { items, next } = await metricNames(db, { product, cursor });
  const names = items.filter(({ name }) => fold(name).includes(fold(typed)));
  const query = { metric: typed === "" ? undefined : asking(typed), product: written(product) };
  const last = items.at(-1)?.name ?? "";
  if (names.length === 0 && typed !== "" && next === null) return null;
  if (items.length === 0)
    return (
      <section class="panel" aria-label="All metrics">
        <Empty title={product === undefined ? "No metrics yet" : "No metrics of this product"}>
          <p>Gauges, counters, histograms and timers of programs are compared here.</p>
          <Unpublished figures />
        </Empty>
      </section>
    );
  return (
    <section class="panel" aria-labelledby="names-title">
      <header class="panel-header">
        <h2 id="names-title">Choose a metric</h2>
        <span class="count">{formatNumber(names.length)}</span>
        {next === null ? null : (
          <span class="quiet">{`in alphabetical order up to “${nameLabel(last)}”`}</span>
        )}
        {product === undefined ? null : (
          <span class="quiet">of {nameLabel(product, "the unnamed product")}</span>
        )}
      </header>
      <ul class="names">
        {inNameOrder(names).map(({ name, type, unit }) => (
          <li>
            <a
              href={address("/metrics", { ...query, metric: asking(name) })}
              title={titled(nameLabel(name))}
            >
              {nameLabel(name)}
            </a>{" "}
            <span class="quiet">
              {type}
              {unit ? `, ${nameLabel(unit)}` : ""}
            </span>
          </li>
        ))}
      </ul>
      {next === null && cursor === undefined ? null : (
        <footer class="list-foot">
          <nav class="pages" aria-label="Pages of the names">
            {cursor === undefined ? null : (
              <a class="tool" href={address("/metrics", query)}>
                « First names
              </a>
            )}
            {next === null ? null : (
              <a class="tool" rel="next" href={address("/metrics", { ...query, cursor: next })}>
                Further names ›
              </a>
            )}
          </nav>
        </footer>
      )}
    </section>
  );
}

function inNameOrder(names: MetricName[]): MetricName[] {
  return names.toSorted((a, b) => BY_NAME.compare(a.name, b.name));
}
