/** What each route answers with JSON when it succeeds: types only, of which the OpenAPI document has the schemas (types.ts). */
import type { KeyChange, KeyRow } from "../../registry/keys.ts";
import type { exceptionGroups, ExceptionGroup, GroupDay } from "../../catalog/exceptions.ts";
import type { changesOf } from "../../catalog/distinctions.ts";
import type { eventNames } from "../../catalog/events.ts";
import type { metricNames, SessionMetrics } from "../../catalog/metrics.ts";
import type { VersionCounts, VersionDay } from "../../catalog/products.ts";
import type { SessionList } from "../../catalog/search/sessions.ts";
import type {
  FlakyTest,
  FoundTests,
  NamedSlowTest,
  TestHistory,
  testRuns,
} from "../../catalog/tests.ts";
import type { Used } from "../../core/access/budget.ts";
import type { Distinction } from "../../core/comparison/distinctions.ts";
import type { overTime, quantilesOverTime } from "../../core/comparison/over-time.ts";
import type { GroupStatistics } from "../../core/comparison/statistics.ts";
import type { AnswerOf, Receipt } from "../../core/questions/questions.ts";
import type { Bar } from "../../core/metrics/bars.ts";
import type { Change } from "../../core/answers/change.ts";
import type { ImportAnswer } from "../../core/answers/import.ts";
import type { RebuildStep, Reindexed } from "../../core/answers/reindex.ts";
import type { FoundSession } from "../sessions.ts";
import type { IngestAnswer } from "../../core/batch.ts";
import type { Json, JsonObject } from "../../core/wire.ts";
import type { MetricType } from "../../core/vocabulary.ts";
import type { AuditEntry } from "../../registry/audit.ts";
import type { listSourceMaps } from "../../registry/source-maps.ts";
import type { Merge } from "../../registry/merges.ts";
import type { Progress } from "../../session/attachments/upload.ts";
import type { SourceMapFile } from "../../sourcemaps/object.ts";
import type { rowOf } from "../metrics.ts";
import type { Row } from "../tables/rows.ts";

/** One page that holds everything. */
type Whole<Item> = { items: Item[]; next: null };
type Awaitedly<Function extends (...rest: never[]) => unknown> = Awaited<ReturnType<Function>>;

type Rates = {
  /** The shares of sessions without a crash, without a failure, and without a hang, and of test runs that passed: 0 to 1; null without any. */
  crash_free: number | null;
  failure_free: number | null;
  hang_free: number | null;
  runs_passed: number | null;
};

/** With the sentence of each. */
type Distinguished = Omit<Awaitedly<typeof changesOf>, "items"> & {
  items: (Distinction & { text: string })[];
};

type Searched = Omit<SessionMetrics, "items" | "sessions">;

/** Of 1.x. Times are RFC 3339. */
type LegacySession = {
  id: string;
  created_at: string;
  updated_at: string;
  ended_at?: string;
  active: boolean;
  suspended: boolean;
  crashed: boolean;
  hung: boolean;
  last_heartbeat?: string;
  machine_id?: string;
  hostname?: string;
  state: JsonObject;
  state_history: { timestamp: string; state: JsonObject }[];
  events: LegacyEvent[];
  metrics: LegacyMetric[];
};
type LegacyEvent = {
  timestamp: string;
  name: string;
  category: string;
  group: string;
  labels: string[] | null;
  message: string;
  data: JsonObject | null;
  [exception: string]: Json;
};
type LegacyMetric = {
  timestamp: string;
  name: string;
  type: string;
  value: number;
  count?: number;
  unit?: string;
  tags?: string[];
  metadata?: JsonObject;
};
type Recorded = { status: "ok" };

type Health = {
  service: "datacat-server";
  version: string;
  status: "healthy" | "degraded";
  catalog?: "ok" | "rebuilding" | "damaged" | "unavailable";
  registry?: "ok" | "rebuilding" | "damaged" | "unavailable";
  disk?: "ok" | "full";
  settings?: "ok" | "wrong";
  /** Sentences. */
  problems?: string[];
};

