/** Recorded text with the styles that its control sequences set. */
import { styledText } from "../../core/recorded-text.ts";

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
            {piece}
          </span>
        ) : (
          piece
        ),
      )}
    </>
  );
}
