/** What each route takes, and what it answers that is not JSON. The README has its key and its description, answers.ts its JSON. */
import type * as v from "valibot";
import { Decision, KeyChange, Merges, NewKey, Reindex } from "../request/bodies.ts";
import * as legacy from "../request/legacy.ts";
import * as query from "../request/query.ts";
import { Download } from "../../session/attachments/download.ts";
import type { Answers } from "./answers.ts";
import type { QuerySchema } from "./parameters.ts";

export type Operation = {
  /** Where the beginning of the README's description does not name what it is. */
  title?: string;
  query?: QuerySchema;
  /** A schema of valibot, `batches`, any JSON object, or bytes. */
  body?: v.GenericSchema | "batches" | "object" | "bytes";
  /** A body may be left out. */
  isOptional?: true;
  /** Media types of answers beside JSON. */
  media?: readonly string[];
  /** A status other than 200, or several. */
  statuses?: readonly number[];
};

type Route =
  | keyof Answers
  | "GET /metrics"
  | "GET /api/sessions/{id}/export"
  | "GET /api/sessions/{id}/attachments/{attachment}";

export const OPERATIONS: { [route in Route]: Operation } = {
  "GET /health": { title: "State of the server", statuses: [200, 507] },
  "GET /metrics": { media: ["application/openmetrics-text", "text/plain"] },
  "POST /api/ingest": { body: "batches" },
  "GET /api/sessions": { title: "Search sessions", query: query.Sessions },
  "GET /api/sessions/{id}/summary": {},
  "GET /api/sessions/{id}/state": { query: query.Moment },
  "GET /api/sessions/{id}/state/history": { query: query.History },
  "GET /api/sessions/{id}/state/diff": { query: query.Difference },
  "GET /api/sessions/{id}/events": { title: "Events of a session", query: query.Events },
  "GET /api/sessions/{id}/events/counts": {},
  "GET /api/sessions/{id}/tests": { query: query.SessionTests },
  "GET /api/sessions/{id}/tests/{key}": {},
  "GET /api/sessions/{id}/stacks": { title: "Stacks of all threads" },
  "GET /api/sessions/{id}/attachments": {},
  "GET /api/sessions/{id}/attachments/{attachment}": {
    query: Download,
    media: ["application/octet-stream", "image/*"],
    statuses: [200, 206],
  },
  "GET /api/sessions/{id}/attachments/{attachment}/chunks": {},
  "PUT /api/sessions/{id}/attachments/{attachment}/chunks/{chunk}": { body: "bytes" },
  "GET /api/sessions/{id}/metrics": {},
  "GET /api/sessions/{id}/metrics/{name}": { query: query.Chart },
  "GET /api/sessions/{id}/timeline": { query: query.Timeline },
  "GET /api/sessions/{id}/changes": { title: "What differs from good sessions" },
  "GET /api/sessions/{id}/export": {
    title: "Export a session",
    query: query.Export,
    media: ["application/x-ndjson", "application/json", "text/csv", "application/octet-stream"],
  },
  "POST /api/sessions/import": { title: "Import a session", query: query.Import, body: "bytes" },
  "GET /api/sessions/{id}/live": { title: "Watch a session", statuses: [101] },
  "DELETE /api/sessions/{id}": { title: "Delete a session" },
  "GET /api/distinctions": { title: "What distinguishes sessions", query: query.Filter },
  "GET /api/products": { title: "Products and versions", query: query.Days },
  "GET /api/metrics": { query: query.MetricNames },
  "GET /api/metrics/{name}": { query: query.Metric, media: ["text/csv"] },
  "GET /api/metrics/{name}/sessions": {
    title: "One metric by session",
    query: query.MetricSessions,
    media: ["text/csv"],
  },
  "GET /api/events": { query: query.Names },
  "GET /api/tests": { query: query.ProductTests },
  "GET /api/tests/{key}": { query: query.Tests },
  "GET /api/exceptions": { query: query.Groups },
  "GET /api/exceptions/{fingerprint}": { query: query.Days },
  "POST /api/exceptions/{fingerprint}": { title: "Decide about a group", body: Decision },
  "GET /api/exceptions/{fingerprint}/merges": { query: query.OfProduct },
  "POST /api/exceptions/{fingerprint}/merges": { title: "Merge groups", body: Merges },
  "DELETE /api/exceptions/{fingerprint}/merges": {
    title: "Split a merged group",
    query: query.OfProduct,
  },
  "GET /api/tables/sessions": { title: "Sessions", query: query.TableSessions },
  "GET /api/tables/sessions/steps": { query: query.TableSteps },
  "GET /api/tables/metrics/{name}": { query: query.TableMetric },
  "GET /api/tables/metrics/{name}/sessions": {
    title: "One metric by session",
    query: query.TableMetricSessions,
  },
  "GET /api/tables/products": { query: query.TableProducts },
  "GET /api/tables/days": { query: query.TableDays },
  "GET /api/tables/exceptions": { query: query.TableGroups },
  "GET /api/tables/exceptions/days": { title: "Exceptions by day", query: query.TableGroupDays },
  "GET /api/tables/names": { query: query.TableNames },
  "GET /api/sourcemaps": { query: query.SourceMapList },
  "PUT /api/sourcemaps": { query: query.SourceMapPut, body: "bytes" },
  "DELETE /api/sourcemaps": { title: "Remove source maps", query: query.SourceMapDelete },
  "GET /api/keys": {},
  "POST /api/keys": { body: NewKey },
  "POST /api/keys/{id}": { title: "Change a key", body: KeyChange },
  "DELETE /api/keys/{id}": {},
  "GET /api/audit": { title: "The audit list", query: query.Page },
  "POST /api/reindex": { body: Reindex, isOptional: true },
  "POST /api/sessions": { body: legacy.Create, isOptional: true },
  "GET /api/sessions/{id}": {},
  "POST /api/sessions/{id}/state": { body: "object" },
  "POST /api/sessions/{id}/events": { body: legacy.Event },
  "POST /api/sessions/{id}/metrics": { body: legacy.Metric },
  "POST /api/sessions/{id}/heartbeat": { title: "A heartbeat" },
  "POST /api/sessions/{id}/crash": { body: legacy.Crash, isOptional: true },
  "POST /api/sessions/{id}/end": {},
  "GET /api/data/sessions": {},
  "GET /api/grafana/sessions": { title: "All sessions" },
};
