/**
 * The content of the API's page: the OpenAPI document, operation by operation, and its schemas. Made by `npm run openapi`, because making it
 * takes more CPU than a request may.
 */
import { html, raw } from "hono/html";
import { Marked } from "marked";

/** What the page shows of a JSON Schema. */
type Schema = {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  prefixItems?: Schema[];
  properties?: { [name: string]: Schema };
  required?: string[];
  additionalProperties?: Schema | false;
  description?: string;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
};
type Content = { [mediaType: string]: { schema?: Schema } };
type Operation = {
  operationId: string;
  tags: [string];
  summary: string;
  description: string;
  "x-datacat-key": string;
  parameters?: {
    name: string;
    in: string;
    required: boolean;
    description: string;
    schema: Schema;
  }[];
  requestBody?: { required: boolean; content: Content };
  responses: { [status: string]: { description?: string; content?: Content; $ref?: string } };
};
/** What the page shows of public/api/openapi.json. */
type Document = {
  info: { description: string };
  tags: { name: string; description: string }[];
  paths: { [path: string]: { [method: string]: Operation } };
  components: {
    schemas: { [name: string]: Schema };
    responses: { [status: string]: { description: string } };
  };
};

/** The page's content as HTML. */
export async function pageOf(document: Document): Promise<string> {
  return (await html`${<Api document={document} />}`).toString();
}

function Api({ document }: { document: Document }) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return (
    <>
      <h1>API</h1>
      <Markdown text={document.info.description} />
      <p>
        This page shows the server's <a href="/api/openapi.json">OpenAPI 3.1 document</a>, which
        programs read.
      </p>
      <nav class="guides" aria-label="Parts of the API">
        {document.tags.map(({ name }) => (
          <a href={`#tag-${name}`}>{titleOf(name)}</a>
        ))}
        <a href="#refusals">Refusals</a>
        <a href="#schemas">Schemas</a>
      </nav>
      {document.tags.map(({ name, description }) => (
        <section aria-labelledby={`tag-${name}`}>
          <h2 id={`tag-${name}`}>{titleOf(name)}</h2>
          <p>{description}</p>
          {operations
            .filter(({ operation }) => operation.tags.includes(name))
            .map((each) => (
              <OperationPart {...each} />
            ))}
        </section>
      ))}
      <Refusals responses={document.components.responses} />
      <section aria-labelledby="schemas">
        <h2 id="schemas">Schemas</h2>
        {Object.entries(document.components.schemas).map(([name, schema]) => (
          <details class="operation" id={`schema-${name}`}>
            <summary>
              <code>{name}</code>
            </summary>
            <Markdown text={schema.description} />
            <SchemaPart schema={schema} />
          </details>
        ))}
      </section>
    </>
  );
}

function titleOf(tag: string): string {
  return tag.slice(0, 1).toUpperCase() + tag.slice(1);
}

function OperationPart({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}) {
  const { parameters = [], requestBody, responses } = operation;
  const key = operation["x-datacat-key"];
  return (
    <details class="operation" id={operation.operationId}>
      <summary>
        <code class="method">{method.toUpperCase()}</code> <code>{path}</code>{" "}
        <span>{operation.summary}</span>
      </summary>
      <Markdown text={operation.description} />
      {parameters.length > 0 && (
        <Rows
          label="Parameters"
          columns={["Parameter", "Type", "What"]}
          rows={parameters.map(({ name, in: place, required, description, schema }) => [
            <Name
              name={name}
              mark={place === "path" ? "in the path" : required ? "required" : ""}
            />,
            <Type schema={schema} />,
            <Text text={description} />,
          ])}
        />
      )}
      {requestBody && (
        <>
          <h3>{requestBody.required ? "Body" : "Body, if any"}</h3>
          <ContentPart content={requestBody.content} />
        </>
      )}
      {Object.entries(responses)
        .filter(([, response]) => response.$ref === undefined)
        .map(([status, { description, content = {} }]) => (
          <>
            <h3>
              {status}: {description}
            </h3>
            <ContentPart content={content} />
          </>
        ))}
      {key !== "none" && (
        <p>
          <a href="#refusals">Refusals</a>:{" "}
          {Object.entries(responses)
            .filter(([, { $ref }]) => $ref !== undefined)
            .map(([status]) => status)
            .filter((status) => status !== "default")
            .join(", ")}
          , and others.
        </p>
      )}
    </details>
  );
}

