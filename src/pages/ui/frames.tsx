/** A stack trace as frames with links that open the line in an editor. Frames of libraries are drawn paler. */
import type { Frame } from "../../core/stack/frame.ts";
import type { Place } from "../../core/stack/place.ts";
import { address } from "./address.ts";
import { Coloured } from "./coloured.tsx";

export function Frames({ frames }: { frames: Frame[] }) {
  if (frames.length === 0) return null;
  return (
    <ol class="frames">
      {frames.map((frame) => (
        <li class="frame" data-own={frame.isOwn ? "" : undefined}>
          <code>
            <Coloured text={frame.text} />
          </code>
          {frame.place?.file ? <Editors place={frame.place} file={frame.place.file} /> : null}
        </li>
      ))}
    </ol>
  );
}

function Editors({ place: { line = 1, column = 1 }, file: text }: { place: Place; file: string }) {
  const file = text.replace(/^file:\/\/(?:\/(?=[A-Za-z]:))?/, "");
  const path = encodeURI(file.replaceAll("\\", "/"));
  const absolute = path.startsWith("/") ? path : `/${path}`;
  return (
    <span class="editors">
      <a href={`vscode://file${absolute}:${line}:${column}`}>VS Code</a>
      <a href={address("jetbrains://idea/navigate/reference", { path: `${file}:${line}` })}>
        JetBrains
      </a>
      <button type="button" data-copy={`${file}:${line}`} hidden>
        Copy path
      </button>
    </span>
  );
}
