/** Refusals as pages, and as one line for fragments. */
import { plainText } from "../core/text/recorded-text.ts";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { lockedBecause } from "../access/access.ts";
import { explain } from "../catalog/outage.ts";
import { Refusal, type RefusalCode, refusalOf } from "../core/refusal.ts";
import type { Env } from "../env.ts";

const TITLES: Partial<Record<RefusalCode, string>> = {
  not_found: "Not found",
  gone: "Deleted",
  unauthorized: "Sign in first",
  forbidden: "Not allowed",
  unavailable: "Unavailable",
  damaged: "Damaged",
  storage_full: "Storage full",
  internal: "Internal error",
};

export async function answerError(thrown: Error, c: Context): Promise<Response> {
  const refusal = refusalOf(thrown);
  if (refusal) return answer(c, refusal);
  console.error(`${c.req.method} ${c.req.path} failed:`, thrown);
  return answer(
    c,
    (await explain(thrown, (c.env as Env).DISK)) ??
      new Refusal("internal", "The server met an error and has logged it. Trying again may help."),
  );
}

export function answerUnknown(c: Context): Response | Promise<Response> {
  return answer(c, new Refusal("not_found", "There is no page at this address."));
}

function answer(c: Context, refusal: Refusal): Response | Promise<Response> {
  c.status(refusal.status as ContentfulStatusCode); // as: every status of REFUSALS has a body
  if (c.req.header("hx-request"))
    return c.html(<p class="failure">{plainText(refusal.message)}</p>);
  const title = TITLES[refusal.code] ?? "Request refused";
  const wait = refusal.details["retry_after"];
  if (wait !== undefined) c.header("retry-after", String(wait));
  if (refusal.code === "locked")
    return c.render(<Locked because={lockedBecause(c)} />, {
      title: "Locked",
      name: "error",
      bare: true,
    });
  return c.render(
    <section class="notice">
      <p class="notice-code">{refusal.status}</p>
      <h1>{title}</h1>
      <p>{plainText(refusal.message)}</p>
      <p>
        <a class="button" href="/sessions">
          All sessions
        </a>{" "}
        <a class="button quiet-button" href="/">
          Home
        </a>
      </p>
    </section>,
    { title, name: "error" },
  );
}

/** The page of a deployment without a good admin secret, with what its owner has to do. */
function Locked({ because }: { because: string | undefined }) {
  return (
    <section class="notice">
      <p class="notice-code">locked</p>
      <h1>This server is locked</h1>
      <p>
        {because ?? "This server has no admin secret yet"}. It is reachable from the internet. Make
        a secret, and set it from the folder that you deployed:
      </p>
      <pre class="code">
        <code>{"openssl rand -base64 24\nnpx wrangler secret put ADMIN_SECRET"}</code>
      </pre>
      <p>
        Then reload this page and sign in with it. Keys for programs are created in the settings.
        Until then every request is refused. With Cloudflare Access no secret is needed.
      </p>
    </section>
  );
}
