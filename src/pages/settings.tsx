/** Settings: the server's address, its usage, its API keys, who is signed in, and the audit list. */
import { nameLabel } from "../core/text/recorded-text.ts";
import { retentionOf } from "../core/retention.ts";
import { formatCount, formatNumber } from "../core/text/format.ts";
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { changeKey, createKey, revoke } from "../access/key.ts";
import { versions } from "../catalog/products.ts";
import { Refusal } from "../core/refusal.ts";
import { DAY_MS, MAX_NAME_LENGTH } from "../core/limits.ts";
import { KEY_KINDS, type KeyKind } from "../core/vocabulary.ts";
import { type KeyRow, listKeys } from "../registry/keys.ts";
import { usageOfDay } from "../registry/usage.ts";
import { BudgetsOfKey, budgetsIn } from "./settings/budgets.tsx";
import { DEFAULT_BUDGETS, type Used } from "../core/access/budget.ts";
import { parseOwnRules } from "../core/secrets/own.ts";
import { VERSION } from "../core/version.ts";
import { nameAsked } from "../core/text/names.ts";
import { readForm } from "./form.ts";
import { Select } from "./ui/select.tsx";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { Time } from "./ui/time.tsx";
import { AuditPanel, auditRoutes } from "./settings/audit.tsx";
import { SourceMapsPanel, sourceMapRoutes } from "./settings/source-maps.tsx";
import { SignIns, signInRoutes } from "./settings/sign-ins.tsx";
import { UsagePanel } from "./usage.tsx";
import { Property } from "./ui/property.tsx";
import { SettingsTable } from "./settings/table.tsx";

export const settings = new Hono<AccessEnv>();

const KIND_LABELS: Record<KeyKind, string> = {
  ingest: "write only",
  read: "read only",
  upload: "source maps only",
  admin: "everything",
};

settings.route("/", signInRoutes);
settings.route("/", auditRoutes);
settings.route("/", sourceMapRoutes);

settings.get("/settings", (c) => c.render(<Page c={c} />, FRAME));

const FRAME = { title: "Settings", here: "/settings", name: "settings-page", styles: ["settings"] };

/** What the server's setting of redaction adds to the built-in rules. */
function rulesOf(setting: string | undefined): string {
  const { rules, problem } = parseOwnRules(setting);
  if (problem !== undefined) return `Built-in rules only. ${problem}. Nothing of it is used.`;
  const { prefixes, names, keep } = rules;
  if (prefixes.length + names.length + keep.length === 0) return "Built-in rules";
  return `Built-in rules, ${formatCount(prefixes.length, "own format")}, ${formatCount(names.length, "own name")}, ${formatCount(keep.length, "exception")}`;
}

type PageProps = {
  c: { env: AccessEnv["Bindings"]; req: { url: string }; var: AccessEnv["Variables"] };
  /** A key that was just created. */
  created?: (KeyRow & { key: string }) | undefined;
};

function Page({ c, created }: PageProps) {
  const { origin } = new URL(c.req.url);
  return (
    <>
      <h1 class="page-title">Settings</h1>
      <Panel id="server" title="This server">
        {guarded("the server", async () => {
          const known = await versions(c.env.CATALOG);
          return (
            <>
              <dl class="properties">
                <Property label="Address">
                  <code>{origin}</code>
                </Property>
                <Property label="Version">{VERSION}</Property>
                <Property label="Sessions">
                  {formatNumber(known.reduce((sum, row) => sum + row.sessions, 0))}
                </Property>
                <Property label="Signed in as">{c.var.access.by}</Property>
                <Property label="Retention">{keptFor(c.env.DATACAT_RETENTION_DAYS)}</Property>
                <Property label="Redaction">{rulesOf(c.env.DATACAT_REDACT)}</Property>
              </dl>
              <p class="panel-note">
                Programs and daemons send here when <code>DATACAT_URL={origin}</code> is set
                {c.env.LOCAL === "1"
                  ? ". Only this machine can reach it. Programs of your user need no key; those of other users need one in "
                  : ", with a key in "}
                <code>DATACAT_KEY</code>.
              </p>
            </>
          );
        })}
      </Panel>
      <UsagePanel env={c.env} />
      <Keys db={c.env.REGISTRY} created={created} />
      <SourceMapsPanel db={c.env.REGISTRY} />
      <SignIns db={c.env.REGISTRY} own={c.var.access.signIn} now={Date.now()} />
      <AuditPanel db={c.env.REGISTRY} />
    </>
  );
}

function keptFor(setting: string | undefined): string {
  const { days } = retentionOf(setting);
  return days === 0 ? "unlimited" : `${formatCount(days, "day")} after the last contact`;
}

