import { defineConfig } from "drizzle-kit";

/** `npm run migration`. Generated tables with composite keys get WITHOUT ROWID by hand: drizzle has no word for it. */
export default defineConfig({
  dialect: "sqlite",
  schema: "src/catalog/schema.ts",
  out: "migrations/catalog",
});
