/** Every Worker test file starts with an empty catalog, migrated as in production. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.CATALOG, env.MIGRATIONS);
