/** A line of output: SGR sequences become styles, other control sequences are removed. */

type Style = { colour?: string | undefined; bold?: boolean | undefined; dim?: boolean | undefined };

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const SEQUENCE =
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  /\u001B\[([0-9;]*)m|\u001B\[[0-?]*[ -/]*[@-~]|\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)|[\u0000-\u0008\u000B-\u001F]/g;

export function Coloured({ text }: { text: string }) {
  return (
    <>
      {piecesOf(text).map(({ text: piece, style }) =>
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

export function piecesOf(text: string): { text: string; style: Style }[] {
  const pieces: { text: string; style: Style }[] = [];
  let style: Style = {};
  let from = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), style });
    if (match[1] !== undefined) style = restyled(style, match[1]);
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), style });
  return pieces;
}

/** The line without its control sequences. */
export function plain(text: string): string {
  return text.replaceAll(SEQUENCE, "");
}

function restyled(style: Style, codes: string): Style {
  let next = { ...style };
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next = { colour: next.colour };
    else if (code >= 30 && code <= 37) next.colour = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) next.colour = COLOURS[code - 90];
    else if (code === 39) delete next.colour;
  }
  return next;
}
