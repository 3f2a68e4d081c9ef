/** One exception of a tree: type, message, attributes, notes and frames; then those that led to it, and its members, folded. */
import { formatCount } from "../../core/text/format.ts";
import { relationLabel, type ThrownException } from "../../core/events/exception-tree.ts";
import { nameLabel, plainJson, plainText } from "../../core/text/recorded-text.ts";
import { framesOf } from "../../core/stack/frame.ts";
import type { Excerpt, JsonObject } from "../../core/wire.ts";
import { Coloured } from "../ui/coloured.tsx";
import { Frames } from "../ui/frames.tsx";
import { short } from "./event.tsx";

type Props = { thrown: ThrownException; sources: Excerpt[] };

export function Thrown({ thrown, label, sources }: Props & { label?: string }) {
  return (
    <>
      <p class="exception-headline">
        {label === undefined ? null : <span class="label">{label}</span>}{" "}
        <strong>{nameLabel(thrown.exception_type ?? "", "Exception")}</strong>
        {thrown.exception_msg ? (
          <span data-lines={thrown.exception_msg.includes("\n") ? "" : undefined}>
            <Coloured text={thrown.exception_msg} />
          </span>
        ) : null}
      </p>
      <Details thrown={thrown} sources={sources} />
    </>
  );
}

function Details({ thrown, sources }: Props) {
  const { attributes = {}, notes = [], stacktrace = [], causes, members } = thrown;
  return (
    <>
      <Attributes attributes={attributes} />
      {notes.map((note) => (
        <p class="exception-note">
          <Coloured text={note} />
        </p>
      ))}
      <Frames frames={framesOf(withoutHeadline(stacktrace, thrown))} sources={sources} />
      {members.map((member, index) => (
        <details class="member">
          <summary>
            <span class="label">{relationLabel(member, index, members.length)}</span>{" "}
            <strong class="exception-type">
              {nameLabel(member.exception_type ?? "", "Exception")}
            </strong>{" "}
            {short(plainText(member.exception_msg ?? ""))}
          </summary>
          <Details thrown={member} sources={sources} />
        </details>
      ))}
      {causes.map((cause, index) => (
        <div class="cause">
          <Thrown
            thrown={cause}
            label={relationLabel(cause, index, causes.length)}
            sources={sources}
          />
        </div>
      ))}
    </>
  );
}

function Attributes({ attributes }: { attributes: JsonObject }) {
  const names = Object.keys(attributes);
  if (names.length === 0) return null;
  return (
    <table class="attributes">
      <tbody>
        {names.map((name) => {
          const value = attributes[name] ?? null;
          return (
            <tr>
              <th scope="row">{name === "…" ? "Not recorded" : nameLabel(name)}</th>
              <td>
                {name === "…" && typeof value === "number" ? (
                  formatCount(value, "further attribute")
                ) : (
                  <Coloured text={typeof value === "string" ? value : plainJson(value)} />
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Python ends a stack with the type and the message, which stand above it. */
function withoutHeadline(stacktrace: string[], { exception_type, exception_msg }: ThrownException) {
  const last = stacktrace.at(-1)?.trimEnd() ?? "";
  const headline = exception_msg ? `${exception_type}: ${exception_msg}` : exception_type;
  const isHeadline = last === headline || last.endsWith(`.${headline}`);
  return stacktrace.length > 1 && isHeadline ? stacktrace.slice(0, -1) : stacktrace;
}
