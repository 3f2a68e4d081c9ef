/** A believable publication: one run of a game. Set only what matters to the test. */
import type { Publication } from "../../src/catalog/tables/publication.ts";
import { ownTexts, searchedOf } from "../../src/core/session/searched.ts";

export type Overrides = { session?: Partial<Publication["session"]> } & Partial<
  Omit<Publication, "session">
>;

export const NOON = Date.UTC(2026, 10, 23, 12);

export function publication(id: string, overrides: Overrides = {}): Publication {
  const whole = unsearchable(id, overrides);
  const { session } = whole;
  const tags = JSON.parse(session.tags) as string[];
  const search = ownTexts({ ...session, tags }).join("\n");
  return {
    ...whole,
    searched: searchedOf({ ...whole, texts: textsOf(whole) }).searched,
    session: { ...session, search },
  };
}

function textsOf({ texts }: Publication) {
  const of = (kind: string) => texts.filter((text) => text.kind === kind);
  const data = of("data").map(({ name, ...text }) => ({ ...text, name: name ?? "" }));
  return { messages: of("message"), output: of("output"), data };
}

function unsearchable(id: string, overrides: Overrides): Publication {
  const at = overrides.session?.created_at ?? NOON;
  const status = overrides.session?.status ?? "active";
  return {
    scope: "all",
    metrics: [],
    event_counts: [],
    exceptions: [],
    state_values: [],
    attachments: [],
    tests: [],
    texts: [],
    searched: "",
    test_parts: [],
    failed_tests: [],
    ...overrides,
    session: {
      id,
      created_at: at,
      product: "game",
      version: "1.0",
      status,
      is_open: !["ended", "crashed"].includes(status),
      failed: false,
      ever_hung: false,
      recovered: false,
      machine_id: "machine-1",
      boot_id: "boot-1",
      hostname: "workshop",
      browser: "",
      os: "linux x86_64",
      language: "python 3.13.0",
      updated_at: at + 1_000,
      received_at: at + 1_000,
      status_since: at,
      ended_at: null,
      last_heartbeat_at: null,
      states: 1,
      events: 2,
      exceptions: 0,
      points: 3,
      series: 1,
      attachments: 0,
      exit_code: null,
      signal: null,
      uncaught: 0,
      tests: 0,
      failed_tests: 0,
      test_parts: 0,
      test_mark: "",
      revision: 1,
      bytes: 1_000,
      headline: "Running",
      tags: "[]",
      damaged: 0,
      left_out: 0,
      search: "",
      verdict: "{}",
      ...overrides.session,
    },
  };
}

export function metric(
  name: string,
  overrides: Partial<Publication["metrics"][number]> = {},
): Publication["metrics"][number] {
  return {
    name,
    series: 1,
    type: "gauge",
    unit: "",
    tags: "[]",
    points: 2,
    count: 2,
    sum: 30,
    sum_low: 0,
    sum_scale: 1,
    deviation: 0,
    increase: 0,
    p50: null,
    p95: null,
    p99: null,
    min: 10,
    max: 20,
    first: 10,
    last: 20,
    first_at: NOON,
    last_at: NOON + 1_000,
    distribution: null,
    rollup: null,
    quantile_steps: null,
    ...overrides,
  };
}

export function exception(
  fingerprint: string,
  overrides: Partial<Publication["exceptions"][number]> = {},
): Publication["exceptions"][number] {
  return {
    fingerprint,
    type: "ValueError",
    message: "no such door",
    place: "open_door (door.py:12)",
    calls: "main (game.py:40)",
    count: 1,
    unhandled: 0,
    first_at: NOON,
    last_at: NOON,
    first_seq: 7,
    ...overrides,
  };
}

export function eventCount(
  name: string,
  overrides: Partial<Publication["event_counts"][number]> = {},
): Publication["event_counts"][number] {
  return {
    name,
    category: "info",
    count: 1,
    first_at: NOON,
    last_at: NOON,
    ...overrides,
  };
}
