/** What `npm run deploy` would upload. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

test("the Worker builds for deployment, within 360 KiB gzip", () => {
  const folder = mkdtempSync(join(tmpdir(), "datacat-deploy-"));
  try {
    const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
    const output = execFileSync(
      process.execPath,
      [wrangler, "deploy", "--dry-run", "--outdir", folder],
      {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
      },
    );
    expect(output).toContain("env.SESSIONS (Session)");
    expect(output).toContain("env.SOURCE_MAPS (SourceMaps)");
    expect(output).toContain("env.CATALOG (datacat)");
    expect(output).toContain("env.REGISTRY (datacat-registry)");
    expect(gzipSync(readFileSync(join(folder, "index.js"))).length).toBeLessThan(360 * 1024);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
