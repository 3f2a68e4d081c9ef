/**
 * `/metrics` for Prometheus and other scrapers. The page of metrics has the same address: who accepts HTML, or does not ask for one of the
 * two text formats, gets the page.
 */
import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { type AccessEnv, requires } from "../access/access.ts";
import { guard } from "../access/guard.ts";
import { dataHeaders } from "../access/headers.ts";
import { type Fleet, fleet, type ProductTotals } from "../catalog/fleet.ts";
import { MAX_MONITORED_ROWS } from "../catalog/limits.ts";
import type { Used } from "../core/access/budget.ts";
import { DAY_MS } from "../core/limits.ts";
import {
  CONTENT_TYPES,
  type Family,
  type MetricsFormat,
  metricsText,
  type Sample,
} from "../core/text/openmetrics.ts";
import { VERSION } from "../core/version.ts";
import { STATUSES } from "../core/vocabulary.ts";
import { dayOf, rowsOfDay } from "../registry/usage.ts";
import type { Env } from "../env.ts";
import { healthOf, type Parts } from "./health.ts";
import { answerError } from "./index.ts";
import { MAX_MONITORED_PRODUCTS } from "./limits.ts";

export const openMetrics = new Hono<AccessEnv>();

openMetrics.get("/metrics", async (c, next) =>
  formatFor(c) === undefined ? next() : scrapes.fetch(c.req.raw, c.env, c.executionCtx),
);

const scrapes = new Hono<AccessEnv>();
scrapes.onError(answerError);
scrapes.use(dataHeaders);
scrapes.use(guard);

scrapes.get("*", requires("read"), async (c) => {
  const format = formatFor(c) ?? "prometheus";
  const families = await familiesOf(c.env, c.var.access.product, Date.now());
  return c.body(metricsText(families, format), 200, { "content-type": CONTENT_TYPES[format] });
});

/** Undefined: the page. */
function formatFor(c: Context): MetricsFormat | undefined {
  const type = accepts(c, {
    header: "Accept",
    supports: ["text/html", "application/openmetrics-text", "text/plain"],
    default: "text/html",
  });
  if (type === "text/html") return undefined;
  return type === "text/plain" ? "prometheus" : "openmetrics";
}

/** `product`: of the caller's key. */
async function familiesOf(env: Env, product: string | null, now: number): Promise<Family[]> {
  const parts = await healthOf(env, now);
  const families = [
    ...infoOf(parts),
    // What is being rebuilt or cannot be read would be too low.
    ...(parts.catalog === "ok"
      ? fleetFamilies(await fleet(env.CATALOG, product ?? undefined))
      : []),
    // Usage is counted by key, not by product.
    ...(parts.registry === "ok" && product === null
      ? usageFamilies(await rowsOfDay(env.REGISTRY, now), dayOf(now) * DAY_MS)
      : []),
  ];
  return families.map((family) => ({ ...family, name: `datacat_${family.name}` }));
}

function infoOf(parts: Parts): Family[] {
  return [
    {
      name: "build",
      type: "info",
      help: "The version of the server.",
      samples: [{ labels: { version: VERSION }, value: 1 }],
    },
    {
      name: "component_healthy",
      type: "gauge",
      help: "1 if this part of the server works, else 0. Without the catalog there are no figures of sessions.",
      samples: Object.entries(parts).map(([component, part]) => ({
        labels: { component },
        value: part === "ok" ? 1 : 0,
      })),
    },
  ];
}

