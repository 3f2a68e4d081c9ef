/** Today's usage and the storage, beside the limits of Cloudflare's free plan. */
import { formatBytes, formatNumber } from "../core/text/format.ts";
import { storedBytes } from "../catalog/usage.ts";
import { type Env, isLocal } from "../env.ts";
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
                label="Rows written by sessions"
                of={rows.object_rows}
                whole={FREE_ROWS_PER_DAY}
                format={formatNumber}
              />
              <Share
                label="Rows written to catalog and registry"
                of={rows.d1_rows}
                whole={FREE_ROWS_PER_DAY}
                format={formatNumber}
              />
              <Share
                label={`Stored by sessions${stored.partial ? ", at least" : ""}`}
                of={stored.object_bytes}
                whole={FREE_OBJECT_BYTES}
                limit="5 GB"
                format={formatBytes}
              />
              <Share
                label="Stored by the catalog"
                of={stored.catalog_bytes}
                whole={FREE_CATALOG_BYTES}
                limit="500 MB"
                format={formatBytes}
              />
            </dl>
            {rows.attachment_bytes === 0 ? null : (
              <p class="panel-note">
                {formatBytes(rows.attachment_bytes)} of attachments arrived today.
              </p>
            )}
            <p class="panel-note">
              {isLocal(env)
                ? "This machine has no such limits; they are those of Cloudflare's free plan."
                : "The limits are those of Cloudflare's free plan. On the paid plan a million rows cost a dollar."}{" "}
              Each session reports its rows when it publishes to the catalog, so those of the last
              minutes may still be missing.
            </p>
          </>
        );
      })}
    </Panel>
  );
}

type ShareProps = {
  label: string;
  of: number;
  whole: number;
  /** The whole in Cloudflare's units. */
  limit?: string | undefined;
  format: (value: number) => string;
};

function Share({ label, of, whole, limit, format }: ShareProps) {
  const share = (of / whole) * 100;
  const percent = share > 0 && share < 0.1 ? "under 0.1" : String(Number(share.toPrecision(2)));
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <meter min={0} max={whole} high={whole * 0.8} value={of} aria-label={label} />
        {format(of)} <span class="quiet">{`of ${limit ?? format(whole)}, ${percent} %`}</span>
      </dd>
    </div>
  );
}
