import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const root = new URL("..", import.meta.url).pathname;

/** What is awaited comes within milliseconds, but a busy machine takes longer than vitest's 1 s. */
const expected = { poll: { timeout: 15_000 } };
/** Real processes, sockets and browsers want more than vitest's 5 s on a busy machine. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000, expect: expected };

export default defineConfig({
  test: {
    projects: [
      {
        root,
        test: {
          name: "core",
          include: ["test/*.test.ts", "test/core/**/*.test.ts"],
          isolate: false, // pure functions, which nothing that ran before changes
          testTimeout: 30_000,
        },
      },
      {
        root,
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: `${root}wrangler.toml` },
            miniflare: {
              bindings: {
                CATALOG_MIGRATIONS: await readD1Migrations(`${root}migrations/catalog`),
                REGISTRY_MIGRATIONS: await readD1Migrations(`${root}migrations/registry`),
              },
            },
          })),
        ],
        test: {
          name: "worker",
          include: [
            "test/{session,sourcemaps,catalog,registry,jobs,api,access,pages}/**/*.test.{ts,tsx}",
          ],
          setupFiles: ["test/setup.ts"],
          isolate: false,
          testTimeout: 30_000,
          expect: expected,
        },
      },
      { root, test: { name: "daemon", include: ["test/daemon/**/*.test.ts"], ...patient } },
      {
        root,
        test: {
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          exclude: ["test/clients/typescript/reporters/**"],
          ...patient,
        },
      },
      {
        root,
        test: {
          name: "reporters",
          include: ["test/clients/typescript/reporters/**/*.test.ts"],
          ...patient,
        },
      },
      {
        root,
        test: {
          name: "end-to-end",
          include: ["test/{end-to-end,browser,faults}/**/*.test.ts"],
          fileParallelism: false, // each starts servers and browsers of its own; two cores
          testTimeout: 180_000,
          expect: expected,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
