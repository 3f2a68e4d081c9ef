/**
 * A stack trace as frames with links that open the line in an editor, and the lines of source around it. Frames of libraries are drawn
 * paler.
 */
import { type Frame, framesOf } from "../../core/stack/frame.ts";
import { innermostFrame } from "../../core/stack/where.ts";
import type { Place } from "../../core/stack/place.ts";
import type { Excerpt } from "../../core/wire.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import { EXCERPT_LINES } from "../limits.ts";
import { address } from "./address.ts";
import { Coloured } from "./coloured.tsx";

export function Frames({ frames, sources = [] }: { frames: Frame[]; sources?: Excerpt[] }) {
  if (frames.length === 0) return null;
  const innermost = innermostFrame(frames);
  const open = innermost?.isOwn ? innermost : undefined;
  return (
    <ol class="frames">
      {frames.map((frame) => (
        <li class="frame" data-own={frame.isOwn ? "" : undefined}>
          <code>
            <Coloured text={frame.text} />
          </code>
          {frame.place?.file ? <Editors place={frame.place} file={frame.place.file} /> : null}
          <Source frame={frame} sources={sources} isOpen={frame === open} />
        </li>
      ))}
    </ol>
  );
}

/** Stacks as they were recorded, below those that source maps give. */
export function AsRecorded({ stacks }: { stacks: readonly (readonly string[])[] }) {
  const recorded = stacks.filter(({ length }) => length > 0);
  if (recorded.length === 0) return null;
  return (
    <details class="source as-recorded">
      <summary>As recorded, without source maps</summary>
      {recorded.map((stack) => (
        <Frames frames={framesOf(stack)} />
      ))}
    </details>
  );
}

/** The recorded lines around the frame's line, which is marked. */
function Source({
  frame: { place },
  sources,
  isOpen,
}: {
  frame: Frame;
  sources: Excerpt[];
  isOpen: boolean;
}) {
  const { file, line = 0 } = place ?? {};
  const found = sources.find(
    ({ file: of, first, lines }) => of === file && first <= line && line < first + lines.length,
  );
  if (!found) return null;
  const from = Math.max(found.first, line - EXCERPT_LINES);
  const to = line + EXCERPT_LINES + 1;
  return (
    <details class="source" open={isOpen}>
      <summary>Source</summary>
      <pre>
        {found.lines.slice(from - found.first, to - found.first).map((text, index) => (
          <span class="source-line" aria-current={from + index === line ? "true" : undefined}>
            <span class="source-number">{from + index}</span> {plainText(text)}
            {"\n"}
          </span>
        ))}
      </pre>
    </details>
  );
}

export function Editors({
  place: { line = 1, column = 1 },
  file: text,
}: {
  place: Pick<Place, "line" | "column">;
  file: string;
}) {
  const file = text.replace(/^file:\/\/(?:\/(?=[A-Za-z]:))?/, "");
  // An address is no file, and where a relative path begins is not known.
  const isFile = /^(?:\/|[A-Za-z]:[\\/])/.test(file);
  const path = encodeURI(file.replaceAll("\\", "/"));
  const absolute = path.startsWith("/") ? path : `/${path}`;
  // Two slashes name another machine, to which Windows would send the viewer's credentials.
  const isElsewhere = !isFile || path.startsWith("//");
  return (
    <span class="editors">
      {isElsewhere ? null : (
        <>
          <a href={`vscode://file${absolute}:${line}:${column}`}>VS Code</a>
          <a href={address("jetbrains://idea/navigate/reference", { path: `${file}:${line}` })}>
            JetBrains
          </a>
        </>
      )}
      <button type="button" data-copy={`${file}:${line}`} hidden>
        Copy path
      </button>
    </span>
  );
}
