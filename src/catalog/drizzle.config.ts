import { defineConfig } from "drizzle-kit";

/** `npm run migration`. Add WITHOUT ROWID to the generated tables by hand, because drizzle cannot express it. */
export default defineConfig({
  dialect: "sqlite",
  schema: "src/catalog/schema.ts",
  out: "migrations/catalog",
});
