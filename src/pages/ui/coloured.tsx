/** Recorded text with the styles that its control sequences set. */
import { styledText } from "../../core/text/recorded-text.ts";
import { MARK } from "../../core/secrets/text.ts";

export function Coloured({ text }: { text: string }) {
  return (
    <>
      {styledText(text).map(({ text: piece, style }) =>
        style.colour || style.bold || style.dim ? (
          <span
            data-colour={style.colour}
            data-bold={style.bold ? "" : undefined}
            data-dim={style.dim ? "" : undefined}
          >
            <Redacted text={piece} />
          </span>
        ) : (
          <Redacted text={piece} />
        ),
      )}
    </>
  );
}

/** Text in which the marks of redaction stand out, each with the kind of secret. */
export function Redacted({ text }: { text: string }) {
  if (!text.includes(MARK)) return <>{text}</>;
  return (
    <>
      {text.split(MARKS).map((piece, index) =>
        // Every second piece is a mark's kind, which the expression captures.
        index % 2 === 0 ? (
          piece
        ) : (
          <span class="redacted" title="A secret, which is not recorded">
            {piece === "" ? "redacted" : `redacted ${piece.slice(1)}`}
          </span>
        ),
      )}
    </>
  );
}

const MARKS = /\[redacted((?::[a-z][a-z0-9-]{0,31})?)\]/;
