/** The search of a list: fetched again while one types, a plain form without script. */
import type { Child } from "hono/jsx";
import { TYPING_MS } from "../limits.ts";

type FormProps = {
  /** The page that it searches, which also answers with the fragment. */
  path: string;
  label: string;
  /** Selects the element that the answer replaces. */
  target: string;
  children: Child;
};

export function SearchForm({ path, label, target, children }: FormProps) {
  return (
    <form
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
  value: string | undefined;
  label: string;
  placeholder: string;
  /** What completes the text (suggest.tsx). */
  suggestions?: string;
};

/** The text field, which the key "/" focuses. */
export function SearchField({ value, label, placeholder, suggestions }: FieldProps) {
  const list = suggestions && `${suggestions}-list`;
  return (
    <>
      <input
        type="search"
        name="text"
        value={value ?? ""}
        placeholder={placeholder}
        aria-label={label}
        autocomplete="off"
        data-search
        {...(suggestions && {
          list,
          "hx-get": `/suggest/${suggestions}`,
          "hx-trigger": `input changed delay:${TYPING_MS}ms`,
          "hx-target": `#${list}`,
          "hx-swap": "innerHTML",
        })}
      />
      {list ? <datalist id={list}></datalist> : null}
    </>
  );
}
