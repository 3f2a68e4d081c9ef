/** A tag of a session, a series or an event: its key and its value. */
import { nameLabel } from "../../core/text/recorded-text.ts";
import { readTag } from "../../core/text/tag.ts";

type TagProps = {
  text: string;
  /** Where it leads: a list of what has the tag. */
  href?: string | undefined;
  /** It has the colour of what it stands at. */
  isColoured?: boolean | undefined;
};

export function Tag({ text, href, isColoured = false }: TagProps) {
  const { key, value } = readTag(text);
  const label = nameLabel(text);
  const parts =
    value === "" ? (
      label
    ) : (
      <>
        <span class="tag-key">{nameLabel(key)}:</span>
        {nameLabel(value)}
      </>
    );
  const coloured = isColoured ? "" : undefined;
  return href === undefined ? (
    <span class="tag" title={label} data-coloured={coloured}>
      {parts}
    </span>
  ) : (
    <a class="tag" href={href} title={label} data-coloured={coloured}>
      {parts}
    </a>
  );
}
