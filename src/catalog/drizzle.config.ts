import { defineConfig } from "drizzle-kit";

/**
 * `npm run migration`. Add by hand what drizzle cannot express: WITHOUT ROWID to the generated tables whose key is not one integer, and the virtual
 * table of schema.ts.
 */
export default defineConfig({
  dialect: "sqlite",
  schema: "src/catalog/tables/schema.ts",
  out: "migrations/catalog",
});
