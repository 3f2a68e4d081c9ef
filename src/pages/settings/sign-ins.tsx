/** Who is signed in, with buttons to sign out here and everywhere else. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { nameOf, signOutOthers } from "../../access/cookie.ts";
import { SIGNED_IN_MS } from "../../access/limits.ts";
import { listSignIns, type SignIn } from "../../registry/sign-ins.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded, Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { SettingsTable } from "./table.tsx";

export const signInRoutes = new Hono<AccessEnv>();

type SignInsProps = {
  db: D1Database;
  /** That of this browser, if it has one. */
  own: SignIn | undefined;
  now: number;
};

export function SignIns({ db, own, now }: SignInsProps) {
  return (
    <Panel id="sign-ins" title="Signed in">
      {guarded("the sign-ins", async () => {
        const all = await listSignIns(db, now - SIGNED_IN_MS);
        if (all.length === 0) return <Empty title="No browser is signed in" />;
        return (
          <>
            <SettingsTable
              label="Sign-ins"
              columns={["Sign-in", "Network", "Signed in", "Last used"]}
            >
              {all.map((signIn) => (
                <tr>
                  <th scope="row">
                    {nameOf(signIn)}{" "}
                    {signIn.id === own?.id ? <span class="tag">this browser</span> : null}
                  </th>
                  <td>{signIn.address}</td>
                  <td>
                    <Time at={signIn.started_at} show="minute" />
                  </td>
                  <td>
                    <Time at={signIn.used_at} show="minute" />
                  </td>
                </tr>
              ))}
            </SettingsTable>
            <div class="tools panel-note">
              {own ? (
                <form method="post" action="/logout">
                  <button class="button quiet-button">Sign out</button>
                </form>
              ) : null}
              {!own || all.length > 1 ? (
                <form method="post" action="/settings/sign-ins/end">
                  <button class="button quiet-button">
                    {own ? "Sign out all others" : "Sign out all"}
                  </button>
                </form>
              ) : null}
            </div>
            <p class="panel-note quiet">
              The time of the last use is exact to an hour. A browser that is not used for 7 days is
              signed out, and a new admin secret signs out every browser.
            </p>
          </>
        );
      })}
    </Panel>
  );
}

/** Ends all sign-ins but that of this browser. */
signInRoutes.post("/settings/sign-ins/end", async (c) => {
  const { by, signIn } = c.var.access;
  await signOutOthers(c, by, signIn);
  return c.redirect("/settings", 303);
});
