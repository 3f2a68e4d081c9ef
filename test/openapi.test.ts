/** The OpenAPI document is that of the source, and whole. Whether the server answers so is in test/api/openapi.test.ts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, generate } from "../src/api/openapi/generate.mjs";
import { schemasOfTypes } from "../src/api/openapi/types.ts";
import type { Document } from "../src/api/openapi/document.ts";

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const text = read("openapi.json");
const document = JSON.parse(text) as Document;
type Operation = {
  operationId: string;
  summary: string;
  parameters?: { name: string; in: string }[];
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    path,
    method,
    ...(operation as unknown as Operation),
  })),
);

test(
  "the document and its page are those of the source: run `npm run openapi`",
  {
    timeout: 120_000,
  },
  async () => {
    for (const [name, made] of Object.entries(await generate()))
      expect(made === read(name), name).toBe(true);
  },
);

test("every reference leads to something", () => {
  const references = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path = ""]) => path);
  expect(references.length).toBeGreaterThan(100);
  for (const path of new Set(references)) {
    let found: unknown = document;
    for (const part of path.split("/")) found = (found as { [name: string]: unknown })[part];
    expect(found, path).toBeTypeOf("object");
  }
});

test("every schema with a name is used", () => {
  for (const name of Object.keys(document.components.schemas))
    expect(text, name).toContain(`"#/components/schemas/${name}"`);
});

test("operations have ids of their own, a summary, and each part of their path as a parameter", () => {
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, method, summary, parameters = [] } of operations) {
    expect(summary, `${method} ${path}`).toMatch(/^[A-Z\d].{2,80}$/);
    const inPath = parameters.filter((each) => each.in === "path").map(({ name }) => name);
    expect(inPath, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    const names = parameters.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
});

describe("of a type", () => {
  const types = schemasOfTypes(join(import.meta.dirname, "fixtures/openapi/types.ts"), "Entry");

  test.each(Object.entries(types.entries))("%s has its schema", (name, schema) => {
    expect(schema).toEqual(EXPECTED[name]);
  });

  test("an alias has its name and its comment, and may have itself in it", () => {
    expect(types.named).toEqual({
      Node: {
        type: "object",
        description: "A tree.",
        properties: {
          name: { type: "string", description: "Its label." },
          inside: { type: "array", items: { $ref: "#/components/schemas/Node" } },
        },
        required: ["name"],
      },
    });
  });
});

const EXPECTED: { [name: string]: object } = {
  text: { type: "string" },
  literal: { const: "a" },
  choice: { enum: ["a", "b"] },
  truth: { type: "boolean" },
  nullable: { type: ["number", "null"] },
  optional: { type: "object", properties: { value: { type: "number" } } },
  tuple: {
    type: "array",
    prefixItems: [{ type: "number" }, { type: "string" }],
    minItems: 1,
    maxItems: 2,
  },
  map: { type: "object", additionalProperties: { type: "number" } },
  both: {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "number" } },
    required: ["a", "b"],
  },
  promised: { type: "array", items: { $ref: "#/components/schemas/Node" } },
  any: {},
  parsed: {
    type: "object",
    properties: { size: { type: "number" }, of: { type: "string" } },
    required: ["size"],
  },
};
