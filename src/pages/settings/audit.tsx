/** The audit list: who did what. The settings show the newest entries, a page of its own shows all. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { writeRefused } from "../../access/audit.ts";
import { formatCount } from "../../core/text/format.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import type { AuditAction } from "../../core/vocabulary.ts";
import { type AuditEntry, listAudit } from "../../registry/audit.ts";
import { AUDIT_DAYS } from "../../registry/limits.ts";
import { AUDIT_NEWEST, AUDIT_ROWS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded, Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { SettingsTable } from "./table.tsx";

export const auditRoutes = new Hono<AccessEnv>();

const LABELS: Record<AuditAction, string> = {
  signed_in: "Signed in",
  sign_in_failed: "Sign-in failed",
  key_refused: "Key refused",
  signed_out: "Signed out",
  key_created: "Key created",
  key_changed: "Key changed",
  key_revoked: "Key revoked",
  session_exported: "Session exported",
  session_imported: "Session imported",
  session_deleted: "Session deleted",
  exceptions_merged: "Exceptions merged",
  exceptions_split: "Exceptions split off",
  source_maps_uploaded: "Source maps uploaded",
  source_maps_deleted: "Source maps deleted",
};

/** The newest entries. */
export function AuditPanel({ db }: { db: D1Database }) {
  return (
    <Panel
      id="audit"
      title="Audit"
      aside={
        <a class="tool" href="/settings/audit">
          View all
        </a>
      }
    >
      {guarded("the audit list", async () => {
        await writeRefused(db);
        return <Entries items={(await listAudit(db, AUDIT_NEWEST)).items} />;
      })}
    </Panel>
  );
}

auditRoutes.get("/settings/audit", async (c) => {
  const db = c.env.REGISTRY;
  await writeRefused(db);
  const { items, next } = await listAudit(db, AUDIT_ROWS, c.req.query("cursor"));
  return c.render(
    <>
      <h1 class="page-title">Audit</h1>
      <Panel id="audit" title="Who did what" aside={<a href="/settings">Settings</a>}>
        <Entries items={items} />
        <p class="panel-note quiet">
          Equal entries of an hour are one row. Addresses are stored without their last part.
          Entries are kept for {AUDIT_DAYS} days, the newest of each action.
        </p>
        {next === null ? null : (
          <p class="panel-note">
            <a class="button quiet-button" href={address("/settings/audit", { cursor: next })}>
              Older entries
            </a>
          </p>
        )}
      </Panel>
    </>,
    { title: "Audit", here: "/settings", name: "settings-page", styles: ["settings"] },
  );
});

function Entries({ items }: { items: AuditEntry[] }) {
  if (items.length === 0) return <Empty title="No entries" />;
  return (
    <SettingsTable label="Audit entries" columns={["Time", "Action", "By", "Network", "What"]}>
      {items.map(({ at, last_at, action, who, address: network, subject, count }) => (
        <tr>
          <td>
            <Time at={at} />
            {last_at > at ? (
              <>
                {" to "}
                <Time at={last_at} show="clock" />
              </>
            ) : null}
          </td>
          <td>
            {LABELS[action]}
            {count > 1 ? <span class="quiet">{` ${formatCount(count, "time")}`}</span> : null}
          </td>
          <td>{plainText(who) || <span class="quiet">not known</span>}</td>
          <td>{network || <span class="quiet">several</span>}</td>
          <td>{plainText(subject)}</td>
        </tr>
      ))}
    </SettingsTable>
  );
}