function Keys({ db, created }: { db: D1Database; created: PageProps["created"] }) {
  return (
    <Panel id="keys-panel" title="API keys">
      {created ? (
        <div class="new-secret" role="status">
          <p>
            <strong>New key. It is shown only once.</strong>
          </p>
          <p>
            <code>{created.key}</code>{" "}
            <button class="tool" type="button" data-copy={created.key} hidden>
              Copy
            </button>
          </p>
        </div>
      ) : null}
      {guarded("the keys", async () => {
        const [keys, used] = await Promise.all([listKeys(db), usageOfDay(db, Date.now())]);
        if (keys.length === 0) return <Empty title="No keys" />;
        return (
          <SettingsTable
            label="Keys"
            columns={[
              "Label",
              "Permission",
              "Product",
              "Continues",
              "Used today",
              "Created",
              "Last used",
            ]}
            action="Revoke"
          >
            {keys.map((key) => (
              <KeyLine key_={key} used={used.get(key.id)} />
            ))}
          </SettingsTable>
        );
      })}
      <form class="fields new-key" method="post" action="/settings/keys">
        <label>
          Label <input name="label" required maxlength={MAX_NAME_LENGTH} autocomplete="off" />
        </label>
        <Select
          name="kind"
          label="Permission"
          now="ingest"
          options={Object.fromEntries(
            KEY_KINDS.map((kind) => [kind, `${kind}: ${KIND_LABELS[kind]}`]),
          )}
        />
        <label>
          Product (optional) <input name="product" maxlength={MAX_NAME_LENGTH} autocomplete="off" />
        </label>
        <label title="For a key in a web page: no other site and no program can use it. Several are separated by blanks.">
          Allowed origins (optional){" "}
          <input name="origins" placeholder="https://game.example.org" autocomplete="off" />
        </label>
        <label
          class="checkbox"
          title="For a key that replaces another one, or that writes into sessions of other machines. Not for a key in a web page."
        >
          <input type="checkbox" name="continues_others" value="1" /> Continues sessions of other
          keys
        </label>
        <button class="button">Create key</button>
      </form>
      <p class="panel-note">
        A new key may open {formatNumber(DEFAULT_BUDGETS.sessions_per_day ?? 0)} sessions, write{" "}
        {formatNumber(DEFAULT_BUDGETS.rows_per_day ?? 0)} rows and{" "}
        {formatNumber(DEFAULT_BUDGETS.attachment_mib_per_day ?? 0)} MiB of attachments a day, and
        send {formatNumber(DEFAULT_BUDGETS.requests_per_minute ?? 0)} requests a minute. Over a
        budget the server answers 429: senders keep what they have, and send it when there is room
        again. What is recorded without a key has no budget.
      </p>
    </Panel>
  );
}

function KeyLine({ key_: key, used }: { key_: KeyRow; used: Used | undefined }) {
  return (
    <tr>
      <th scope="row">
        {nameLabel(key.label, "–")} <code class="quiet">{key.id}</code>
      </th>
      <td>{KIND_LABELS[key.kind]}</td>
      <td>
        {key.product === null ? "all" : nameLabel(key.product)}
        {key.origins.map((origin) => (
          <>
            {" "}
            <span class="quiet">{origin}</span>
          </>
        ))}
      </td>
      <td>
        <Continues key_={key} />
      </td>
      <td>
        <BudgetsOfKey key_={key} used={used} />
      </td>
      <td>
        <Time at={key.created_at} show="minute" />
      </td>
      <td>
        {key.used_day === null ? <span class="quiet">never</span> : <Day day={key.used_day} />}
      </td>
      <td>
        {key.revoked_at === null ? (
          <form method="post" action={`/settings/keys/${key.id}/revoke`}>
            <button class="tool danger">Revoke</button>
          </form>
        ) : (
          <span class="tag danger">revoked</span>
        )}
      </td>
    </tr>
  );
}

/** Whose sessions an ingest key may continue, with a button to change it. An admin's key continues all. */
function Continues({ key_: { id, kind, continues_others, revoked_at } }: { key_: KeyRow }) {
  if (kind === "read") return <span class="quiet">–</span>;
  if (kind === "admin") return <>all sessions</>;
  return (
    <form method="post" action={`/settings/keys/${id}/continues`}>
      {continues_others ? "all sessions" : "its own sessions"}{" "}
      {revoked_at === null ? (
        <button class="tool" name="others" value={continues_others ? "" : "1"}>
          {continues_others ? "Limit to its own" : "Allow all"}
        </button>
      ) : null}
    </form>
  );
}

/** Only the UTC day of the last use is stored. */
function Day({ day }: { day: number }) {
  return <>{new Date(day * DAY_MS).toISOString().slice(0, 10)}</>;
}

/** Answers with the page instead of a redirect, because the key must not be in an address or a history. */
settings.post("/settings/keys", async (c) => {
  const field = await readForm(c);
  const label = field("label").trim();
  const product = field("product").trim();
  const chosen = KEY_KINDS.find((each) => each === field("kind"));
  if (label.length > MAX_NAME_LENGTH || !chosen) {
    throw new Refusal(
      "invalid_body",
      "A key has a label, and may ingest, read, upload source maps, or everything (admin).",
    );
  }
  const created = await createKey(c, c.var.access.by, {
    kind: chosen,
    product: product === "" ? null : nameAsked(product),
    label,
    continues_others: field("continues_others") === "1",
    origins: field("origins")
      .split(/[\s,]+/)
      .filter(Boolean),
  });
  return c.render(<Page c={c} created={created} />, FRAME);
});

settings.post("/settings/keys/:id/revoke", async (c) => {
  await revoke(c, c.var.access.by, c.req.param("id"));
  return c.redirect("/settings", 303);
});

settings.post("/settings/keys/:id/continues", async (c) => {
  const field = await readForm(c);
  await changeKey(c, c.var.access.by, c.req.param("id"), {
    continues_others: field("others") === "1",
  });
  return c.redirect("/settings", 303);
});

settings.post("/settings/keys/:id/budgets", async (c) => {
  await changeKey(c, c.var.access.by, c.req.param("id"), budgetsIn(await readForm(c)));
  return c.redirect("/settings#keys-panel", 303);
});
