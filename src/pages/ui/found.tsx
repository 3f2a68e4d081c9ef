/** What of a listed session a search found, with links to the moments. */
import { type Found, FOUND_LABELS, type Matches } from "../../core/answers/found.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import { address } from "./address.ts";
import { momentPath, Time } from "./time.tsx";

export function FoundIn({ id, matches }: { id: string; matches: Matches }) {
  const { found, elsewhere } = matches;
  return (
    <ul class="found">
      {found.map((one) => (
        <li>
          <FoundText id={id} found={one} />
        </li>
      ))}
      {elsewhere.map((term) => (
        <li>
          <a href={`${address(`/sessions/${id}`, { text: term })}#events`}>
            Search its log for “{plainText(term)}”
          </a>
        </li>
      ))}
    </ul>
  );
}

function FoundText({ id, found }: { id: string; found: Found }) {
  const { kind, name, at, before, match, after } = found;
  return (
    <a href={momentPath(id, at)}>
      <small>
        {FOUND_LABELS[kind]} {name === undefined ? null : <code>{plainText(name)}</code>}
      </small>{" "}
      <q>
        {plainText(before)}
        <mark>{plainText(match)}</mark>
        {plainText(after)}
      </q>{" "}
      <Time at={at} show="clock" />
    </a>
  );
}
