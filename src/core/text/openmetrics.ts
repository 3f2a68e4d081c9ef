/**
 * Figures as the text that Prometheus and others read: OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/) or, for
 * scrapers that do not ask for it, Prometheus' own text format 0.0.4.
 */

export type Sample = { labels?: { [name: string]: string }; value: number };
/** Values of one name. A counter's `name` is without `_total`; with `unit`, a name ends in it. */
export type Family = {
  name: string;
  type: "gauge" | "counter" | "info";
  unit?: "bytes" | "seconds";
  /** One line, without quotes or backslashes. */
  help: string;
  /** When a counter was 0, in epoch milliseconds. */
  created_at?: number;
  samples: Sample[];
};

export const CONTENT_TYPES = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
} as const;
export type MetricsFormat = keyof typeof CONTENT_TYPES;

/** Families without samples are left out. */
export function metricsText(families: Family[], format: MetricsFormat): string {
  const lines = families
    .filter(({ samples }) => samples.length > 0)
    .flatMap(format === "openmetrics" ? openMetrics : prometheus);
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

const SUFFIXES = { gauge: "", counter: "_total", info: "_info" };

function openMetrics({ name, type, unit, help, created_at, samples }: Family): string[] {
  const created = created_at === undefined ? [] : [`${created_at / 1_000}`];
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
    ...samples.flatMap(({ labels, value }) => [
      `${name}${SUFFIXES[type]}${labelsText(labels)} ${value}`,
      ...created.map((at) => `${name}_created${labelsText(labels)} ${at}`),
    ]),
  ];
}

function prometheus({ name, type, help, samples }: Family): string[] {
  const whole = `${name}${SUFFIXES[type]}`;
  return [
    `# HELP ${whole} ${help}`,
    `# TYPE ${whole} ${type === "info" ? "gauge" : type}`,
    ...samples.map(({ labels, value }) => `${whole}${labelsText(labels)} ${value}`),
  ];
}

function labelsText(labels: Sample["labels"] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${labelValue(value)}"`);
  return pairs.length > 0 ? `{${pairs.join()}}` : "";
}

function labelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