function Refusals({ responses }: { responses: Document["components"]["responses"] }) {
  return (
    <section aria-labelledby="refusals">
      <h2 id="refusals">Refusals</h2>
      <p>
        A refused request is answered with <code>{'{"error": {"code", "message"}}'}</code>. The
        message states what happened, why, and what to do.
      </p>
      <Rows
        label="Refusals"
        columns={["Status", "Codes"]}
        rows={Object.entries(responses)
          .filter(([status]) => status !== "default")
          .map(([status, { description }]) => [status, <Text text={description} />])}
      />
    </section>
  );
}

function ContentPart({ content }: { content: Content }) {
  return (
    <>
      {Object.entries(content).map(([mediaType, { schema }]) => (
        <>
          <p>
            <code>{mediaType}</code>
            {schema && !schema.properties && (
              <>
                : <Type schema={schema} />
              </>
            )}
          </p>
          {schema?.properties && <SchemaPart schema={schema} />}
        </>
      ))}
    </>
  );
}

/** The properties of an object as a table; any other schema as text. */
function SchemaPart({ schema }: { schema: Schema }) {
  const { properties = {}, required = [], additionalProperties } = schema;
  const names = Object.entries(properties);
  if (names.length === 0)
    return (
      <p>
        <Type schema={schema} />
      </p>
    );
  return (
    <Rows
      label="Properties"
      columns={["Property", "Type", "What"]}
      rows={[
        ...names.map(([name, property]) => [
          <Name name={name} mark={required.includes(name) ? "" : "optional"} />,
          <Type schema={property} />,
          <Text text={property.description} />,
        ]),
        ...(additionalProperties
          ? [["any other", <Type schema={additionalProperties} />, ""]]
          : []),
      ]}
    />
  );
}

function Name({ name, mark }: { name: string; mark: string }) {
  return (
    <>
      <code>{name}</code> {mark}
    </>
  );
}

/** A schema in a few signs: `list of text`, `"a" or "b"`, a link to a named one. */
function Type({ schema }: { schema: Schema }) {
  const { $ref, items, prefixItems, properties, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return (
      <a href={`#schema-${name}`}>
        <code>{name}</code>
      </a>
    );
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices)
    return (
      <Alternatives
        of={choices.map((each) => (
          <Type schema={each} />
        ))}
      />
    );
  if (schema.enum)
    return (
      <Alternatives
        of={schema.enum.map((value) => (
          <Literal value={value} />
        ))}
      />
    );
  if (schema.const !== undefined) return <Literal value={schema.const} />;
  if (prefixItems)
    return (
      <>
        list [
        {prefixItems.map((each, index) => (
          <>
            {index > 0 && ", "}
            <Type schema={each} />
          </>
        ))}
        ]
      </>
    );
  if (items)
    return (
      <>
        list of <Type schema={items} />
      </>
    );
  if (properties)
    return (
      <ul class="members">
        {Object.entries(properties).map(([name, property]) => (
          <li>
            <code>{name}</code>: <Type schema={property} />
          </li>
        ))}
      </ul>
    );
  if (additionalProperties)
    return (
      <>
        object of <Type schema={additionalProperties} />
      </>
    );
  const types = [schema.type ?? "any"].flat().map((type) => TYPES[type] ?? type);
  return (
    <>
      {types.join(" or ")}
      {rangeOf(schema)}
    </>
  );
}

const TYPES: { [type: string]: string } = { string: "text", array: "list" };

function rangeOf({ minimum, maximum }: Schema): string {
  if (minimum === undefined && maximum === undefined) return "";
  if (maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER - 1)
    return minimum === undefined || minimum === 0 ? "" : ` from ${minimum}`;
  return maximum > 1e15 ? "" : ` ${minimum ?? "…"} to ${maximum}`;
}

function Alternatives({ of }: { of: unknown[] }) {
  return (
    <>
      {of.map((each, index) => (
        <>
          {index > 0 && " or "}
          {each}
        </>
      ))}
    </>
  );
}

function Literal({ value }: { value: unknown }) {
  return <code>{JSON.stringify(value)}</code>;
}

function Rows({ label, columns, rows }: { label: string; columns: string[]; rows: unknown[][] }) {
  return (
    <div class="scroller" tabindex={0} role="group" aria-label={label}>
      <table class="plain-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col">{column}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              {row.map((cell) => (
                <td>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Paragraphs with marks of Markdown. */
function Markdown({ text = "" }: { text?: string | undefined }) {
  return (
    <>
      {text
        .split("\n\n")
        .filter((paragraph) => paragraph !== "")
        .map((paragraph) => (
          <p>
            <Text text={paragraph} />
          </p>
        ))}
    </>
  );
}

function Text({ text = "" }: { text?: string | undefined }) {
  return raw(lines.parseInline(text, { async: false }));
}

/** HTML in a text is text. */
const lines = new Marked({
  renderer: { html: ({ text }) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;") },
});
