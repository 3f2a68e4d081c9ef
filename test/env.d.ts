declare namespace Cloudflare {
  interface Env {
    SESSIONS: DurableObjectNamespace<import("../src/session/session.ts").Session>;
    SOURCE_MAPS: DurableObjectNamespace<import("../src/sourcemaps/object.ts").SourceMaps>;
    CATALOG: D1Database;
    REGISTRY: D1Database;
    ASSETS: Fetcher;
    ADMIN_SECRET?: string;
    LOCAL?: string;
    CATALOG_MIGRATIONS: import("cloudflare:test").D1Migration[];
    REGISTRY_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}

declare module "*.md?raw" {
  const text: string;
  export default text;
}
