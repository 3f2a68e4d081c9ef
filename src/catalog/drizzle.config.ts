import { defineConfig } from "drizzle-kit";

/** `npm run migration`. Generated tables get WITHOUT ROWID by hand: drizzle cannot express it. */
export default defineConfig({
  dialect: "sqlite",
  schema: "src/catalog/schema.ts",
  out: "migrations/catalog",
});
