/** Where something happened: the function and its line, the line's source, and links that open it in an editor. */
import { plainText } from "../../core/text/recorded-text.ts";
import { placeText } from "../../core/stack/frame.ts";
import type { Place } from "../../core/stack/place.ts";
import { Editors } from "./frames.tsx";

type Shown = Pick<Place, "name" | "file" | "line" | "column" | "source">;

export function Where({ place }: { place: Shown | undefined }) {
  if (!place) return null;
  return (
    <p class="where frame">
      <span class="label">Where</span>{" "}
      <code class="where-place">{plainText(placeText(place))}</code> {/* `<string>` is no file. */}
      {place.file && !place.file.startsWith("<") ? (
        <Editors place={place} file={place.file} />
      ) : null}
      {place.source ? <code class="where-source">{plainText(place.source)}</code> : null}
    </p>
  );
}