export type Answers = {
  "GET /health": Health;
  "POST /api/ingest": IngestAnswer;
  "GET /api/sessions": Omit<SessionList, "items"> & { items: FoundSession[] };
  "GET /api/sessions/{id}/summary": AnswerOf<"summary">;
  "GET /api/sessions/{id}/state": AnswerOf<"state">;
  "GET /api/sessions/{id}/state/history": AnswerOf<"history"> | AnswerOf<"pathHistory">;
  "GET /api/sessions/{id}/state/diff": AnswerOf<"diff">;
  "GET /api/sessions/{id}/events": AnswerOf<"events">;
  "GET /api/sessions/{id}/events/counts": AnswerOf<"eventCounts">;
  "GET /api/sessions/{id}/tests": AnswerOf<"tests">;
  "GET /api/sessions/{id}/tests/{key}": AnswerOf<"testAccounts">;
  "GET /api/sessions/{id}/stacks": AnswerOf<"stacks">;
  "GET /api/sessions/{id}/attachments": AnswerOf<"attachments">;
  "GET /api/sessions/{id}/attachments/{attachment}/chunks": Progress;
  "PUT /api/sessions/{id}/attachments/{attachment}/chunks/{chunk}": Progress;
  "GET /api/sessions/{id}/metrics": AnswerOf<"series">;
  "GET /api/sessions/{id}/metrics/{name}": AnswerOf<"charts">;
  "GET /api/sessions/{id}/timeline": AnswerOf<"timeline">;
  "GET /api/sessions/{id}/changes": Distinguished;
  "POST /api/sessions/import": ImportAnswer;
  "GET /api/sessions/{id}/live": Change;
  "DELETE /api/sessions/{id}": Receipt;
  "GET /api/distinctions": Distinguished;
  "GET /api/products": Whole<VersionCounts & Rates> & { days: VersionDay[] };
  "GET /api/metrics": Awaitedly<typeof metricNames>;
  "GET /api/metrics/{name}": {
    name: string;
    /** Null if no session has it. */
    type: MetricType | null;
    unit: string;
    sessions: number;
    /** How many of these may or may not pass. */
    unsure: number;
    statistics: GroupStatistics[];
    ungrouped: number;
    over_time: ReturnType<typeof overTime>;
    quantiles_over_time?: ReturnType<typeof quantilesOverTime>;
    distribution: Bar[];
  } & Searched;
  "GET /api/metrics/{name}/sessions": { items: ReturnType<typeof rowOf>[] } & Searched;
  "GET /api/events": Awaitedly<typeof eventNames>;
  "GET /api/tests": Whole<Awaitedly<typeof testRuns>[number]> & {
    branches: string[];
    flaky: FlakyTest[];
    flaky_from: number;
    flaky_partial: boolean;
    slowest: NamedSlowTest[];
    /** With a query. */
    tests?: FoundTests;
  };
  "GET /api/tests/{key}": TestHistory;
  "GET /api/exceptions": Awaitedly<typeof exceptionGroups>;
  "GET /api/exceptions/{fingerprint}": Whole<ExceptionGroup & { days: GroupDay[] }>;
  "POST /api/exceptions/{fingerprint}": { items: ExceptionGroup[] };
  "GET /api/exceptions/{fingerprint}/merges": Whole<Merge>;
  "POST /api/exceptions/{fingerprint}/merges": { items: ExceptionGroup[] };
  "DELETE /api/exceptions/{fingerprint}/merges": { split: string };
  "GET /api/tables/sessions": Row[];
  "GET /api/tables/sessions/steps": Row[];
  "GET /api/tables/metrics/{name}": Row[];
  "GET /api/tables/metrics/{name}/sessions": Row[];
  "GET /api/tables/products": Row[];
  "GET /api/tables/days": Row[];
  "GET /api/tables/exceptions": Row[];
  "GET /api/tables/exceptions/days": Row[];
  "GET /api/tables/names": Row[];
  "GET /api/sourcemaps":
    | { items: Awaitedly<typeof listSourceMaps>; next: null; partial: boolean }
    | Whole<SourceMapFile>;
  "PUT /api/sourcemaps": SourceMapFile;
  "DELETE /api/sourcemaps": { product: string; version: string; files: number };
  "GET /api/keys": Whole<KeyRow & { used_today: Used }>;
  "POST /api/keys": KeyRow & {
    /** The key itself, which no other answer has. */
    key: string;
  };
  "POST /api/keys/{id}": { id: string } & KeyChange;
  "DELETE /api/keys/{id}": { revoked: string };
  "GET /api/audit": { items: AuditEntry[]; next: string | null };
  "POST /api/reindex": RebuildStep | (Reindexed & { next: null });
  "POST /api/sessions": { session_id: string };
  "GET /api/sessions/{id}": LegacySession;
  "POST /api/sessions/{id}/state": Recorded;
  "POST /api/sessions/{id}/events": Recorded;
  "POST /api/sessions/{id}/metrics": Recorded;
  "POST /api/sessions/{id}/heartbeat": Recorded;
  "POST /api/sessions/{id}/crash": Recorded;
  "POST /api/sessions/{id}/end": Recorded;
  "GET /api/data/sessions": LegacySession[];
  "GET /api/grafana/sessions": LegacySession[];
};
