/** The layout of every page: metadata, navigation, styles and scripts. */
import { plainText } from "../core/text/recorded-text.ts";
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import { jsxRenderer } from "hono/jsx-renderer";
import type { Status } from "../core/vocabulary.ts";
import { Mark } from "./ui/mark.tsx";
import { preferencesOf } from "./preferences.tsx";

type PageProps = {
  title: string;
  /** The entry of the navigation that is marked as current. */
  here?: string | undefined;
  /** Colours the browser tab's icon. */
  status?: Status | undefined;
  /** Own modules in public/ that the page needs beside those that every page has. */
  scripts?: string[] | undefined;
  /** Stylesheets in public/styles/ that the page needs beside those that every page has. */
  styles?: string[] | undefined;
  /** Vendored scripts in public/vendor/. */
  vendor?: string[] | undefined;
  /** No navigation: login, and the page of a locked server. */
  bare?: boolean | undefined;
  /** Of the main element; names the page for the stylesheet. */
  name?: string | undefined;
};

declare module "hono" {
  // oxlint-disable-next-line consistent-type-definitions -- only an interface extends Hono's
  interface ContextRenderer {
    (content: string | Promise<string>, props: PageProps): Response | Promise<Response>;
  }
}

/** Those of every page, in an order in which a later file may refine an earlier one: tables.css a button, for example. */
const STYLES = [
  "palette",
  "elements",
  "text",
  "bar",
  "controls",
  "status",
  "panels",
  "frames",
  "search",
  "tables",
];

const NAVIGATION = [
  ["/", "Home"],
  ["/sessions", "Sessions"],
  ["/exceptions", "Exceptions"],
  ["/tests", "Tests"],
  ["/metrics", "Metrics"],
  ["/docs", "Docs"],
  ["/settings", "Settings"],
] as const;

export const layout = jsxRenderer(
  ({ children, title, here, status, scripts = [], styles = [], vendor = [], bare, name }, c) => {
    const { theme, zone } = preferencesOf(c);
    return (
      <html lang="en" data-theme={theme} data-zone={zone}>
        <head>
          <meta charset="utf-8" />
          <title>{`${plainText(title)} · Datacat`}</title>
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content={theme === "system" ? "light dark" : theme} />
          <meta name="htmx-config" content={HTMX} />
          <link rel="icon" type="image/svg+xml" href={`/icon/${status ?? "none"}.svg`} />
          {[...STYLES, ...styles].map((file) => (
            <link rel="stylesheet" href={`/styles/${file}.css`} />
          ))}
          <script src="/vendor/htmx-4.0.1.min.js" defer></script>
          {vendor.map((file) => (
            <script src={`/vendor/${file}`} defer></script>
          ))}
          {["page.js", ...scripts].map((file) => (
            <script src={`/${file}`} type="module"></script>
          ))}
        </head>
        <body>
          <a class="skip" href="#main">
            Skip to content
          </a>
          <Bar here={here} bare={bare} theme={theme} zone={zone} path={pathOf(c)} />
          <main id="main" class={name}>
            {children}
          </main>
          {bare ? null : <KeyHelp />}
        </body>
      </html>
    );
  },
);

/** A refused fragment does not replace a panel's content; page.js shows a note above the panel. */
const HTMX = JSON.stringify({
  noSwap: [204, 304, "4xx", "5xx"],
  history: "reload",
  defaultTimeout: 30_000,
});

function Bar(props: {
  here?: string | undefined;
  bare?: boolean | undefined;
  theme: string;
  zone: string;
  path: string;
}) {
  return (
    <header class="bar">
      <a class="brand" href="/">
        <Mark />
        <span>datacat</span>
      </a>
      {props.bare ? null : (
        <nav aria-label="Pages">
          {NAVIGATION.map(([path, label]) => (
            <a href={path} aria-current={path === props.here ? "page" : undefined}>
              {label}
            </a>
          ))}
        </nav>
      )}
      <Preferences theme={props.theme} zone={props.zone} path={props.path} />
      {props.bare ? null : (
        <button
          class="show-keys"
          type="button"
          data-keys
          aria-label="Keys"
          aria-keyshortcuts="?"
          title="Keys (?)"
        >
          ?
        </button>
      )}
    </header>
  );
}

/** Where the preferences' form leads back to. The answer to another form has no address of its own. */
function pathOf({ req }: Context): string {
  const { pathname, search } = new URL(req.url);
  return req.method === "GET" ? pathname + search : "/";
}

function Preferences({ theme, zone, path }: { theme: string; zone: string; path: string }) {
  return (
    <form class="preferences" method="post" action="/preferences">
      <input type="hidden" name="back" value={path} />
      <Choice legend="Times" name="zone" now={zone} options={["local", "utc"]} />
      <Choice legend="Colours" name="theme" now={theme} options={["system", "light", "dark"]} />
    </form>
  );
}

const CHOICE_LABELS: Record<string, Child> = {
  local: "Local",
  utc: "UTC",
  system: "Auto",
  light: "Light",
  dark: "Dark",
};

function Choice(props: { legend: string; name: string; now: string; options: string[] }) {
  return (
    <div class="choice" role="group" aria-label={props.legend}>
      {props.options.map((option) => (
        <button
          name={props.name}
          value={option}
          aria-pressed={option === props.now ? "true" : "false"}
        >
          {CHOICE_LABELS[option]}
        </button>
      ))}
    </div>
  );
}

function KeyHelp() {
  return (
    <dialog id="keys" class="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        <Key keys={["?"]}>this help</Key>
        <Key keys={["/"]}>search this page's list</Key>
        <Key keys={["g", "h"]}>home</Key>
        <Key keys={["g", "s"]}>sessions</Key>
        <Key keys={["g", "e"]}>exceptions</Key>
        <Key keys={["g", "m"]}>metrics</Key>
        <Key keys={["g", "d"]}>docs</Key>
      </dl>
      <h3>On a session</h3>
      <dl>
        <Key keys={["Click"]}>state and values at that moment</Key>
        <Key keys={["Drag"]}>zoom in; a double click shows the whole session</Key>
        <Key keys={["←", "→"]}>previous change, next change</Key>
        <Key keys={["Shift", "← →"]}>previous event, next event</Key>
        <Key keys={["Home", "End"]}>start, end</Key>
        <Key keys={["+", "−", "0"]}>zoom in, zoom out, whole session</Key>
        <Key keys={["f"]}>follow a running session</Key>
        <Key keys={["c"]}>copy a link to this moment</Key>
      </dl>
      <h3>On a chart of metrics</h3>
      <dl>
        <Key keys={["Click"]}>sessions with values there</Key>
        <Key keys={["Drag"]}>up or down: range of values</Key>
        <Key keys={["←", "→", "Enter"]}>values, sessions with values there</Key>
        <Key keys={["+", "−", "0"]}>fewer values, more values, all</Key>
      </dl>
      <form method="dialog">
        <button class="button">Close</button>
      </form>
    </dialog>
  );
}

function Key({ keys, children }: { keys: string[]; children: Child }) {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd>{key}</kbd>
        ))}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
