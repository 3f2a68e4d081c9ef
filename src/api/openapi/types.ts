/**
 * TypeScript types as JSON Schema, by the compiler's own checker, so that a schema is what the code that answers is compiled with. Comments
 * of types and properties become descriptions.
 */
import { getLibFiles, libFolderInMemoryPath, ts } from "@ts-morph/common";

export type Schema = { [keyword: string]: unknown };

/** Types that have a name, by this name; and those of the properties of the entry, which refer to them. */
export type TypeSchemas = {
  named: { [name: string]: Schema };
  entries: { [property: string]: Schema };
};

/** `file` exports a type `name` with the properties that are wanted. */
export function schemasOfTypes(file: string, name: string): TypeSchemas {
  const program = ts.createProgram([file], OPTIONS, hostOf());
  const source = program.getSourceFile(file);
  const entry = source?.statements.find(
    (statement): statement is ts.TypeAliasDeclaration =>
      ts.isTypeAliasDeclaration(statement) && statement.name.text === name,
  );
  if (!entry) throw new Error(`${file} exports no type ${name}.`);
  const types = new Types(program.getTypeChecker(), entry);
  return types.schemas();
}

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  jsx: ts.JsxEmit.ReactJSX,
  jsxImportSource: "hono/jsx",
  types: [],
  lib: ["lib.esnext.d.ts"],
  skipLibCheck: true,
  noEmit: true,
};

/** The files, with the compiler's own library from memory: the package has it there. */
function hostOf(): ts.CompilerHost {
  const host = ts.createCompilerHost(OPTIONS);
  const library = new Map(
    getLibFiles().map(({ fileName, text }) => [`${libFolderInMemoryPath}/${fileName}`, text]),
  );
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  host.getDefaultLibLocation = () => libFolderInMemoryPath;
  host.readFile = (file) => library.get(file) ?? readFile(file);
  host.fileExists = (file) => library.has(file) || fileExists(file);
  return host;
}

class Types {
  readonly #checker: ts.TypeChecker;
  readonly #entry: ts.TypeAliasDeclaration;
  readonly #named = new Map<string, { type: ts.Type; schema: Schema }>();

  constructor(checker: ts.TypeChecker, entry: ts.TypeAliasDeclaration) {
    this.#checker = checker;
    this.#entry = entry;
  }