function fleetFamilies({ products, partial, catalog_bytes }: Fleet): Family[] {
  const totals = labelled(products);
  const each = (value: (counts: Counts) => number): Sample[] =>
    [...totals].map(([product, counts]) => ({ labels: { product }, value: value(counts) }));
  const split = (label: string, values: { [value: string]: (counts: Counts) => number }) =>
    Object.entries(values).flatMap(([name, value]) =>
      each(value).map((sample) => ({ ...sample, labels: { ...sample.labels, [label]: name } })),
    );
  const gauge = (name: string, help: string, samples: Sample[]): Family => ({
    name,
    type: "gauge",
    help,
    samples,
  });
  return [
    gauge(
      "sessions",
      `Sessions that the server holds, by status. Here and below, products after the ${MAX_MONITORED_PRODUCTS} used last are added up as ${OTHERS}; ${UNNAMED} is no name.`,
      split("status", Object.fromEntries(STATUSES.map((status) => [status, (n) => n[status]]))),
    ),
    gauge(
      "sessions_failed",
      "Those that ended with an error.",
      each((n) => n.failed),
    ),
    gauge(
      "sessions_ever_hung",
      "Those that hung at any time.",
      each((n) => n.ever_hung),
    ),
    gauge(
      "test_runs",
      "Test runs that are over, by result.",
      split("result", { passed: (n) => n.test_runs - n.failed_runs, failed: (n) => n.failed_runs }),
    ),
    gauge(
      "versions",
      "Versions with sessions.",
      each((n) => n.versions),
    ),
    gauge(
      "exception_groups",
      "Different exceptions.",
      each((n) => n.exception_groups),
    ),
    gauge(
      "exceptions",
      "Exceptions of the sessions that the server holds, by whether the program handled them.",
      split("handled", { true: (n) => n.exceptions - n.unhandled, false: (n) => n.unhandled }),
    ),
    {
      ...gauge(
        "stored_bytes",
        "Stored for sessions that are over.",
        each((n) => n.bytes),
      ),
      unit: "bytes",
    },
    {
      ...gauge(
        "last_session_start_timestamp_seconds",
        "When the newest session started.",
        each((n) => n.last_at / 1_000),
      ),
      unit: "seconds",
    },
    {
      ...gauge("catalog_bytes", "Size of the catalog's database.", [{ value: catalog_bytes }]),
      unit: "bytes",
    },
    gauge(
      "figures_partial",
      `1 if there are more than ${MAX_MONITORED_ROWS} days of versions, or different exceptions: the figures of products are then too low.`,
      [{ value: partial ? 1 : 0 }],
    ),
  ];
}

type Counts = Omit<ProductTotals, "product">;

/** The totals by the label of their product: added up for those that have the same. */
function labelled(products: ProductTotals[]): Map<string, Counts> {
  const totals = new Map<string, Counts>();
  for (const [index, { product, ...counts }] of products.entries()) {
    const label = index < MAX_MONITORED_PRODUCTS ? labelOf(product) : OTHERS;
    const before = totals.get(label);
    totals.set(label, before ? sumOf(before, counts) : counts);
  }
  return totals;
}

const OTHERS = "(others)";
const UNNAMED = "(none)";

/** Without control characters, which scrapers refuse. */
function labelOf(product: string): string {
  return product === "" ? UNNAMED : product.replace(/\p{Cc}/gu, "\uFFFD");
}

function sumOf(one: Counts, other: Counts): Counts {
  const sums = Object.entries(one).map(([name, count]) => [
    name,
    count + other[name as keyof Counts],
  ]);
  return {
    ...(Object.fromEntries(sums) as Counts), // the same names
    last_at: Math.max(one.last_at, other.last_at),
  };
}

function usageFamilies(used: Used, since: number): Family[] {
  const today = "since 00:00 UTC, as the limits of Cloudflare's plans count";
  return [
    {
      name: "sessions_opened",
      type: "counter",
      help: `Sessions opened ${today}.`,
      created_at: since,
      samples: [{ value: used.sessions }],
    },
    {
      name: "rows_written",
      type: "counter",
      help: `Rows written by session objects and in D1 ${today}.`,
      created_at: since,
      samples: [
        { labels: { database: "objects" }, value: used.object_rows },
        { labels: { database: "d1" }, value: used.d1_rows },
      ],
    },
    {
      name: "attachments_received_bytes",
      type: "counter",
      unit: "bytes",
      help: `Contents of attachments received ${today}.`,
      created_at: since,
      samples: [{ value: used.attachment_bytes }],
    },
  ];
}
