/** The search of a list: fetched again while one types, a plain form without script. */
import type { Child } from "hono/jsx";
import { type Refusal, refusalOf } from "../../core/refusal.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import { TYPING_MS } from "../limits.ts";
import { Empty } from "./empty.tsx";

type FormProps = {
  /** The page that it searches, which also answers with the fragment. */
  path: string;
  label: string;
  /** Selects the element that the answer replaces. */
  target: string;
  id?: string;
  children: Child;
};

export function SearchForm({ path, label, target, id, children }: FormProps) {
  return (
    <form
      id={id}
      class="search panel"
      method="get"
      action={path}
      role="search"
      aria-label={label}
      hx-get={path}
      hx-trigger={`submit, input delay:${TYPING_MS}ms`}
      hx-target={target}
      hx-swap="outerHTML"
      hx-sync="this:replace"
    >
      {children}
    </form>
  );
}

type FieldProps = {
  /** Of the parameter. */
  name?: string;
  value: string | undefined;
  label: string;
  placeholder: string;
  /** The address of what completes a query in it (completion.tsx). */
  suggestions?: string;
};

/** The text field. The key "/" focuses the one whose parameter is `text`. */
export function SearchField({ name = "text", value, label, placeholder, suggestions }: FieldProps) {
  const list = suggestions && `suggested-${name}`;
  return (
    <>
      <input
        type="search"
        name={name}
        value={value ?? ""}
        placeholder={placeholder}
        aria-label={label}
        autocomplete="off"
        {...(name === "text" && { "data-search": true })}
        {...(suggestions && {
          list,
          "hx-get": suggestions,
          "hx-trigger": `input changed delay:${TYPING_MS}ms`,
          "hx-target": `#${list}`,
          "hx-swap": "innerHTML",
        })}
      />
      {list ? <datalist id={list}></datalist> : null}
    </>
  );
}

/** What `read` makes of a text field; or why it is no query, as happens while one types. */
export function readBox<Value>(read: () => Value): Value | Refusal {
  try {
    return read();
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    if (refusal?.code !== "invalid_query") throw thrown;
    return refusal;
  }
}

/** Instead of a list: what is wrong with the query, and where. */
export function NotUnderstood({ query, refusal }: { query: string; refusal: Refusal }) {
  const position = Number(refusal.details["position"] ?? 0);
  return (
    <Empty title="This query is not complete, or not understood">
      <p>{plainText(refusal.message)}</p>
      <p>
        <code>
          {plainText(query.slice(0, position))}
          <mark>{plainText(query.slice(position)) || " "}</mark>
        </code>
      </p>
      <p>
        <a href="/docs/search">How to search</a>
      </p>
    </Empty>
  );
}
