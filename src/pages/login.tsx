/** Signs in with the admin secret, and out. A local server and Cloudflare Access need no sign-in. */
import { Hono, type MiddlewareHandler } from "hono";
import { type AccessEnv, identifyVisitor } from "../access/access.ts";
import { renew, signIn, signOut } from "../access/cookie.ts";
import { Refusal } from "../core/refusal.ts";
import { isLocal } from "../env.ts";
import { isFragment } from "./fragment.tsx";
import { ownPath, readForm } from "./form.ts";
import { address } from "./ui/address.ts";
import { Mark } from "./ui/mark.tsx";

export const login = new Hono<AccessEnv>();

/**
 * `npm start` prints its address with `?token=`, which becomes the cookie. The address without it is what history and reloads have. The
 * user who started it needs no cookie, which the browser would send to every port of this machine.
 */
login.get("*", async (c, next) => {
  const url = new URL(c.req.url);
  const token = url.searchParams.get("token");
  if (token === null || !isLocal(c.env)) return next();
  if (c.env.LOCAL !== "1") await signIn(c, token); // with a wrong one the next page asks for it
  url.searchParams.delete("token");
  return c.redirect(ownPath(url.pathname + url.search), 303);
});

/** The routes after it need a person who is signed in. Another visitor is sent to the login page, and then back. */
export const signedIn: MiddlewareHandler<AccessEnv> = async (c, next) => {
  if (c.env.LOCAL !== "1" && c.req.header("authorization") !== undefined)
    throw new Refusal("forbidden", "Pages take no key: sign in with the admin secret.");
  const access = await identifyVisitor(c);
  if (access) {
    c.set("access", access);
    // What an open page fetches by itself is no use of the browser.
    if (access.signIn && !isFragment(c)) await renew(c, access.signIn);
    return next();
  }
  const { method } = c.req;
  if (
    (method !== "GET" && method !== "HEAD") ||
    c.req.header("hx-request") ||
    c.req.header("upgrade")
  ) {
    throw new Refusal(
      "unauthorized",
      "You are no longer signed in. Reload the page to sign in again.",
    );
  }
  const { pathname, search } = new URL(c.req.url);
  return c.redirect(
    address("/login", { back: pathname === "/" ? undefined : pathname + search }),
    302,
  );
};

login.get("/login", (c) =>
  c.render(<Form back={ownPath(c.req.query("back") ?? "/")} local={isLocal(c.env)} />, {
    title: "Sign in",
    bare: true,
    name: "login",
    styles: ["sign-in"],
  }),
);

login.post("/login", async (c) => {
  const field = await readForm(c);
  const back = ownPath(field("back"));
  if (await signIn(c, field("secret"))) return c.redirect(back, 303);
  c.status(403);
  return c.render(<Form back={back} local={isLocal(c.env)} failed />, {
    title: "Sign in",
    bare: true,
    name: "login",
    styles: ["sign-in"],
  });
});

login.post("/logout", async (c) => {
  await signOut(c);
  return c.redirect("/login", 303);
});

type FormProps = { back: string; local: boolean; failed?: boolean | undefined };

function Form({ back, local, failed }: FormProps) {
  return (
    <form class="panel sign-in" method="post" action="/login">
      <Mark />
      <h1>Sign in</h1>
      <input type="hidden" name="back" value={back} />
      {local ? (
        <p>
          This server was started by another user of this machine, or this system does not show
          whose the connection is. The token is in the file <code>token</code> of its data folder.
        </p>
      ) : null}
      <label>
        {local ? "Token" : "Admin secret"}
        <input
          type="password"
          name="secret"
          required
          autofocus
          autocomplete="current-password"
          aria-invalid={failed ? "true" : undefined}
          aria-describedby={failed ? "sign-in-failed" : undefined}
        />
      </label>
      {failed ? (
        <p id="sign-in-failed" class="failure" role="alert">
          {local ? (
            "Wrong token."
          ) : (
            <>
              Wrong secret. It was set with <code>wrangler secret put ADMIN_SECRET</code>.
            </>
          )}
        </p>
      ) : null}
      <button class="button">Sign in</button>
    </form>
  );
}
