/** This server: its address, who may use it, what it holds. */
import { formatNumber } from "../core/format.ts";
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { createKey, revoke } from "../access/key.ts";
import { versions } from "../catalog/products.ts";
import { Refusal } from "../core/refusal.ts";
import { DAY_MS, MAX_NAME_LENGTH } from "../core/limits.ts";
import { KEY_KINDS, type KeyKind } from "../core/vocabulary.ts";
import { type KeyRow, listKeys } from "../registry/keys.ts";
import { Select } from "./ui/select.tsx";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { Time } from "./ui/time.tsx";
import { UsagePanel } from "./usage.tsx";

export const settings = new Hono<AccessEnv>();

const VERSION = "2.0.0";

const KIND_WORDS: Record<KeyKind, string> = {
  ingest: "write only",
  read: "read only",
  admin: "everything",
};

settings.get("/settings", (c) => c.render(<Page c={c} />, FRAME));

const FRAME = { title: "Settings", here: "/settings", name: "settings-page" };

type PageProps = {
  c: { env: AccessEnv["Bindings"]; req: { url: string }; var: AccessEnv["Variables"] };
  /** A key that was just made. */
  made?: (KeyRow & { key: string }) | undefined;
};

function Page({ c, made }: PageProps) {
  const { origin } = new URL(c.req.url);
  return (
    <>
      <h1 class="page-title">Settings</h1>
      <Panel id="server" title="This server">
        {guarded("the server", async () => {
          const known = await versions(c.env.CATALOG);
          return (
            <>
              <dl class="facts">
                <Fact word="Address">
                  <code>{origin}</code>
                </Fact>
                <Fact word="Version">{VERSION}</Fact>
                <Fact word="Sessions">
                  {formatNumber(known.reduce((sum, row) => sum + row.sessions, 0))}
                </Fact>
                <Fact word="You are">{c.var.access.by}</Fact>
                <Fact word="Sessions are kept">{keptFor(c.env.DATACAT_RETENTION_DAYS)}</Fact>
              </dl>
              <p class="panel-note">
                Programs and daemons send here when <code>DATACAT_URL={origin}</code> is set
                {c.env.LOCAL === "1"
                  ? ". Only this machine can reach it, so no key is needed."
                  : ", with a key in DATACAT_KEY."}
              </p>
              {c.var.access.by === "signed in" ? (
                <form class="panel-note" method="post" action="/logout">
                  <button class="button quiet-button">Sign out</button>
                </form>
              ) : null}
            </>
          );
        })}
      </Panel>
      <UsagePanel env={c.env} />
      <Keys db={c.env.REGISTRY} made={made} />
    </>
  );
}

function Fact({ word, children }: { word: string; children: unknown }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function keptFor(days: string | undefined): string {
  if (days === "0") return "for ever";
  return `${days ?? 365} days after their last sign of life`;
}

function Keys({ db, made }: { db: D1Database; made: PageProps["made"] }) {
  return (
    <Panel id="keys-panel" title="API keys">
      {made ? (
        <div class="made" role="status">
          <p>
            <strong>This is the new key. It is shown only now.</strong>
          </p>
          <p>
            <code>{made.key}</code>{" "}
            <button class="tool" type="button" data-copy={made.key} hidden>
              Copy
            </button>
          </p>
        </div>
      ) : null}
      {guarded("the keys", async () => {
        const keys = await listKeys(db);
        if (keys.length === 0) return <Empty title="No keys yet." />;
        return (
          <div class="scroller" tabindex={0} role="group" aria-label="Keys">
            <table class="plain-table">
              <thead>
                <tr>
                  <th scope="col">Label</th>
                  <th scope="col">May</th>
                  <th scope="col">Product</th>
                  <th scope="col">Made</th>
                  <th scope="col">Last used</th>
                  <th scope="col">
                    <span class="hidden">Revoke</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {keys.map((key) => (
                  <KeyLine key_={key} />
                ))}
              </tbody>
            </table>
          </div>
        );
      })}
      <form class="fields new-key" method="post" action="/settings/keys">
        <label>
          Label <input name="label" required maxlength={MAX_NAME_LENGTH} autocomplete="off" />
        </label>
        <Select
          name="kind"
          word="What it may do"
          now="ingest"
          options={Object.fromEntries(
            KEY_KINDS.map((kind) => [kind, `${kind}: ${KIND_WORDS[kind]}`]),
          )}
        />
        <label>
          Only for product <input name="product" maxlength={MAX_NAME_LENGTH} autocomplete="off" />
        </label>
        <button class="button">Make a key</button>
      </form>
    </Panel>
  );
}

function KeyLine({ key_: key }: { key_: KeyRow }) {
  return (
    <tr>
      <th scope="row">
        {key.label || "–"} <code class="quiet">{key.id}</code>
      </th>
      <td>{KIND_WORDS[key.kind]}</td>
      <td>{key.product ?? "all"}</td>
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

/** Of the last use only the UTC day is known. */
function Day({ day }: { day: number }) {
  return <>{new Date(day * DAY_MS).toISOString().slice(0, 10)}</>;
}

/** Answers with the page itself rather than a redirect: the key must be in no address and no history. */
settings.post("/settings/keys", async (c) => {
  const { label, kind, product } = await c.req.parseBody();
  const chosen = KEY_KINDS.find((each) => each === kind);
  if (typeof label !== "string" || label.length > MAX_NAME_LENGTH || !chosen) {
    throw new Refusal(
      "invalid_body",
      "A key has a label, and may ingest, read, or everything (admin).",
    );
  }
  const only = typeof product === "string" && product.trim() !== "" ? product.trim() : null;
  const made = await createKey(
    c.env.REGISTRY,
    { kind: chosen, product: only, label: label.trim() },
    Date.now(),
  );
  c.header("cache-control", "no-store");
  return c.render(<Page c={c} made={made} />, FRAME);
});

settings.post("/settings/keys/:id/revoke", async (c) => {
  await revoke(c.env.REGISTRY, c.req.param("id"), Date.now());
  return c.redirect("/settings", 303);
});
