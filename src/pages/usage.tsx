/** What this server used today and holds, beside what Cloudflare's free plan allows. */
import { formatBytes, formatNumber } from "../core/format.ts";
import { storedBytes } from "../catalog/usage.ts";
import type { Env } from "../env.ts";
import { rowsOfDay } from "../registry/usage.ts";
import { FREE_CATALOG_BYTES, FREE_OBJECT_BYTES, FREE_ROWS_PER_DAY } from "./limits.ts";
import { guarded, Panel } from "./ui/panel.tsx";

export function UsagePanel({ env }: { env: Env }) {
  return (
    <Panel id="usage" title="Used today" aside={<span class="quiet">since midnight UTC</span>}>
      {guarded("what was used", async () => {
        const [rows, stored] = await Promise.all([
          rowsOfDay(env.REGISTRY, Date.now()),
          storedBytes(env.CATALOG),
        ]);
        return (
          <>
            <dl class="shares">
              <Share
                word="Rows written by sessions"
                of={rows.object_rows}
                whole={FREE_ROWS_PER_DAY}
                say={formatNumber}
              />
              <Share
                word="Rows written to catalog and registry"
                of={rows.d1_rows}
                whole={FREE_ROWS_PER_DAY}
                say={formatNumber}
              />
              <Share
                word={`Stored by sessions${stored.partial ? ", at least" : ""}`}
                of={stored.object_bytes}
                whole={FREE_OBJECT_BYTES}
                limit="5 GB"
                say={formatBytes}
              />
              <Share
                word="Stored by the catalog"
                of={stored.catalog_bytes}
                whole={FREE_CATALOG_BYTES}
                limit="500 MB"
                say={formatBytes}
              />
            </dl>
            <p class="panel-note">
              {env.LOCAL === "1"
                ? "This machine has no such limits; they are those of Cloudflare's free plan."
                : "The limits are those of Cloudflare's free plan. On the paid plan a million rows cost a dollar."}{" "}
              Rows are told by each session after it wrote to the catalog: those of the last minutes
              may still be missing.
            </p>
          </>
        );
      })}
    </Panel>
  );
}

type ShareProps = {
  word: string;
  of: number;
  whole: number;
  /** The whole, as Cloudflare says it. */
  limit?: string | undefined;
  say: (value: number) => string;
};

function Share({ word, of, whole, limit, say }: ShareProps) {
  const share = (of / whole) * 100;
  const percent = share > 0 && share < 0.1 ? "under 0.1" : String(Number(share.toPrecision(2)));
  return (
    <div>
      <dt>{word}</dt>
      <dd>
        <meter min={0} max={whole} high={whole * 0.8} value={of} aria-label={word} />
        {say(of)} <span class="quiet">{`of ${limit ?? say(whole)}, ${percent} %`}</span>
      </dd>
    </div>
  );
}
