/**
 * The OpenAPI document, of what the server itself is made of: the schemas that parse queries and bodies, the types of answers, the table of
 * refusals, and the README's table of routes. `npm run openapi` writes it to public/api/openapi.json, which the server serves.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { REFUSALS } from "../../core/refusal.ts";
import { VERSION } from "../../core/version.ts";
import * as batch from "../../core/batch.ts";
import * as wire from "../../core/wire.ts";
import { type Operation, OPERATIONS } from "./operations.ts";
import { pathParameters, queryParameters } from "./parameters.ts";
import type { Schema, TypeSchemas } from "./types.ts";

type Schemas = { [name: string]: Schema };

/** A row of the README's table of routes. */
type RouteRow = { route: string; method: string; path: string; key: string; about: string };

export type Document = {
  openapi: "3.1.0";
  info: Schema;
  servers: Schema[];
  security: Schema[];
  tags: { name: string; description: string }[];
  paths: { [path: string]: { [method: string]: Schema } };
  components: { schemas: { [name: string]: Schema } } & Schema;
};

/** `types`: of answers.ts. */
export function documentOf(readme: string, types: TypeSchemas): Document {
  const sent = new SentSchemas();
  const paths: Document["paths"] = {};
  for (const row of routesOf(readme)) {
    const operation = OPERATIONS[row.route as keyof typeof OPERATIONS] as Operation | undefined; // checked by the next line
    if (!operation) throw new Error(`${row.route} is not in operations.ts.`);
    paths[row.path] = {
      ...paths[row.path],
      [row.method.toLowerCase()]: operationOf(row, operation, types.entries[row.route], sent),
    };
  }
  const schemas = { Refusal: REFUSAL, ...types.named, ...sent.named };
  return {
    openapi: "3.1.0",
    info: {
      title: "Datacat",
      version: VERSION,
      description: ABOUT,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }, { cookie: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      responses: refusals(),
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key, or the admin secret." },
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-datacat",
          description: "Of a person who signed in to the pages.",
        },
        address: {
          type: "apiKey",
          in: "query",
          name: "key",
          description: "A key that is bound to the origins of web pages.",
        },
      },
    },
  };
}

/** The rows of the README's table, with links that a server has. */
function routesOf(readme: string): RouteRow[] {
  const table = /<!-- routes -->(.*)<!-- \/routes -->/s.exec(readme)?.[1] ?? "";
  return [...table.matchAll(/^\| `([A-Z]+) (\S+)` \| (\w+) \| (.*) \|$/gm)].map(
    ([, method = "", path = "", key = "", about = ""]) => ({
      route: `${method} ${path}`,
      method,
      path,
      key,
      about: about.replaceAll(/\]\((?:src\/pages\/docs\/)([\w-]+)\.md/g, "](/docs/$1"),
    }),
  );
}

function operationOf(
  row: RouteRow,
  operation: Operation,
  answer: Schema | undefined,
  sent: SentSchemas,
): Schema {
  const { query, body, isOptional } = operation;
  const parameters = [
    ...pathParameters(row.path),
    ...(query ? queryParameters(query, row.route) : []),
  ];
  return {
    operationId: idOf(row),
    tags: [tagOf(row)],
    summary: operation.title ?? summaryOf(row.about),
    description: `${capitalised(row.about)}${row.key === "none" ? "" : `\n\nKey: ${row.key}.`}`,
    "x-datacat-key": row.key,
    ...(row.key === "none" && { security: [] }),
    ...(row.path === "/api/ingest" && { security: [{ key: [] }, { address: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: isOptional !== true, content: contentOf(body, sent) },
    }),
    responses: { ...answersOf(row, operation, answer), ...refusedOf(row, operation) },
  };
}

function idOf({ method, path }: RouteRow): string {
  const rest = path.startsWith("/api/") ? path.slice("/api/".length) : `server${path}`;
  return `${method.toLowerCase()}_${(rest.match(/\w+/g) ?? []).join("_")}`;
}

function contentOf(body: NonNullable<Operation["body"]>, sent: SentSchemas): Schema {
  if (body === "bytes") return { "application/octet-stream": {} };
  const schema =
    body === "batches"
      ? sent.schemaOf(batch.Ingest, { batches: { items: sent.schemaOf(batch.Batch) } })
      : body === "object"
        ? { type: "object" }
        : sent.schemaOf(body);
  return { "application/json": { schema } };
}

function answersOf(
  row: RouteRow,
  { media = [], statuses = [200] }: Operation,
  answer: Schema | undefined,
): Schema {
  const content = {
    ...(answer && { "application/json": { schema: answer } }),
    ...Object.fromEntries(media.map((type) => [type, {}])),
  };
  const headers = row.path.startsWith("/api/tables/") ? TABLE_HEADERS : undefined;
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      { description: STATUSES[status] ?? "", ...(headers && { headers }), content },
    ]),
  );
}

const STATUSES: { [status: number]: string } = {
  101: "A WebSocket: each message is of this schema.",
  200: "The answer.",
  206: "A part.",
  507: "The disk is full.",
};

const TABLE_HEADERS = {
  "datacat-partial": {
    description: "Whether there are rows that the table leaves out.",
    schema: { type: "boolean" },
  },
  "datacat-next": { description: "The `cursor` of the next rows.", schema: { type: "string" } },
  "datacat-searched-to": {
    description: "Start of the oldest session that was looked at.",
    schema: { type: "integer" },
  },
  "datacat-published-to": {
    description: "What was recorded after it may be missing.",
    schema: { type: "integer" },
  },
};

