/** Every Worker test file starts with empty databases, migrated as in production. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.CATALOG, env.CATALOG_MIGRATIONS);
await applyD1Migrations(env.REGISTRY, env.REGISTRY_MIGRATIONS);