  schemas(): TypeSchemas {
    const whole = this.#checker.getTypeAtLocation(this.#entry);
    const entries = Object.fromEntries(
      whole
        .getProperties()
        .map((property) => [property.name, this.#schemaOf(this.#typeOf(property))]),
    );
    const named = [...this.#named]
      .map(([name, { schema }]): [string, Schema] => [name, schema])
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    return { named: Object.fromEntries(named), entries };
  }

  #typeOf(property: ts.Symbol): ts.Type {
    return this.#checker.getTypeOfSymbolAtLocation(property, this.#entry);
  }

  #schemaOf(type: ts.Type): Schema {
    const alias = this.#aliasOf(type);
    if (alias === undefined) return this.#inline(type);
    const known = this.#named.get(alias.name);
    if (known && known.type !== type) throw new Error(`There are two types ${alias.name}.`);
    if (!known) {
      // Before its parts, which may refer to it.
      const schema: Schema = {};
      this.#named.set(alias.name, { type, schema });
      Object.assign(schema, described(this.#inline(type), this.#commentOf(alias)));
    }
    return { $ref: `#/components/schemas/${alias.name}` };
  }

  /** The name of an object, or of a union, that the source gives it. */
  #aliasOf(type: ts.Type): ts.Symbol | undefined {
    const { aliasSymbol, aliasTypeArguments = [] } = type;
    if (!aliasSymbol || aliasTypeArguments.length > 0) return undefined;
    const isOurs = aliasSymbol.declarations?.some(
      (declaration) => !declaration.getSourceFile().fileName.includes("/node_modules/"),
    );
    return isOurs ? aliasSymbol : undefined;
  }

  #inline(type: ts.Type): Schema {
    const { flags } = type;
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (flags & ts.TypeFlags.Null) return { type: "null" };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (flags & ts.TypeFlags.BooleanLiteral)
      return { const: this.#checker.typeToString(type) === "true" };
    if (flags & ts.TypeFlags.StringLike) return { type: "string" };
    if (flags & ts.TypeFlags.NumberLike) return { type: "number" };
    if (flags & ts.TypeFlags.BooleanLike) return { type: "boolean" };
    if (type.isUnion()) return this.#union(type);
    if (this.#checker.isTupleType(type)) return this.#tuple(type as ts.TupleTypeReference);
    if (this.#checker.isArrayType(type)) {
      const [item] = this.#checker.getTypeArguments(type as ts.TypeReference);
      return { type: "array", items: item ? this.#schemaOf(item) : {} };
    }
    if (flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return this.#object(type);
    throw new Error(`There is no schema for the type ${this.#checker.typeToString(type)}.`);
  }

  /** In alphabetical order: the compiler's own depends on what it read before. */
  #union(union: ts.UnionType): Schema {
    const parts = union.types.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
    const isBoolean = parts.filter(({ flags }) => flags & ts.TypeFlags.BooleanLiteral).length === 2;
    const literals = parts.filter(
      (part) => part.isStringLiteral() || part.isNumberLiteral(),
    ) as ts.LiteralType[];
    const others = parts.filter(
      (part) =>
        !literals.includes(part as ts.LiteralType) &&
        !(isBoolean && part.flags & ts.TypeFlags.BooleanLiteral),
    );
    const schemas = [
      ...(literals.length > 1
        ? [{ enum: literals.map(({ value }) => value).toSorted(byText) }]
        : literals.map((part) => this.#schemaOf(part))),
      ...(isBoolean ? [{ type: "boolean" }] : []),
      ...others.map((part) => this.#schemaOf(part)),
    ].toSorted(byText);
    const [only] = schemas;
    if (only && schemas.length === 1) return only;
    const simple = schemas.map((schema) =>
      Object.keys(schema).join() === "type" ? schema["type"] : undefined,
    );
    return simple.includes(undefined) ? { anyOf: schemas } : { type: simple };
  }

  #tuple(type: ts.TupleTypeReference): Schema {
    const { minLength } = type.target;
    const items = this.#checker.getTypeArguments(type).map((item) => this.#schemaOf(item));
    return { type: "array", prefixItems: items, minItems: minLength, maxItems: items.length };
  }

  #object(type: ts.Type): Schema {
    const schema: Schema = { type: "object" };
    const properties: { [name: string]: Schema } = {};
    const required: string[] = [];
    for (const property of type.getProperties()) {
      const own = this.#typeOf(property);
      properties[property.name] = described(this.#schemaOf(own), this.#commentOf(property));
      if (!(property.flags & ts.SymbolFlags.Optional) && !canBeUndefined(own))
        required.push(property.name);
    }
    if (Object.keys(properties).length > 0) schema["properties"] = properties;
    if (required.length > 0) schema["required"] = required;
    const rest = type.getStringIndexType();
    if (rest) schema["additionalProperties"] = this.#schemaOf(rest);
    return schema;
  }

  #commentOf(symbol: ts.Symbol): string {
    return ts
      .displayPartsToString(symbol.getDocumentationComment(this.#checker))
      .replaceAll(/\s+/g, " ")
      .replaceAll(/ \([\w/-]+\.ts(?: \w+)?\)/g, "") // files of the source
      .trim();
  }
}

/** Null is last. */
function byText(a: unknown, b: unknown): number {
  if (isNull(a) !== isNull(b)) return isNull(a) ? 1 : -1;
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function isNull(schema: unknown): boolean {
  return JSON.stringify(schema) === '{"type":"null"}';
}

function canBeUndefined(type: ts.Type): boolean {
  return type.isUnion() && type.types.some(({ flags }) => flags & ts.TypeFlags.Undefined);
}

/** A reference may have a description beside it. */
function described(schema: Schema, description: string): Schema {
  return description === "" ? schema : { ...schema, description };
}