/** Refusals by their status; every one is possible where `default` is. */
function refusedOf(row: RouteRow, { query, body }: Operation): Schema {
  if (row.key === "none") return {};
  const statuses = [
    ...(query || body !== undefined || row.path.includes("{") ? [400] : []),
    401,
    403,
    ...(row.path.includes("{") ? [404] : []),
    ...(body === undefined ? [] : [413]),
    429,
    503,
  ];
  const refused = statuses.map((status) => [
    String(status),
    { $ref: `#/components/responses/${status}` },
  ]);
  return { ...Object.fromEntries(refused), default: { $ref: "#/components/responses/default" } };
}

function refusals(): Schema {
  const content = { "application/json": { schema: { $ref: "#/components/schemas/Refusal" } } };
  const retry = { "retry-after": { description: "Seconds to wait.", schema: { type: "integer" } } };
  const byStatus = Map.groupBy(Object.entries(REFUSALS), ([, status]) => status);
  const responses = [...byStatus].map(([status, codes]) => [
    String(status),
    {
      description: codes.map(([code]) => `\`${code}\``).join(", "),
      ...((status === 429 || status === 503 || status === 507) && { headers: retry }),
      content,
    },
  ]);
  return { ...Object.fromEntries(responses), default: { description: "A refusal.", content } };
}

const REFUSAL: Schema = {
  type: "object",
  description: "Why a request was refused. Some codes have further members beside the message.",
  properties: {
    error: {
      type: "object",
      properties: {
        code: { enum: Object.keys(REFUSALS) },
        message: { type: "string", description: "What happened, why, and what to do." },
        retry_after: { type: "number", description: "Seconds to wait." },
      },
      required: ["code", "message"],
      additionalProperties: { type: ["string", "number"] },
    },
  },
  required: ["error"],
};

/** Schemas of what is sent: those of valibot, with names for the ones that several have. */
class SentSchemas {
  readonly named: Schemas = {};

  schemaOf(schema: v.GenericSchema, instead: Schemas = {}): Schema {
    const {
      $schema: _,
      $defs = {},
      ...whole
    } = toJsonSchema(schema, {
      ...OPTIONS,
      definitions: NAMED,
    }) as Schema & { $defs?: Schemas; properties?: Schemas };
    Object.assign(this.named, $defs);
    if (Object.keys(instead).length === 0) return whole;
    const properties = Object.entries(instead).map(([name, own]) => [
      name,
      { ...whole.properties?.[name], ...own },
    ]);
    return { ...whole, properties: { ...whole.properties, ...Object.fromEntries(properties) } };
  }
}

const NAMED = {
  Batch: batch.Batch,
  Writer: batch.Writer,
  Op: wire.Op,
  StartOp: wire.Start,
  EventOp: wire.Event,
  MetricOp: wire.Metric,
  PointsOp: wire.Points,
  StacksOp: wire.Stacks,
  AttachmentOp: wire.Attachment,
  EndOp: wire.End,
  CrashOp: wire.Crash,
};

const OPTIONS: Parameters<typeof toJsonSchema>[1] = {
  typeMode: "input",
  target: "draft-2020-12",
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideSchema({ valibotSchema, jsonSchema }) {
    // The code that checks them is a function.
    if (valibotSchema.type !== "custom") return undefined;
    const { message } = valibotSchema as v.CustomSchema<unknown, string>; // by its type
    const own = CUSTOM[message];
    if (!own) throw new Error(`Add the schema "${message}" to CUSTOM.`);
    return { ...jsonSchema, ...own };
  },
  // JSON has no infinity; texts become times; what a check demands is in its message alone.
  ignoreActions: ["finite", "transform", "raw_transform", "check"],
};

const CUSTOM: { [message: string]: Schema } = {
  "must be an object": { type: "object" },
  "must be a list of finite numbers": { type: "array", items: { type: "number" } },
};

function tagOf({ path, about, key }: RouteRow): string {
  if (about.startsWith("1.x") || path.startsWith("/api/data") || path.startsWith("/api/grafana"))
    return "1.x";
  if (path === "/health" || path === "/metrics") return "server";
  const [, , first = ""] = path.split("/");
  if (first === "reindex" || first === "audit" || (first === "keys" && key === "admin"))
    return "server";
  if (first === "distinctions" || first === "products" || first === "events") return "sessions";
  return first === "ingest" ? "recording" : first in TAGS ? first : "sessions";
}

const TAGS: { [name: string]: string } = {
  recording: "What clients and the daemon send.",
  sessions: "Sessions, and what is found across them.",
  metrics: "One metric over many sessions.",
  exceptions: "Exceptions in groups.",
  tests: "Tests over the runs of a product.",
  tables: "Rows of flat JSON, for Grafana and others.",
  sourcemaps: "Source maps of minified JavaScript.",
  server: "Keys, health and upkeep.",
  "1.x": "The routes of datacat 1.x.",
};

/** The beginning of a description, without marks. */
function summaryOf(about: string): string {
  const plain = about.replaceAll(/\[([^\]]*)\]\([^)]*\)|`/g, "$1").replace(/^1\.x: /, "");
  const [first = plain] = plain.split(/[:;(,] ?|\. /);
  return capitalised(first.trim());
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const ABOUT = `JSON; \`Authorization: Bearer KEY\` with a key of at least the kind that each operation names. Times are epoch milliseconds, except in the routes of 1.x (RFC 3339). Unknown parameters are ignored, invalid ones refused. Lists have \`next\`, which is the \`cursor\` of the next page; \`partial\` is true while something was not looked at. Answers may get further members.`;
