/** The budgets of an API key: what is used of them today, and a form that changes them. */
import {
  BUDGET_LABELS,
  BUDGET_NAMES,
  type BudgetName,
  type Budgets,
  budgetText,
  rowsOf,
  UNUSED,
  type Used,
  usedUp,
} from "../../core/access/budget.ts";
import { formatBytes, formatCount, formatNumber } from "../../core/text/format.ts";
import { MAX_BUDGET } from "../../core/limits.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { Refusal } from "../../core/refusal.ts";
import { type KeyRow, listKeys } from "../../registry/keys.ts";
import { usageOfDay } from "../../registry/usage.ts";

/** A cell of the keys' table. */
export function BudgetsOfKey({ key_: key, used = UNUSED }: { key_: KeyRow; used?: Used }) {
  if (key.kind === "read") return <span class="quiet">–</span>;
  return (
    <>
      <Amount of={used.sessions} limit={key.sessions_per_day} what="session" />
      <br />
      <Amount of={rowsOf(used)} limit={key.rows_per_day} what="row" />
      <br />
      <AttachmentBytes of={used.attachment_bytes} limit={key.attachment_mib_per_day} />
      <br />
      <span class="quiet">
        {key.requests_per_minute === null
          ? "requests, no limit"
          : `up to ${budgetText("requests_per_minute", key.requests_per_minute)}`}
      </span>
      {key.revoked_at === null && usedUp(key, used).length > 0 ? (
        <>
          {" "}
          <span class="tag danger">senders wait until 00:00 UTC</span>
        </>
      ) : null}
      {key.revoked_at === null ? <ChangeBudgets id={key.id} budgets={key} /> : null}
    </>
  );
}

function Amount({ of, limit, what }: { of: number; limit: number | null; what: string }) {
  if (limit === null)
    return (
      <>
        {formatCount(of, what)}
        <span class="quiet">, no limit</span>
      </>
    );
  return (
    <>
      {formatNumber(of)} <span class="quiet">of {formatCount(limit, what)}</span>
    </>
  );
}

function AttachmentBytes({ of, limit }: { of: number; limit: number | null }) {
  return (
    <>
      {formatBytes(of)}{" "}
      <span class="quiet">
        {limit === null
          ? "of attachments, no limit"
          : `of ${formatNumber(limit)} MiB of attachments`}
      </span>
    </>
  );
}

function ChangeBudgets({ id, budgets }: { id: string; budgets: Budgets }) {
  return (
    <details class="budgets">
      <summary>Change budgets</summary>
      <form method="post" action={`/settings/keys/${id}/budgets`}>
        {BUDGET_NAMES.map((name) => (
          <label>
            {BUDGET_LABELS[name]}{" "}
            <input
              name={name}
              type="number"
              min={1}
              max={MAX_BUDGET}
              step={1}
              value={budgets[name] ?? ""}
              placeholder="no limit"
            />
          </label>
        ))}
        <button class="tool">Save</button>
      </form>
    </details>
  );
}

/** The budgets in a form's fields: an empty one is no limit. */
export function budgetsIn(field: (name: string) => string): Budgets {
  const budget = (name: BudgetName) => {
    const text = field(name).trim();
    if (text === "") return null;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= MAX_BUDGET) return value;
    throw new Refusal(
      "invalid_body",
      `A budget is a whole number from 1 to ${formatNumber(MAX_BUDGET)}, or empty for no limit; "${text}" is not.`,
    );
  };
  return {
    sessions_per_day: budget("sessions_per_day"),
    rows_per_day: budget("rows_per_day"),
    requests_per_minute: budget("requests_per_minute"),
    attachment_mib_per_day: budget("attachment_mib_per_day"),
  };
}

/** A notice for keys whose senders wait; nothing while there are none. */
export async function WaitingSenders({ db }: { db: D1Database }) {
  const notes = await waitingNotes(db);
  if (notes.length === 0) return null;
  return (
    <section id="waiting" class="panel" aria-labelledby="waiting-title">
      <header class="panel-header">
        <h2 id="waiting-title">Senders that wait</h2>
      </header>
      {notes.map((note) => (
        <p class="panel-note">{note}</p>
      ))}
    </section>
  );
}

/** Below the evidence of a lost contact: a sender that waits is a possible cause. */
export async function WaitingAsCause({ db }: { db: D1Database }) {
  const notes = await waitingNotes(db);
  return (
    <>
      {notes.map((note) => (
        <p class="quiet">Possible cause: {note}</p>
      ))}
    </>
  );
}

/** A sentence for each key whose senders wait. */
async function waitingNotes(db: D1Database) {
  const [keys, used] = await Promise.all([listKeys(db), usageOfDay(db, Date.now())]);
  return keys.flatMap((key) => {
    const [budget] = key.revoked_at !== null ? [] : usedUp(key, used.get(key.id) ?? UNUSED);
    if (budget === undefined) return [];
    return [
      <>
        The API key {nameLabel(key.label, key.id)} has used its budget of{" "}
        {budgetText(budget, key[budget] ?? 0)}. Its senders keep what they record and send it after
        00:00 UTC, or within minutes after you <a href="/settings#keys-panel">raise the budget</a>.
      </>,
    ];
  });
}
